/**
 * A repository that tieup made, as a client sees it that has never heard of tieup: the stock updater of tuf-js over HTTP,
 * with nothing set but addresses and a root.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Updater } from 'tuf-js';
import { expect, onTestFinished, test } from 'vitest';
import { startStaticServer } from '../../src/io/static-server.ts';
import { sha256 } from '../../src/protocol/digest.ts';
import { TARGET_RELEASE, TARGET_SUMS, TARGET_TERMS } from '../../src/protocol/exchange.ts';
import { partnership } from '../support/partnership-fixture.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a stock TUF client takes every release over HTTP, with all its targets', async () => {
  const { main, shop } = await partnership();
  const web = await startStaticServer(shop.path('exchange/inbox'));
  onTestFinished(() => web.close());
  const folder = await temporaryFolder();
  const [metadataDir, targetDir] = [join(folder, 'metadata'), join(folder, 'targets')];
  for (const path of [metadataDir, targetDir]) await mkdir(path);
  await writeFile(join(metadataDir, 'root.json'), await readFile(shop.path('state/root.json')));

  for (const release of [1, 2, 3]) {
    if (release > 1) {
      await main.write('pages/index.md', `---\ntitle: Our coffee\n---\n\nRoast ${release}\n`);
      await main.pushed();
    }
    const base = `http://127.0.0.1:${web.port}`;
    const options = { metadataBaseUrl: `${base}/metadata`, targetBaseUrl: `${base}/targets` };
    const updater = new Updater({ metadataDir, targetDir, ...options });
    await updater.refresh();
    for (const name of [TARGET_SUMS, TARGET_RELEASE, TARGET_TERMS]) {
      const target = await updater.getTargetInfo(name);
      if (target === undefined) throw new Error(`there is no ${name}`);
      const bytes = await readFile(await updater.downloadTarget(target));
      expect(sha256(bytes)).toBe(target.hashes['sha256']);
    }
    const targets = JSON.parse(await readFile(join(metadataDir, 'targets.json'), 'utf8'));
    expect(targets.signed.version).toBe(release);
  }
});
