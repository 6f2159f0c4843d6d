import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { resume } from '../../src/publish/records.ts';
import { rollbackTo } from '../../src/publish/rollback.ts';
import { verifyLive } from '../../src/publish/verify.ts';
import { compileScript } from '../support/compiled.ts';
import { ANSWERED, LIVE, type LoadReport, STOP, UPCOMING } from '../support/load-worker.ts';
import { startNginx } from '../support/nginx.ts';
import { realPart } from '../support/real-parts.ts';
import { PAGES, releasePage } from '../support/release-page.ts';
import { fill, folderPorts, goLive, layoutOf, makeRelease, NOW } from '../support/site-fixture.ts';

const SWITCHES = 20;
const REQUESTS_A_SWITCH = 150;
const CLIENTS = 16;

const nginx = realPart('nginx');

function pagesOf(release: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: PAGES }, (_, index) => [`with-main/page-${index}.html`, releasePage(release, index)]),
  );
}

describe.skipIf(nginx === undefined)('a site that nginx serves while releases switch', () => {
  it('answers every request with a whole page of the old release or of the new one', async () => {
    const { ports, folder, remove } = await folderPorts('separate');
    const layout = layoutOf('link', 3);
    await fill(ports.original ?? ports.web, { 'index.html': 'home' });
    await goLive(ports, layout, await makeRelease(ports.state, 1, pagesOf(1)));
    const worker = await compileScript('test/support/load-worker.ts');
    const server = await startNginx(nginx ?? '', join(folder, 'web/public'));
    const shared = new Int32Array(new SharedArrayBuffer(16));
    shared.set([1, 1, 0, 0]);
    const load = new Worker(worker.script, { workerData: { port: server.port, clients: CLIENTS, shared } });
    const reported = once(load, 'message');
    /** Until so many answers have come, counted from now. */
    const answers = async (count: number) => {
      const goal = Atomics.load(shared, ANSWERED) + count;
      while (Atomics.load(shared, ANSWERED) < goal) {
        await Promise.race([new Promise((done) => setImmediate(done)), failure]);
      }
    };
    const failure = once(load, 'error').then(([error]: unknown[]) => Promise.reject(error));
    failure.catch(() => undefined);
    try {
      for (let release = 2; release <= SWITCHES + 1; release++) {
        await answers(REQUESTS_A_SWITCH);
        const files = await makeRelease(ports.state, release, pagesOf(release));
        Atomics.store(shared, UPCOMING, release);
        await goLive(ports, layout, files);
        Atomics.store(shared, LIVE, release);
      }
      await answers(REQUESTS_A_SWITCH);
      Atomics.store(shared, STOP, 1);
      const [report]: LoadReport[] = await reported;
      expect(report?.faults).toEqual([]);
      expect(report?.releases).toHaveLength(SWITCHES + 1);
      expect(Atomics.load(shared, ANSWERED)).toBeGreaterThanOrEqual(2000);
      expect(await verifyLive(ports, layout)).toEqual([]);

      await rollbackTo(ports, layout, SWITCHES, { decisionDigest: null, now: NOW });
      const response = await fetch(`http://127.0.0.1:${server.port}/with-main/page-0.html`);
      expect(await response.text()).toBe(releasePage(SWITCHES, 0));
      expect(await resume(ports)).toBe(true);
    } finally {
      Atomics.store(shared, STOP, 1);
      await load.terminate();
      await server.stop();
      await worker.remove();
      await remove();
    }
  }, 120_000);
});
