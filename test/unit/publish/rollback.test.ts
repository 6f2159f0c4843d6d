import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/protocol/digest.ts';
import { objectStore } from '../../../src/publish/objects.ts';
import type { Layout, Ports } from '../../../src/publish/ports.ts';
import { objectsInUse } from '../../../src/publish/prune.ts';
import { liveNumber, readHeld, readLive, resume } from '../../../src/publish/records.ts';
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

  it('leaves the original pages as they are now', async () => {
    const ports = await twice(layout);
    await ports.original?.write('news.html', encode('news'));
    await rollbackTo(ports, layout, 1, info);
    expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, 'news.html': 'news', ...FIRST_LIVE });
  });

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

it('by link: a publication whose tree was pruned is built again from its objects', async () => {
  const layout = layoutOf('link', 1);
  const ports = await twice(layout);
  expect((await ports.web.list('published')).map(({ name }) => name)).toEqual(['2']);
  const done = await rollbackTo(ports, layout, 1, info);
  expect(done.record).toMatchObject({ number: 3, restores: 1, release: { number: 1 } });
  expect(await dumpLive(ports, layout)).toEqual({ ...ORIGINAL, ...FIRST_LIVE });
  expect(await readHeld(ports.state)).toMatchObject({ publication: 3 });
});
