// A line with a delay and a rate between a client and a server on this machine, in a process of its own so that it
// shares no event loop with what is measured: node bench/delay-proxy.mjs PORT ROUND_TRIP_MS [MBIT_PER_SECOND]
// Prints the port on which it listens; ends with its standard input.
import { connect, createServer } from 'node:net';

const [target, roundTripMs, megabits] = process.argv.slice(2).map(Number);
const delayMs = (roundTripMs ?? 0) / 2;
const bytesPerMs = megabits === undefined ? Number.POSITIVE_INFINITY : (megabits * 1e6) / 8 / 1000;
/** What the line and its buffers hold in one direction: a tenth of a second at its rate, or what a fast line has under way. */
const MAX_UNDER_WAY = megabits === undefined ? 16 * 1024 * 1024 : Math.max(64 * 1024, 100 * bytesPerMs);

/**
 * Passes on what `from` sends to `to`, no earlier than the line would.
 * @param {import('node:net').Socket} from
 * @param {import('node:net').Socket} to
 */
function carry(from, to) {
  /** @type {{ bytes: Buffer, due: number }[]} */
  const line = [];
  let underWay = 0;
  let freeAt = 0;
  let ended = false;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const deliver = () => {
    timer = undefined;
    const now = performance.now();
    for (let next = line[0]; next !== undefined && next.due <= now; next = line[0]) {
      line.shift();
      underWay -= next.bytes.length;
      if (!to.destroyed) to.write(next.bytes);
    }
    if (underWay < MAX_UNDER_WAY) from.resume();
    const [next] = line;
    if (next !== undefined) timer = setTimeout(deliver, Math.max(0, next.due - now));
    else if (ended) to.end();
  };
  from.on('data', (/** @type {Buffer} */ bytes) => {
    freeAt = Math.max(performance.now(), freeAt) + bytes.length / bytesPerMs;
    line.push({ bytes, due: freeAt + delayMs });
    underWay += bytes.length;
    if (underWay >= MAX_UNDER_WAY) from.pause();
    timer ??= setTimeout(deliver, Math.max(0, (line[0]?.due ?? 0) - performance.now()));
  });
  from.on('end', () => {
    ended = true;
    timer ??= setTimeout(deliver, delayMs);
  });
}

const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const upstream = connect({ port: target ?? 0, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const cut = () => {
    client.destroy();
    upstream.destroy();
  };
  client.on('error', cut);
  upstream.on('error', cut);
  carry(client, upstream);
  carry(upstream, client);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) process.stdout.write(`${address.port}\n`);
});
process.stdin.on('close', () => process.exit()).resume();
