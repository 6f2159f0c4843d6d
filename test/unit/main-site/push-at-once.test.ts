/** What a push sends before it knows that it may: it is taken back, and nobody sees it. */
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { acquireLock, breakLock } from '../../../src/io/lock.ts';
import { folderTree } from '../../../src/io/folder-tree.ts';
import type { SftpServerFaults } from '../../../src/io/sftp-server-requests.ts';
import { sftpTree } from '../../../src/io/sftp-tree.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { readRecord } from '../../../src/main-site/record.ts';
import { refresh } from '../../../src/main-site/refresh.ts';
import { INBOX_LOCK } from '../../../src/protocol/exchange.ts';
import { embeddedSftp, type EmbeddedSftp } from '../../support/embedded-sftp.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';

let sftp: EmbeddedSftp | undefined;
afterEach(async () => {
  await sftp?.dispose();
  sftp = undefined;
});

/** A partner with a release, a change that is to be pushed, and the main site's way to it over SFTP. */
async function changed(
  around: (tree: FileTree, main: MainFixture) => FileTree = (tree) => tree,
  faults: SftpServerFaults = {},
) {
  const { main, shop } = await partnership();
  await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\n# Changed\n');
  const inbox = shop.path('exchange/inbox');
  const server = (sftp = await embeddedSftp({ root: shop.path('exchange'), faults }));
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

describe('a server that refuses what is sent ahead before it answers anything else', () => {
  /** The n-th file that goes beside its place is refused at once, all of them for 0; the lock and the head are answered after that. */
  async function refusing(refused: number) {
    let staged = 0;
    let failed = 0;
    const { main, inbox, site } = await changed((tree) => {
      const late = async (): Promise<void> => {
        // Whatever nobody waits for has been reported by then.
        for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      };
      return {
        ...tree,
        stage: async (path, content, options) => {
          staged += 1;
          if (refused !== 0 && staged !== refused) return tree.stage(path, content, options);
          failed += 1;
          throw new TieupError('TIEUP_E_STORAGE', 'the server denies permission');
        },
        create: async (path, content, options) => {
          await tree.create(path, content, options);
          await late();
        },
      };
    });
    const before = contentOf(inbox);
    const results = await main.push({}, site);
    return { results, failed, before, after: contentOf(inbox) };
  }

  test.each([0, 1, 2, 3, 4, 5, 6])('fails that partner alone, and leaves the inbox as it was (file %i)', async (n) => {
    const stray: unknown[] = [];
    const noted = (reason: unknown): void => void stray.push(reason);
    process.on('unhandledRejection', noted);
    onTestFinished(() => void process.off('unhandledRejection', noted));
    const { results, failed, before, after } = await refusing(n);
    expect(failed).toBeGreaterThan(0);
    expect(results).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_STORAGE' } }]);
    expect(after).toEqual(before);
    expect(stray).toEqual([]);
  });
});

test('a server that tells no times of files is pushed to, and what it holds is found again', async () => {
  const { main, site, shop } = await changed(undefined, { omitTimes: true });
  expect(await main.push({}, site)).toMatchObject([{ kind: 'pushed' }]);
  expect(await main.push({}, site)).toMatchObject([{ kind: 'unchanged' }]);
  expect(await shop.accept()).toMatchObject({ kind: 'live' });
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

/** The main site as another machine has it: the same keys and pages, a memory and a name of its own. */
function elsewhere(main: MainFixture, site: MainSite): MainSite {
  const folder = `${main.folder}-elsewhere`;
  cpSync(main.folder, folder, { recursive: true });
  const owner = { who: 'bob@elsewhere, process 9', id: 'bob', host: 'elsewhere', pid: 9 };
  return { ...site, files: folderTree(folder), cacheFolder: `${folder}/.tieup`, owner };
}

const HEAD = 'inbox/metadata/timestamp.json';

/** `tree` with a head that goes into its place after `before`. */
function committingAfter(tree: FileTree, before: () => Promise<void>): FileTree {
  return {
    ...tree,
    stage: async (path, content, options) => {
      const staged = await tree.stage(path, content, options);
      if (path !== HEAD) return staged;
      const commit = async (): Promise<void> => {
        await before();
        await staged.commit();
      };
      return { ...staged, commit };
    },
  };
}

/** `tree` on which the head is long on its way: what `meanwhile` does is done once the head was looked at for the second time. */
function sendingSlowly(tree: FileTree, meanwhile: () => Promise<void>): FileTree {
  let reads = 0;
  let looked = (): void => {};
  const looking = new Promise<void>((resolve) => (looked = resolve));
  let passing: Promise<void> | undefined;
  return {
    ...tree,
    read: async (path, maxLength) => {
      const bytes = await tree.read(path, maxLength);
      if (path === HEAD && (reads += 1) === 2) looked();
      return bytes;
    },
    stage: async (path, content, options) => {
      const staged = await tree.stage(path, content, options);
      if (path === HEAD) await (passing ??= looking.then(meanwhile));
      return staged;
    },
  };
}

describe('a slow push whose lock was removed by hand, and taken by another', () => {
  test('is refused where the other has come to its end: what that has pushed stays', async () => {
    const slow: { meanwhile: () => Promise<void> } = { meanwhile: async () => {} };
    const { main, shop, inbox, site } = await changed((tree) => sendingSlowly(tree, async () => slow.meanwhile()));
    let other = {};
    slow.meanwhile = async () => {
      slow.meanwhile = async () => {};
      await breakLock(folderTree(shop.path('exchange')), INBOX_LOCK);
      const there = elsewhere(main, { ...main.site });
      expect(await main.push({}, there)).toMatchObject([{ kind: 'pushed', release: 2 }]);
      other = contentOf(inbox);
    };
    expect(await main.push({}, site)).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_LOCKED' } }]);
    expect(other).toHaveProperty('/metadata/2.targets.json');
    expect(metadataOf(contentOf(inbox))).toEqual(metadataOf(other));
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('is refused where the other is about to put its head into its place, and leaves it its lock', async () => {
    const slow: { meanwhile: () => Promise<void> } = { meanwhile: async () => {} };
    const { main, shop, inbox, site } = await changed((tree) => sendingSlowly(tree, async () => slow.meanwhile()));
    let ended = (): void => {};
    const end = new Promise<void>((resolve) => (ended = resolve));
    let other: Promise<unknown> | undefined;
    slow.meanwhile = async () => {
      slow.meanwhile = async () => {};
      await breakLock(folderTree(shop.path('exchange')), INBOX_LOCK);
      await new Promise<void>((reached) => {
        const connect: MainSite['connect'] = async (partner) =>
          committingAfter(await main.site.connect(partner), async () => {
            reached();
            await end;
          });
        other = main.push({}, elsewhere(main, { ...main.site, connect }));
      });
    };
    expect(await main.push({}, site)).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_LOCKED' } }]);
    expect(contentOf(inbox)['/lock']).toContain('bob');
    ended();
    expect(await other).toMatchObject([{ kind: 'pushed', release: 2 }]);
    expect(contentOf(inbox)).not.toHaveProperty('/lock');
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('is refused by a refresh alike, which has another head in its place', async () => {
    const slow: { meanwhile: () => Promise<void> } = { meanwhile: async () => {} };
    const { main, shop, inbox, site } = await changed((tree) => sendingSlowly(tree, async () => slow.meanwhile()));
    let other = {};
    slow.meanwhile = async () => {
      slow.meanwhile = async () => {};
      await breakLock(folderTree(shop.path('exchange')), INBOX_LOCK);
      expect(await refresh(elsewhere(main, main.site), [], 1)).toMatchObject([{ kind: 'refreshed' }]);
      other = contentOf(inbox);
    };
    expect(await main.push({}, site)).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_LOCKED' } }]);
    expect(metadataOf(contentOf(inbox))).toEqual(metadataOf(other));
    expect(await main.push({}, site)).toMatchObject([{ kind: 'pushed', release: 2 }]);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('is refused when it is a refresh itself', async () => {
    const slow: { meanwhile: () => Promise<void> } = { meanwhile: async () => {} };
    const { main, shop, inbox, site } = await changed((tree) => sendingSlowly(tree, async () => slow.meanwhile()));
    let other = {};
    slow.meanwhile = async () => {
      slow.meanwhile = async () => {};
      await breakLock(folderTree(shop.path('exchange')), INBOX_LOCK);
      expect(await main.push({}, elsewhere(main, main.site))).toMatchObject([{ kind: 'pushed', release: 2 }]);
      other = contentOf(inbox);
    };
    expect(await refresh(site, [], 1)).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_LOCKED' } }]);
    expect(metadataOf(contentOf(inbox))).toEqual(metadataOf(other));
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });
});

function metadataOf(content: object): object {
  return Object.fromEntries(Object.entries(content).filter(([path]) => /^\/metadata\/[^.]/.test(path)));
}

describe('a push that died right before its head was in its place', () => {
  test.each([
    ['push', async () => []],
    ['refresh', (site: MainSite) => refresh(site, [], 1)],
  ])('leaves its numbers to nobody: the next %s takes others', async (_next, first) => {
    const killed: { isOver: boolean } = { isOver: false };
    const { main, shop, inbox, site } = await changed((tree) => {
      const dying = committingAfter(tree, async () => {
        killed.isOver = true;
        throw new TieupError('TIEUP_E_CONNECTION', 'the machine is gone');
      });
      // What a process that is gone would take back stays.
      const remove = async (): Promise<void> => {};
      return killed.isOver ? tree : { ...dying, remove };
    });
    await main.push({}, site);
    const left = contentOf(inbox);
    expect(Object.keys(left)).toEqual(
      expect.arrayContaining(['/metadata/2.targets.json', '/metadata/2.snapshot.json']),
    );
    await breakLock(folderTree(shop.path('exchange')), INBOX_LOCK);
    main.clock.passDays(1);
    expect((await first(site)).filter(({ kind }) => kind === 'failed')).toEqual([]);
    expect(contentOf(inbox)['/metadata/2.targets.json']).toBe(left['/metadata/2.targets.json']);
    expect(contentOf(inbox)['/metadata/2.snapshot.json']).toBe(left['/metadata/2.snapshot.json']);
    expect(await main.push({}, site)).toMatchObject([{ kind: 'pushed', release: 3 }]);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\n# Changed again\n');
    expect(await main.push({}, site)).toMatchObject([{ kind: 'pushed', release: 4 }]);
    expect(contentOf(inbox)).not.toHaveProperty('/metadata/2.targets.json');
  });
});
