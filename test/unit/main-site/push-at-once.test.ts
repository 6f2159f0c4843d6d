/** What a push sends before it knows that it may: it is taken back, and nobody sees it. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { acquireLock } from '../../../src/io/lock.ts';
import { folderTree } from '../../../src/io/folder-tree.ts';
import { sftpTree } from '../../../src/io/sftp-tree.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { readRecord } from '../../../src/main-site/record.ts';
import { INBOX_LOCK } from '../../../src/protocol/exchange.ts';
import { embeddedSftp, type EmbeddedSftp } from '../../support/embedded-sftp.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';

let sftp: EmbeddedSftp | undefined;
afterEach(async () => {
  await sftp?.dispose();
  sftp = undefined;
});

/** A partner with a release, a change that is to be pushed, and the main site's way to it over SFTP. */
async function changed(around: (tree: FileTree, main: MainFixture) => FileTree = (tree) => tree) {
  const { main, shop } = await partnership();
  await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\n# Changed\n');
  const inbox = shop.path('exchange/inbox');
  const server = (sftp = await embeddedSftp({ root: shop.path('exchange') }));
  const connect: MainSite['connect'] = async () => around(sftpTree(await server.connect(), '/'), main);
  return { main, shop, inbox, site: { ...main.site, connect } };
}

/** Every file with its content, temporary ones and locks among them. */
function contentOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((entry) => {
      const path = `${entry.parentPath}/${entry.name}`;
      return [path.slice(folder.length), readFileSync(path, 'latin1')];
    }),
  );
}

test('a push that finds the inbox locked leaves it as it was', async () => {
  const { main, shop, inbox, site } = await changed();
  const other = { who: 'ann@elsewhere, process 7', id: 'other', host: 'elsewhere', pid: 7 };
  const lock = await acquireLock(folderTree(shop.path('exchange')), INBOX_LOCK, other, main.clock);
  const before = contentOf(inbox);
  expect(await main.push({}, site)).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_LOCKED' } }]);
  expect(contentOf(inbox)).toEqual(before);
  await lock.release();
  expect(await main.push({}, site)).toMatchObject([{ kind: 'pushed' }]);
});

test('a push whose inbox got another head while it was locked is refused, and the other head stays', async () => {
  let reads = 0;
  const { main, shop, inbox, site } = await changed((tree) => ({
    ...tree,
    read: async (path, maxLength) => {
      const bytes = await tree.read(path, maxLength);
      if (!path.endsWith('/timestamp.json') || (reads += 1) > 1) return bytes;
      // Another machine comes to its end between this read and the lock.
      await folderTree(shop.path('exchange')).write(path, Buffer.concat([bytes, Buffer.from('\n')]));
      return bytes;
    },
  }));
  const before = contentOf(inbox);
  expect(await main.push({}, site)).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_LOCKED' } }]);
  expect(reads).toBe(2);
  const head = '/metadata/timestamp.json';
  expect(contentOf(inbox)).toEqual({ ...before, [head]: `${before[head]}\n` });
});

test('pages that cannot be built are no failure of a partner, and nothing is sent', async () => {
  const { main, inbox, site } = await changed();
  await main.write('pages/broken.md', '---\ntitle: [\n---\n');
  const before = contentOf(inbox);
  const known = await readRecord(main.site, 'harbour');
  await expect(main.push({}, site)).rejects.toMatchObject({ code: 'TIEUP_E_CONTENT' });
  expect(contentOf(inbox)).toEqual(before);
  expect(await readRecord(main.site, 'harbour')).toEqual(known);
});
