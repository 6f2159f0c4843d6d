import { describe, expect, it } from 'vitest';
import type { Choices } from '../../../src/merge/choices.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { objectStore } from '../../../src/publish/objects.ts';
import type { Layout, Ports } from '../../../src/publish/ports.ts';
import { objectsInUse } from '../../../src/publish/prune.ts';
import { liveNumber, readHeld, readLive, resume } from '../../../src/publish/records.ts';
import { removeTree } from '../../../src/publish/remove-tree.ts';
import { rollbackTo } from '../../../src/publish/rollback.ts';
import { verifyLive } from '../../../src/publish/verify.ts';
import {
  dumpLive,
  encode,
  fill,
  goLive,
  layoutOf,
  makeRelease,
  makeSlots,
  memoryPorts,
  NOW,
} from '../../support/site-fixture.ts';

const ORIGINAL = { 'index.html': 'home' };
const FIRST = { 'with-main/index.html': 'main 1 {{slot a}}-{{/slot}}', 'with-main/one.html': 'one' };
const SECOND = { 'with-main/index.html': 'main 2', 'with-main/two.html': 'two' };
const FIRST_LIVE = { 'with-main/index.html': 'main 1 mine', 'with-main/one.html': 'one' };
const info = { decisionDigest: sha256('rollback'), now: NOW };

async function twice(layout: Layout): Promise<Ports> {
  const ports = memoryPorts('separate');
  await fill(ports.original ?? ports.web, ORIGINAL);
  const slots = await makeSlots(ports.state, { 'with-main/index.html#a': 'mine' });
  await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST), { slots });
  await goLive(ports, layout, await makeRelease(ports.state, 2, SECOND), { slots });
  return ports;
}

describe.each(['link', 'overwrite'] as const)('rolling back by %s', (how) => {
  const layout = layoutOf(how);

  it('shows the earlier pages, slots filled as they were, and holds them', async () => {
    const ports = await twice(layout);
    await rollbackTo(ports, layout, 1, info);
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...FIRST_LIVE });
    const number = await liveNumber(ports, layout);
    expect(await readHeld(ports.state)).toEqual({ publication: number, since: '2026-11-23T22:00:00Z' });
    expect((await readLive(ports, layout)).record).toMatchObject({
      release: { number: 1 },
      pages: { tieUp: 2, original: 1 },
    });
    expect(await verifyLive(ports, layout)).toEqual([]);
  });

  it('keeps the next release out until it is resumed', async () => {
    const ports = await twice(layout);
    await rollbackTo(ports, layout, 1, info);
    const third = await makeRelease(ports.state, 3, SECOND);
    await expect(goLive(ports, layout, third)).rejects.toMatchObject({
      code: 'TIEUP_E_CONFLICT',
      hint: expect.stringContaining('resume'),
    });
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...FIRST_LIVE });
    expect(await resume(ports)).toBe(true);
    expect(await resume(ports)).toBe(false);
    await goLive(ports, layout, third);
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...SECOND });
    expect((await readLive(ports, layout)).record?.release?.number).toBe(3);
  });

  it('goes forward again to the later publication', async () => {
    const ports = await twice(layout);
    await rollbackTo(ports, layout, 1, info);
    await rollbackTo(ports, layout, 2, info);
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...SECOND });
    expect(await verifyLive(ports, layout)).toEqual([]);
  });

  it('leaves the original pages as they are now', async () => {
    const ports = await twice(layout);
    await fill(ports.original ?? ports.web, { 'news.html': 'news', 'index.html': 'new home' });
    await rollbackTo(ports, layout, 1, info);
    expect(await dumpLive(ports, layout)).toEqual({ 'index.html': 'new home', 'news.html': 'news', ...FIRST_LIVE });
  });

  it('remembers where the pages of that time were, when the mount has moved since', async () => {
    const ports = await twice(layout);
    await ports.original?.write('news.html', encode('news'));
    const { record } = await rollbackTo(ports, { ...layout, mount: '/elsewhere/' }, 1, info);
    expect(record.mount).toBe('/with-main/');
  });

  it.each([
    ['lost', async ({ state }: Ports) => state.remove('published/1.ledger')],
    [
      'another one',
      async ({ state }: Ports) => state.write('published/1.ledger', await state.read('published/2.ledger', 1e6)),
    ],
  ])('refuses when the ledger of that time is %s, and changes nothing', async (_, meddle) => {
    const ports = await twice(layout);
    await meddle(ports);
    await expect(rollbackTo(ports, layout, 1, info)).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...SECOND });
    expect(await readHeld(ports.state)).toBeUndefined();
  });

  it('refuses a publication that never was, and changes nothing', async () => {
    const ports = await twice(layout);
    await expect(rollbackTo(ports, layout, 7, info)).rejects.toMatchObject({
      code: 'TIEUP_E_NOT_FOUND',
      hint: 'there are 1, 2',
    });
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...SECOND });
    expect(await readHeld(ports.state)).toBeUndefined();
  });
});

describe('rolling back by overwriting', () => {
  const layout = layoutOf('overwrite');

  it('refuses when the content is no longer kept, and changes nothing', async () => {
    const ports = await twice(layout);
    await objectStore(ports.state).prune(new Set([sha256('main 2'), sha256('two')]));
    await expect(rollbackTo(ports, layout, 1, info)).rejects.toMatchObject({
      code: 'TIEUP_E_NOT_FOUND',
      problems: [{ file: 'with-main/index.html' }, { file: 'with-main/one.html' }],
    });
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...SECOND });
    expect(await readHeld(ports.state)).toBeUndefined();
  });

  it('finds everything that pruning kept for it', async () => {
    const ports = await twice(layout);
    const removed = await objectStore(ports.state).prune(await objectsInUse(ports, layout));
    // The page without its slot filled and the slot's content are not live files.
    expect(removed).toBe(2);
    await rollbackTo(ports, layout, 1, info);
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...FIRST_LIVE });
  });
});

describe('rolling back by link', () => {
  const layout = layoutOf('link');
  const numbers = async ({ web }: Ports) => (await web.list('published')).map(({ name }) => name);

  it('is one switch where the old tree is what it was, and builds nothing', async () => {
    const ports = await twice(layout);
    const web = { ...ports.web, write: unwanted, hardLink: unwanted, makeFolder: unwanted, remove: unwanted };
    const { record, altered } = await rollbackTo({ ...ports, web }, layout, 1, info);
    expect([record.number, altered, await liveNumber(ports, layout)]).toEqual([1, [], 1]);
    expect(await numbers(ports)).toEqual(['1', '2']);
  });

  it.each([
    ['edited', async ({ web }: Ports) => web.write('published/1/with-main/one.html', encode('ONE'))],
    ['of other length', async ({ web }: Ports) => web.write('published/1/with-main/one.html', encode('one more'))],
    ['removed', async ({ web }: Ports) => web.remove('published/1/with-main/one.html')],
    [
      'replaced by a link',
      async ({ web }: Ports) => {
        await web.remove('published/1/with-main/one.html');
        await web.replaceLink('published/1/with-main/one.html', '/etc/passwd');
      },
    ],
  ])('publishes what was signed when a page of the old tree was %s, and names it', async (_, meddle) => {
    const ports = await twice(layout);
    await meddle(ports);
    const { record, altered } = await rollbackTo(ports, layout, 1, info);
    expect(altered).toEqual(['with-main/one.html']);
    expect(record).toMatchObject({ number: 3, restores: 1, release: { number: 1 }, pages: { tieUp: 2, original: 1 } });
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...FIRST_LIVE });
    expect(await readHeld(ports.state)).toMatchObject({ publication: 3 });
    expect(await verifyLive(ports, layout)).toEqual([]);
  });

  it('shows no page that somebody put into the old tree', async () => {
    const ports = await twice(layout);
    await ports.web.write('published/1/with-main/evil.html', encode('evil'));
    const { record, altered, unpruned } = await rollbackTo(ports, layout, 1, info);
    expect([record.number, altered]).toEqual([3, []]);
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...FIRST_LIVE });
    expect(unpruned).toEqual([{ path: 'published/1.removing/with-main/evil.html', why: 'not-ours' }]);
  });

  it('takes along what the partner put into the live tree by hand, and brings nothing back that it took away', async () => {
    const ports = memoryPorts('separate');
    await fill(ports.original ?? ports.web, ORIGINAL);
    await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST));
    await fill(ports.web, { 'notes.txt': 'old notes', 'gone.txt': 'gone' }, 'published/1');
    await goLive(ports, layout, await makeRelease(ports.state, 2, SECOND));
    await fill(ports.web, { 'notes.txt': 'new notes', 'with-main/mine.pdf': 'mine' }, 'published/2');
    await ports.web.remove('published/2/gone.txt');
    await ports.web.replaceLink('published/2/uploads', '../../uploads');
    await rollbackTo(ports, layout, 1, info);
    const own = { 'notes.txt': 'new notes', 'with-main/mine.pdf': 'mine', uploads: '-> ../../uploads' };
    expect(await dumpLive(ports, layout)).toMatchObject({ 'with-main/one.html': 'one', ...own });
    expect(await dumpLive(ports, layout)).not.toHaveProperty('gone.txt');
  });

  it('is one switch too when the old tree has the same files of the partner', async () => {
    const ports = memoryPorts('separate');
    await fill(ports.original ?? ports.web, ORIGINAL);
    await goLive(ports, layout, await makeRelease(ports.state, 1, FIRST));
    await fill(ports.web, { 'notes.txt': 'notes' }, 'published/1');
    await ports.web.replaceLink('published/1/uploads', '../../uploads');
    await goLive(ports, layout, await makeRelease(ports.state, 2, SECOND));
    expect((await rollbackTo(ports, layout, 1, info)).record.number).toBe(1);
    // The same bytes are not the same when one is a link.
    await resume(ports);
    await goLive(ports, layout, await makeRelease(ports.state, 3, SECOND));
    await ports.web.remove('published/3/uploads');
    await ports.web.write('published/3/uploads', encode('../../uploads'));
    expect((await rollbackTo(ports, layout, 1, info)).record.number).toBe(4);
    expect(await dumpLive(ports, layout)).toMatchObject({ uploads: '../../uploads' });
  });

  it('stops where an edit of a live page would be lost, until the manager says that it may be', async () => {
    const ports = await twice(layout);
    await ports.web.write('published/2/with-main/two.html', encode('edited'));
    await expect(rollbackTo(ports, layout, 1, info)).rejects.toMatchObject({
      code: 'TIEUP_E_CONFLICT',
      problems: [{ file: 'with-main/two.html' }],
    });
    expect(await liveNumber(ports, layout)).toBe(2);
    expect(await readHeld(ports.state)).toBeUndefined();
    const choices: Choices = { withheld: [], paths: { 'with-main/two.html': 'take-theirs' } };
    await rollbackTo(ports, layout, 1, { ...info, choices });
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...FIRST_LIVE });
  });

  it('takes content that is gone from the store out of the old tree', async () => {
    const ports = await twice(layout);
    await objectStore(ports.state).prune(new Set());
    await ports.original?.write('news.html', encode('news'));
    await rollbackTo(ports, layout, 1, info);
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, 'news.html': 'news', ...FIRST_LIVE });
  });

  it('builds a tree again that is gone', async () => {
    const ports = await twice(layout);
    await removeTree(ports.web, 'published/1');
    const { record } = await rollbackTo(ports, layout, 1, info);
    expect(record).toMatchObject({ number: 3, restores: 1, release: { number: 1 } });
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...FIRST_LIVE });
    expect(await readHeld(ports.state)).toMatchObject({ publication: 3 });
  });
});

async function unwanted(): Promise<never> {
  throw new Error('nothing should be built');
}
