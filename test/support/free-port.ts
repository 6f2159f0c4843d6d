/** Ports for servers that cannot choose one themselves, and for servers that are not there. */
import { createServer } from 'node:net';
import { pid } from 'node:process';

/**
 * Below the ports that systems give to whoever asks for any (from 32768 on Linux, from 49152 elsewhere): a free one of
 * those may belong to another connection of the same machine a moment later, while tests of other files run.
 */
const FIRST = 12_000;
const COUNT = 20_000;

/** Processes begin apart from one another, and none comes back to a port before it has gone through all of them. */
let next = (pid * 61) % COUNT;

/** On loopback. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < COUNT; tried += 1) {
    const port = FIRST + next;
    next = (next + 1) % COUNT;
    if (await isFree(port)) return port;
  }
  throw new Error('there is no free port');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
