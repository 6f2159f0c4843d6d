import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { readJournal } from '../../../src/publish/journal.ts';
import type { Layout, Ports } from '../../../src/publish/ports.ts';
import { publish } from '../../../src/publish/publish.ts';
import { history } from '../../../src/publish/records.ts';
import { recover } from '../../../src/publish/recover.ts';
import { rollbackTo } from '../../../src/publish/rollback.ts';
import { verifyLive } from '../../../src/publish/verify.ts';
import {
  CRASH_NEW,
  CRASH_OLD,
  CRASH_ORIGINAL,
  decode,
  dump,
  dumpLive,
  encode,
  fill,
  folderPorts,
  goLive,
  layoutOf,
  makeRelease,
  memoryPorts,
  NOW,
  planFor,
} from '../../support/site-fixture.ts';

const OLD_SITE = { ...CRASH_ORIGINAL, ...CRASH_OLD };
const NEW_SITE = { ...CRASH_ORIGINAL, ...CRASH_NEW };

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function oldSite(layout: Layout, ports = memoryPorts('separate')): Promise<Ports> {
  await fill(ports.original ?? ports.web, CRASH_ORIGINAL);
  await goLive(ports, layout, await makeRelease(ports.state, 1, CRASH_OLD));
  return ports;
}

/** A disk that is full from the n-th change on, for `times` changes; removing always works. */
function filling(tree: FileTree, counter: { left: number; times: number }): FileTree {
  const full = () => {
    counter.left -= 1;
    if (counter.left >= 0 || counter.times <= 0) return;
    counter.times -= 1;
    throw new TieupError('TIEUP_E_STORAGE', 'no space left');
  };
  return {
    ...tree,
    write: async (path, content, options) => {
      full();
      await tree.write(path, content, options);
    },
    makeFolder: async (path) => {
      full();
      await tree.makeFolder(path);
    },
    hardLink: async (from, to) => {
      full();
      await tree.hardLink(from, to);
    },
    replaceLink: async (path, target) => {
      full();
      await tree.replaceLink(path, target);
    },
  };
}

const refuse = async (): Promise<never> => {
  throw new TieupError('TIEUP_E_STORAGE', 'no space left');
};

/** A state in which a journal of this kind is written, and reported as failed. */
function failingAfterJournal(state: FileTree, kind: string): FileTree {
  return {
    ...state,
    write: async (path, content, options) => {
      await state.write(path, content, options);
      const text = content instanceof Uint8Array ? decode(content) : '';
      if (path === 'journal.json' && text.includes(`"${kind}"`)) await refuse();
    },
  };
}

describe.each(['link', 'overwrite'] as const)('publishing by %s', (how) => {
  const layout = layoutOf(how);

  it.each([1, Infinity])('on a full disk leaves the old site, whatever the step (%s writes fail)', async (times) => {
    let refused = 0;
    const sites: Record<string, string>[] = [];
    for (let left = 0; ; left++) {
      const ports = await oldSite(layout);
      const release = await makeRelease(ports.state, 2, CRASH_NEW);
      const counter = { left, times };
      const cramped = { ...ports, web: filling(ports.web, counter), state: filling(ports.state, counter) };
      const outcome = await goLive(cramped, layout, release).then(
        () => 'done' as const,
        (error: unknown) => error,
      );
      if (outcome === 'done' && counter.left >= 0) break;
      if (outcome === 'done') {
        // A hard link that fails is a copy.
        sites.push(await dumpLive(ports, layout));
        continue;
      }
      refused += 1;
      expect(outcome).toMatchObject({ code: 'TIEUP_E_STORAGE' });
      // With space again, the next command settles what could not be undone.
      await recover(ports, layout);
      const live = await dumpLive(ports, layout);
      expect([OLD_SITE, NEW_SITE]).toContainEqual(live);
      expect((await history(ports)).length).toBe('with-main/new/page.html' in live ? 2 : 1);
      expect(await verifyLive(ports, layout)).toEqual([]);
      expect(await readJournal(ports.state)).toBeUndefined();
    }
    for (const site of sites) expect(site).toEqual(NEW_SITE);
    expect(refused).toBeGreaterThan(8);
  });

  it('stops when an original page changed since the plan was made, and changes nothing', async () => {
    const ports = await oldSite(layout);
    const original = ports.original ?? ports.web;
    await original.write('news.html', encode('news'));
    const release = await makeRelease(ports.state, 2, CRASH_NEW);
    const plan = await planFor(ports, layout, release);
    await original.write('news.html', encode('newer news'));
    const state = await dump(ports.state, 'published');
    const info = { release, releaseDigest: release.digest, decisionDigest: null, now: NOW };
    await expect(publish(ports, layout, plan, info)).rejects.toMatchObject({ code: 'TIEUP_E_DRIFT' });
    expect(await dumpLive(ports, layout)).toEqual(OLD_SITE);
    expect(await dump(ports.state, 'published')).toEqual(state);
    expect(await readJournal(ports.state)).toBeUndefined();
  });

  it('stops at a plan with conflicts, names all of them, and changes nothing', async () => {
    const ports = await oldSite(layout);
    const base = how === 'link' ? 'published/1' : 'public';
    await fill(ports.web, { 'with-main/index.html': 'edited', 'with-main/new/page.html': 'mine' }, base);
    const before = await dump(ports.web, '');
    const release = await makeRelease(ports.state, 2, CRASH_NEW);
    await expect(goLive(ports, layout, release)).rejects.toMatchObject({
      code: 'TIEUP_E_CONFLICT',
      problems: [{ file: 'with-main/index.html' }, { file: 'with-main/new/page.html' }],
    });
    expect(await dump(ports.web, '')).toEqual(before);
    expect(await dump(ports.web, base)).toMatchObject({ 'with-main/new/page.html': 'mine' });
  });

  it('refuses a damaged object, and changes nothing', async () => {
    const ports = await oldSite(layout);
    const release = await makeRelease(ports.state, 2, CRASH_NEW);
    const digest = sha256('new');
    await ports.state.write(`objects/${digest.slice(0, 2)}/${digest}`, encode('NEW'));
    await expect(goLive(ports, layout, release)).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
    expect(await dumpLive(ports, layout)).toEqual(OLD_SITE);
    expect(await readJournal(ports.state)).toBeUndefined();
  });
});

describe('publishing by link', () => {
  const layout = layoutOf('link');

  it.each([
    ['an edit of a page that stays', 'with-main/same.html', 'edited'],
    ['an edit as long as the page was', 'with-main/same.html', 'SAME'],
    ['an edit of a page that changes', 'with-main/index.html', 'edited'],
    ['an edit of a page that goes', 'with-main/old/gone.html', 'edited'],
    ['an edit of a copy of an original page', 'index.html', 'edited'],
    ['a new file', 'mine.html', 'mine'],
    ['a new file where a page is to be', 'with-main/new/page.html', 'mine'],
    ['an edit of a file that moves along', 'own.txt', 'edited'],
    ['a page that was removed', 'with-main/same.html', null],
    ['a file of the partner that was removed', 'own.txt', null],
  ])('notices %s after the plan was made, and changes nothing', async (_, path, text) => {
    const ports = await oldSite(layout);
    await ports.web.write('published/1/own.txt', encode('own'));
    await ports.web.replaceLink('published/1/link', '/srv/mine');
    const release = await makeRelease(ports.state, 2, CRASH_NEW);
    const plan = await planFor(ports, layout, release);
    // In the last moment: the new tree is complete but for the last look.
    const web: FileTree = {
      ...ports.web,
      sync: async (paths) => {
        await ports.web.sync(paths);
        if (!paths.includes('published/2/with-main/same.html')) return;
        if (text === null) await ports.web.remove(`published/1/${path}`);
        else await ports.web.write(`published/1/${path}`, encode(text));
      },
    };
    const info = { release, releaseDigest: release.digest, decisionDigest: null, now: NOW };
    await expect(publish({ ...ports, web }, layout, plan, info)).rejects.toMatchObject({
      code: 'TIEUP_E_DRIFT',
      problems: [{ file: path }],
    });
    const then = Object.entries({ ...OLD_SITE, 'own.txt': 'own', link: '-> /srv/mine' });
    const others = Object.fromEntries(then.filter(([other]) => other !== path));
    expect(await dumpLive(ports, layout)).toEqual({ ...others, ...(text === null ? {} : { [path]: text }) });
    expect((await ports.web.list('published')).map(({ name }) => name)).toEqual(['1']);
    expect(await readJournal(ports.state)).toBeUndefined();
    expect(await history(ports)).toHaveLength(1);
  });

  it('notices an edit in place of a page that both trees share', async () => {
    const { ports, folder, remove } = await folderPorts('separate');
    cleanups.push(remove);
    await oldSite(layout, ports);
    const release = await makeRelease(ports.state, 2, CRASH_NEW);
    // As `nano` or `sed > file` do it: the same file gets other bytes, under both of its names.
    const web: FileTree = {
      ...ports.web,
      hardLink: async (from, to) => {
        await ports.web.hardLink(from, to);
        await writeFile(join(folder, 'web', from), 'SAME');
      },
    };
    await expect(goLive({ ...ports, web }, layout, release)).rejects.toMatchObject({
      code: 'TIEUP_E_DRIFT',
      problems: [{ file: 'with-main/same.html' }],
    });
    expect(await dumpLive(ports, layout)).toEqual({ ...OLD_SITE, 'with-main/same.html': 'SAME' });
  });

  it('removes no tree to which a journal could still lead back', async () => {
    const ports = await oldSite(layout);
    await goLive(ports, layout, await makeRelease(ports.state, 2, CRASH_NEW));
    await ports.original?.write('news.html', encode('news'));
    // The disk fails after the journal that commits to the switch is there, and the process dies while it cleans up.
    let dead = false;
    const state: FileTree = {
      ...failingAfterJournal(ports.state, 'switch'),
      remove: async (path) => (dead ? refuse() : ports.state.remove(path)),
    };
    const web: FileTree = {
      ...ports.web,
      remove: async (path) => {
        if (dead) await refuse();
        await ports.web.remove(path);
        dead = true;
      },
    };
    const back = rollbackTo({ ...ports, state, web }, layout, 1, { decisionDigest: null, now: NOW });
    await expect(back).rejects.toMatchObject({ code: 'TIEUP_E_STORAGE' });
    expect(dead).toBe(true);
    expect(await recover(ports, layout)).toEqual({ kind: 'undone', number: 3, leftAlone: [] });
    expect(await dumpLive(ports, layout)).toEqual(NEW_SITE);
    expect(await verifyLive(ports, layout)).toEqual([]);
  });
});

describe('publishing by overwriting', () => {
  const layout = layoutOf('overwrite');

  it.each([
    [
      'an edit',
      async (web: FileTree) => web.write('public/with-main/index.html', encode('edited')),
      'with-main/index.html',
    ],
    [
      'a new file where a page is to be',
      async (web: FileTree) => web.write('public/with-main/new/page.html', encode('mine')),
      'with-main/new/page.html',
    ],
    [
      'a folder that became a link',
      async (web: FileTree) => {
        await web.remove('public/with-main/old/gone.html');
        await web.removeFolder('public/with-main/old');
        await web.replaceLink('public/with-main/old', '/etc');
      },
      'with-main/old/gone.html',
    ],
  ])('notices %s after the plan was made, and changes nothing', async (_, meddle, path) => {
    const ports = await oldSite(layout);
    const release = await makeRelease(ports.state, 2, CRASH_NEW);
    const plan = await planFor(ports, layout, release);
    await meddle(ports.web);
    const before = await dump(ports.web, 'public');
    const info = { release, releaseDigest: release.digest, decisionDigest: null, now: NOW };
    const written: string[] = [];
    const web: FileTree = {
      ...ports.web,
      write: async (target, ...rest) => {
        written.push(target);
        await ports.web.write(target, ...rest);
      },
    };
    await expect(publish({ ...ports, web }, layout, plan, info)).rejects.toMatchObject({
      code: 'TIEUP_E_DRIFT',
      problems: [{ file: path }],
    });
    // Not even for a moment.
    expect(written).toEqual([]);
    expect(await dump(ports.web, 'public')).toEqual(before);
    expect(await readJournal(ports.state)).toBeUndefined();
  });

  it('applies nothing that is half forgotten', async () => {
    const ports = await oldSite(layout);
    await ports.original?.write('news.html', encode('news'));
    const release = await makeRelease(ports.state, 2, CRASH_NEW);
    // The disk fails after the journal that commits is there, and the process dies while it cleans up.
    let dying = false;
    const state: FileTree = {
      ...failingAfterJournal(ports.state, 'apply'),
      remove: async (path) => {
        if (dying && !path.startsWith('staging/')) await refuse();
        await ports.state.remove(path);
        dying = path.startsWith('staging/');
      },
    };
    await expect(goLive({ ...ports, state }, layout, release)).rejects.toMatchObject({ code: 'TIEUP_E_STORAGE' });
    expect(dying).toBe(true);
    expect(await recover(ports, layout)).toEqual({ kind: 'undone', number: 2, leftAlone: [] });
    expect(await dumpLive(ports, layout)).toEqual(OLD_SITE);
    expect(await history(ports)).toHaveLength(1);
  });

  it('undoes what it did when a file changes in the very middle of it', async () => {
    const ports = await oldSite(layout);
    const release = await makeRelease(ports.state, 2, CRASH_NEW);
    // Somebody saves the last file that is to go just after the first one has been written.
    const web: FileTree = {
      ...ports.web,
      write: async (path, content, options) => {
        await ports.web.write(path, content, options);
        await ports.web.write('public/with-main/old/gone.html', encode('saved just now'));
      },
    };
    await expect(goLive({ ...ports, web }, layout, release)).rejects.toMatchObject({ code: 'TIEUP_E_DRIFT' });
    expect(await dumpLive(ports, layout)).toEqual({ ...OLD_SITE, 'with-main/old/gone.html': 'saved just now' });
    expect(await readJournal(ports.state)).toBeUndefined();
    expect(await history(ports)).toHaveLength(1);
  });

  it('refuses FIFOs and links to folders in the way, and does not wait for them', async () => {
    const { ports, folder, remove } = await folderPorts('in-place');
    cleanups.push(remove);
    await fill(ports.web, { 'index.html': 'home' }, 'public');
    await ports.web.makeFolder('public/with-main');
    execFileSync('mkfifo', [join(folder, 'web/public/with-main/pipe.html')]);
    await ports.web.replaceLink('public/with-main/guide', '/etc');
    const release = await makeRelease(ports.state, 1, { 'with-main/pipe.html': 'x', 'with-main/guide/a.html': 'a' });
    await expect(goLive(ports, layout, release)).rejects.toMatchObject({
      code: 'TIEUP_E_CONFLICT',
      problems: [{ file: 'with-main/guide/a.html' }, { file: 'with-main/pipe.html' }],
    });
    expect(await dump(ports.web, 'public')).toEqual({
      'index.html': 'home',
      'with-main/guide': '-> /etc',
      'with-main/pipe.html': '(other)',
    });
  });
});
