import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { history, liveNumber, readLive, sumsPath } from '../../../src/publish/records.ts';
import { verifyLive } from '../../../src/publish/verify.ts';
import {
  decode,
  dumpLive,
  encode,
  fill,
  folderPorts,
  goLive,
  layoutOf,
  makeRelease,
  makeSlots,
  memoryPorts,
} from '../../support/site-fixture.ts';

const ORIGINAL = { 'index.html': 'my home', 'about/us.html': 'about us', 'img/logo.svg': '<svg/>' };
const FIRST = {
  'with-main/index.html': 'main 1',
  'with-main/guide/a.html': 'guide a',
  'with-main/style.css': 'body{}',
};
const SECOND = { 'with-main/index.html': 'main 2', 'with-main/guide/a.html': 'guide a', 'with-main/new/b.html': 'b' };

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function site(kind: 'memory' | 'folder', originals: 'separate' | 'in-place') {
  if (kind === 'memory') return { ports: memoryPorts(originals), folder: '' };
  const { ports, folder, remove } = await folderPorts(originals);
  cleanups.push(remove);
  return { ports, folder };
}

describe.each(['memory', 'folder'] as const)('publishing in a %s', (kind) => {
  describe.each(['link', 'overwrite'] as const)('by %s with an original folder', (how) => {
    const layout = layoutOf(how);

    it('shows the original pages and the tie-up pages side by side', async () => {
      const { ports } = await site(kind, 'separate');
      await fill(ports.original ?? memoryTree(), ORIGINAL);
      const done = await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST));
      expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...FIRST });
      expect(done).toMatchObject({ changed: true, written: 6, removed: 0 });
      expect(done.record).toMatchObject({ number: 1, files: 6, pages: { tieUp: 2, original: 2 } });
      expect(await verifyLive(ports, layout)).toEqual([]);
    });

    it('carries changes, new pages and deletions into the live tree, and leaves the original pages alone', async () => {
      const { ports } = await site(kind, 'separate');
      await fill(ports.original ?? memoryTree(), ORIGINAL);
      await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST));
      const done = await goLive(ports, layout, await makeRelease(ports.state, 2, SECOND));
      expect(done).toMatchObject({ written: 2, removed: 1 });
      expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...SECOND });
      expect(await verifyLive(ports, layout)).toEqual([]);
    });

    it('follows the original folder: new, changed and deleted original pages', async () => {
      const { ports } = await site(kind, 'separate');
      const original = ports.original ?? memoryTree();
      await fill(original, ORIGINAL);
      const release = await makeRelease(ports.state, 1, FIRST);
      await goLive(ports, layout, release);
      await original.write('index.html', encode('my new home'));
      await original.write('news.html', encode('news'));
      await original.remove('about/us.html');
      await goLive(ports, layout, release);
      const { 'about/us.html': _, ...rest } = ORIGINAL;
      expect(await dumpLive(ports, layout)).toEqual({
        ...rest,
        ...FIRST,
        'index.html': 'my new home',
        'news.html': 'news',
      });
    });

    it('does nothing, and uses no number, when exactly this is live already', async () => {
      const { ports } = await site(kind, 'separate');
      await fill(ports.original ?? memoryTree(), ORIGINAL);
      const release = await makeRelease(ports.state, 1, FIRST);
      await goLive(ports, layout, release);
      expect(await goLive(ports, layout, release)).toMatchObject({ changed: false, written: 0, removed: 0 });
      expect(await liveNumber(ports, layout)).toBe(1);
    });

    it('brings back a tie-up page that somebody deleted from the live tree', async () => {
      const { ports } = await site(kind, 'separate');
      await fill(ports.original ?? memoryTree(), ORIGINAL);
      const release = await makeRelease(ports.state, 1, FIRST);
      await goLive(ports, layout, release);
      await ports.web.remove(`${how === 'link' ? 'published/1' : 'public'}/with-main/index.html`);
      expect((await verifyLive(ports, layout)).map(({ kind: found, path }) => `${found} ${path}`)).toEqual([
        'missing with-main/index.html',
      ]);
      await goLive(ports, layout, release);
      expect(await verifyLive(ports, layout)).toEqual([]);
    });

    it('fills slots, and publishes again when only a slot changed', async () => {
      const { ports } = await site(kind, 'separate');
      await fill(ports.original ?? memoryTree(), ORIGINAL);
      const pages = {
        'with-main/contact.html': '<p>{{slot hours}}ask us{{/slot}} – ü {{slot place}}here{{/slot}}</p>',
      };
      const release = await makeRelease(ports.state, 1, pages);
      const slots = await makeSlots(ports.state, { 'with-main/contact.html#hours': '9 to 5 – daily' });
      await goLive(ports, layout, release, { slots });
      expect((await dumpLive(ports, layout))['with-main/contact.html']).toBe('<p>9 to 5 – daily – ü here</p>');
      const changed = await makeSlots(ports.state, {
        'with-main/contact.html#hours': 'closed',
        'with-main/contact.html#place': 'there',
      });
      await goLive(ports, layout, release, { slots: changed });
      expect((await dumpLive(ports, layout))['with-main/contact.html']).toBe('<p>closed – ü there</p>');
      expect(await verifyLive(ports, layout)).toEqual([]);
    });

    it('leaves a tree without tie-up pages when there is no release any more', async () => {
      const { ports } = await site(kind, 'separate');
      await fill(ports.original ?? memoryTree(), ORIGINAL);
      await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST));
      await goLive(ports, layout, null);
      expect(await dumpLive(ports, layout)).toEqual(ORIGINAL);
      expect((await readLive(ports, layout)).record).toMatchObject({ release: null, pages: { tieUp: 0, original: 2 } });
    });

    it('numbers publications without a gap and remembers them', async () => {
      const { ports } = await site(kind, 'separate');
      await fill(ports.original ?? memoryTree(), ORIGINAL);
      await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST));
      await goLive(ports, layout, await makeRelease(ports.state, 2, SECOND));
      expect((await history(ports)).map(({ number, release }) => [number, release?.number])).toEqual([
        [2, 2],
        [1, 1],
      ]);
    });

    it('refuses to read a missing original folder as "no original pages"', async () => {
      const { ports, folder } = await site('folder', 'separate');
      expect(folder).not.toBe('');
      const release = await makeRelease(ports.state, 1, FIRST);
      await expect(goLive(ports, layout, release)).rejects.toMatchObject({ code: 'TIEUP_E_NOT_FOUND' });
      expect(await dumpLive(ports, layout)).toEqual({});
    });
  });

  it('in place: changes nothing but the tie-up pages, and takes them away again', async () => {
    const { ports } = await site(kind, 'in-place');
    const layout = layoutOf('overwrite');
    const mine = { ...ORIGINAL, '.htaccess': 'Options -Indexes', 'with-main/mine.html': 'I was here first' };
    await fill(ports.web, mine, 'public');
    await ports.web.makeFolder('public/empty');
    const done = await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST));
    expect(done.record.pages).toEqual({ tieUp: 2, original: 3 });
    expect(await dumpLive(ports, layout)).toEqual({ ...mine, ...FIRST });
    await goLive(ports, layout, await makeRelease(ports.state, 2, SECOND));
    expect(await dumpLive(ports, layout)).toEqual({ ...mine, ...SECOND });
    await goLive(ports, layout, null);
    expect(await dumpLive(ports, layout)).toEqual(mine);
    expect(await ports.web.stat('public/with-main/guide')).toBeUndefined();
    expect(await ports.web.stat('public/with-main/new')).toBeUndefined();
    expect((await ports.web.stat('public/empty'))?.kind).toBe('folder');
  });

  it('replaces a page by a folder of the same name, and the other way round', async () => {
    const { ports } = await site(kind, 'in-place');
    const layout = layoutOf('overwrite');
    await fill(ports.web, ORIGINAL, 'public');
    const file = { 'with-main/topic': 'a page without an ending' };
    const folder = { 'with-main/topic/index.html': 'now a folder', 'with-main/topic/deep/er.html': 'x' };
    for (const [number, contents] of [file, folder, file].entries()) {
      await goLive(ports, layout, await makeRelease(ports.state, number + 1, contents));
      expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...contents });
    }
  });
});

describe('publishing by link', () => {
  const layout = layoutOf('link', 2);

  it('shares unchanged tie-up files between trees, and copies originals', async () => {
    const { ports, folder } = await site('folder', 'separate');
    await fill(ports.original ?? memoryTree(), ORIGINAL);
    await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST));
    await goLive(ports, layout, await makeRelease(ports.state, 2, SECOND));
    const inode = (path: string) => execFileSync('stat', ['-c', '%i', join(folder, path)], { encoding: 'utf8' });
    expect(inode('web/published/1/with-main/guide/a.html')).toBe(inode('web/published/2/with-main/guide/a.html'));
    expect(inode('web/published/1/index.html')).not.toBe(inode('web/published/2/index.html'));
    expect(inode('original/index.html')).not.toBe(inode('web/published/2/index.html'));
  });

  it('keeps the last trees and prunes the others', async () => {
    const { ports } = await site('folder', 'separate');
    await fill(ports.original ?? memoryTree(), ORIGINAL);
    for (const number of [1, 2, 3, 4]) {
      await goLive(ports, layout, await makeRelease(ports.state, number, { 'with-main/index.html': `main ${number}` }));
    }
    expect((await ports.web.list('published')).map(({ name }) => name)).toEqual(['3', '4']);
    expect((await history(ports)).map(({ number }) => number)).toEqual([4, 3, 2, 1]);
  });

  it('carries along what the partner put into the live tree by hand', async () => {
    const { ports } = await site('folder', 'separate');
    await fill(ports.original ?? memoryTree(), ORIGINAL);
    await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST));
    await fill(
      ports.web,
      { '.well-known/acme-challenge/token': 'secret', 'with-main/extra.html': 'hm' },
      'published/1',
    );
    await ports.web.replaceLink('published/1/uploads', '../../uploads');
    expect((await verifyLive(ports, layout)).map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'extra with-main/extra.html',
    ]);
    await goLive(ports, layout, await makeRelease(ports.state, 2, SECOND));
    expect(await dumpLive(ports, layout)).toEqual({
      ...ORIGINAL,
      ...SECOND,
      '.well-known/acme-challenge/token': 'secret',
      'with-main/extra.html': 'hm',
      uploads: '-> ../../uploads',
    });
  });

  it.each([
    ['a real folder', async (web: ReturnType<typeof memoryTree>) => web.makeFolder('public')],
    ['a link to somewhere else', async (web: ReturnType<typeof memoryTree>) => web.replaceLink('public', '/srv/other')],
    [
      'a link to a number that is none',
      async (web: ReturnType<typeof memoryTree>) => web.replaceLink('public', 'published/07'),
    ],
  ])('refuses %s as the web root and changes nothing', async (_, arrange) => {
    const ports = memoryPorts('separate');
    await fill(ports.original ?? memoryTree(), ORIGINAL);
    await arrange(ports.web);
    const release = await makeRelease(ports.state, 1, FIRST);
    await expect(goLive(ports, layout, release)).rejects.toMatchObject({
      code: 'TIEUP_E_CONFLICT',
      hint: expect.any(String),
    });
    expect((await ports.web.list('')).map(({ name }) => name)).toEqual(['public']);
  });
});

describe('publishing by overwriting', () => {
  const layout = layoutOf('overwrite');

  it('does not touch files whose bytes are right', async () => {
    const { ports, folder } = await site('folder', 'separate');
    await fill(ports.original ?? memoryTree(), ORIGINAL);
    await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST));
    const inode = () =>
      execFileSync('stat', ['-c', '%i %Z', join(folder, 'web/public/with-main/guide/a.html')], { encoding: 'utf8' });
    const before = inode();
    await goLive(ports, layout, await makeRelease(ports.state, 2, SECOND));
    expect(inode()).toBe(before);
  });

  it('refuses a web root that is a link', async () => {
    const ports = memoryPorts('separate');
    await fill(ports.original ?? memoryTree(), ORIGINAL);
    await ports.web.replaceLink('public', 'published/1');
    const release = await makeRelease(ports.state, 1, FIRST);
    await expect(goLive(ports, layout, release)).rejects.toMatchObject({ code: 'TIEUP_E_CONFLICT' });
  });

  it('adopts copies of original pages that already stand in the web root', async () => {
    const ports = memoryPorts('separate');
    await fill(ports.original ?? memoryTree(), ORIGINAL);
    await fill(ports.web, ORIGINAL, 'public');
    expect(await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST))).toMatchObject({ written: 3 });
    expect((await readLive(ports, layout)).ledger.entries.get('index.html')?.release).toBe(0);
  });
});

describe.each(['link', 'overwrite'] as const)('the sums of a publication by %s', (how) => {
  it('are accepted by sha256sum, odd names included', async () => {
    const { ports, folder } = await site('folder', 'separate');
    const layout = layoutOf(how);
    await fill(ports.original ?? memoryTree(), {
      ...ORIGINAL,
      'two words.html': 'x',
      'new\nline.html': 'y',
      'car\rriage.html': 'z',
      'ünï 100%.html': 'u',
    });
    const done = await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST));
    const sums = join(folder, 'state', sumsPath(done.record.number));
    const output = execFileSync('sha256sum', ['--strict', '-c', sums], {
      cwd: join(folder, 'web/public'),
      encoding: 'utf8',
    });
    expect(output.trim().split('\n')).toHaveLength(10);
    expect(decode(await ports.state.read(sumsPath(1), 1e6))).toMatch(/^\\[0-9a-f]{64} {2}new\\nline.html$/m);
  });
});
