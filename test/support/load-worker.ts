/**
 * Asks a web server for pages in a thread of its own, as fast as it answers, so that requests are under way at every moment of
 * a publication. Judges every answer; posts what was wrong when it is told to stop.
 */
import { Agent, get } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { PAGES, releaseOf, releasePage } from './release-page.ts';

/** Shared with the publisher: what is live, what is being published, answers so far, 1 to stop. */
export const LIVE = 0;
export const UPCOMING = 1;
export const ANSWERED = 2;
export const STOP = 3;

export interface LoadReport {
  readonly faults: readonly string[];
  readonly releases: readonly number[];
}

interface LoadOptions {
  readonly port: number;
  readonly clients: number;
  readonly shared: Int32Array;
}

const options: unknown = workerData;
if (parentPort !== null && isLoadOptions(options)) {
  const port: { postMessage(report: LoadReport, transfer: []): void } = parentPort;
  port.postMessage(await run(options), []);
}

function isLoadOptions(value: unknown): value is LoadOptions {
  return typeof value === 'object' && value !== null && 'shared' in value && value.shared instanceof Int32Array;
}

async function run({ port, clients, shared }: LoadOptions): Promise<LoadReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const faults: string[] = [];
  const releases = new Set<number>();
  const client = async (first: number) => {
    for (let turn = first; Atomics.load(shared, STOP) === 0; turn++) {
      const index = turn % PAGES;
      const oldest = Atomics.load(shared, LIVE);
      const { status, stated, body } = await ask(agent, port, `/with-main/page-${index}.html`);
      Atomics.add(shared, ANSWERED, 1);
      const newest = Atomics.load(shared, UPCOMING);
      const release = releaseOf(body);
      releases.add(release);
      const whole = body === releasePage(release, index) && stated === Buffer.byteLength(body);
      // Never older than what was live when it was asked, never newer than what is being published.
      if (status === 200 && whole && release >= oldest && release <= newest) continue;
      faults.push(
        `page ${index}: ${status}, ${body.length} of ${stated} bytes, release ${release}, expected ${oldest} to ${newest}`,
      );
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  agent.destroy();
  return { faults, releases: [...releases] };
}

interface Answer {
  readonly status: number;
  readonly stated: number;
  readonly body: string;
}

/** A broken connection is an answer too: status 0. */
function ask(agent: Agent, port: number, path: string): Promise<Answer> {
  return new Promise((done) => {
    const broken = (error: Error) => done({ status: 0, stated: 0, body: error.message });
    get({ agent, host: '127.0.0.1', port, path }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () =>
        done({ status: response.statusCode ?? 0, stated: Number(response.headers['content-length']), body }),
      );
      response.on('error', broken);
    }).on('error', broken);
  });
}
