import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { objectStore } from '../../../src/publish/objects.ts';
import type { Layout, Ports } from '../../../src/publish/ports.ts';
import { keptPublications, objectsInUse, pruneTrees } from '../../../src/publish/prune.ts';
import { removeRecord, resume } from '../../../src/publish/records.ts';
import { recover } from '../../../src/publish/recover.ts';
import { rollbackTo } from '../../../src/publish/rollback.ts';
import {
  dump,
  dumpLive,
  encode,
  fill,
  goLive,
  layoutOf,
  makeRelease,
  memoryPorts,
  NOW,
  portsIn,
  type TestRelease,
} from '../../support/site-fixture.ts';

const ORIGINAL = { 'index.html': 'home' };
const info = { decisionDigest: null, now: NOW };

async function emptySite(): Promise<Ports> {
  const ports = memoryPorts('separate');
  await fill(ports.original ?? ports.web, ORIGINAL);
  return ports;
}

const releaseOf = ({ state }: Ports, number: number): Promise<TestRelease> =>
  makeRelease(state, number, { 'with-main/index.html': `main ${number}`, 'with-main/same.html': 'same' });

const trees = async ({ web }: Ports) => (await web.list('published')).map(({ name }) => name);

const kept = async (ports: Ports, layout: Layout) => [...(await keptPublications(ports, layout))].sort((a, b) => a - b);

/** Releases 1 to `last`, one publication each. */
async function publishUntil(ports: Ports, last: number, layout = layoutOf('link', 2), from = 1): Promise<void> {
  for (let number = from; number <= last; number++) await goLive(ports, layout, await releaseOf(ports, number));
}

describe.each(['link', 'overwrite'] as const)('what is kept for a rollback, by %s', (how) => {
  const layout = layoutOf(how, 2);

  it('is the last releases, however often each of them was published', async () => {
    const ports = await emptySite();
    await goLive(ports, layout, await releaseOf(ports, 1));
    const second = await releaseOf(ports, 2);
    for (const news of ['a', 'b', 'c', 'd']) {
      await ports.original?.write('news.html', encode(news));
      await goLive(ports, layout, second);
    }
    // Publication 5 is live; 4 takes the last merge back; 1 is the release before.
    expect(await kept(ports, layout)).toEqual([1, 4, 5]);
    expect(await trees(ports)).toEqual(how === 'link' ? ['1', '4', '5'] : []);
    await objectStore(ports.state).prune(await objectsInUse(ports, layout));
    await rollbackTo(ports, layout, 1, info);
    expect(await dumpLive(ports, layout)).toEqual({
      ...ORIGINAL,
      'news.html': 'd',
      'with-main/index.html': 'main 1',
      'with-main/same.html': 'same',
    });
  });

  it('is of each release the publication that came last', async () => {
    const ports = await emptySite();
    const first = await releaseOf(ports, 1);
    await goLive(ports, layout, first);
    await ports.original?.write('news.html', encode('news'));
    await goLive(ports, layout, first);
    for (const number of [2, 3]) await goLive(ports, layoutOf(how, 3), await releaseOf(ports, number));
    expect(await kept(ports, layoutOf(how, 3))).toEqual([2, 3, 4]);
  });

  it('is what is held, too, and a publication whose record is damaged', async () => {
    const ports = await emptySite();
    await publishUntil(ports, 3, layoutOf(how, 3));
    await ports.original?.write('news.html', encode('news'));
    const { record } = await rollbackTo(ports, layoutOf(how, 3), 1, info);
    await ports.state.write('publications/3.json', encode('{'));
    expect(await kept(ports, layout)).toEqual([2, 3, record.number]);
  });
});

describe('pruning trees', () => {
  const layout = layoutOf('link', 2);

  it('leaves what somebody put into an old tree by hand, alone, and names it each time', async () => {
    const ports = await emptySite();
    await publishUntil(ports, 2);
    await fill(ports.web, { 'uploads/cv.pdf': 'cv', 'with-main/same.html': 'edited' }, 'published/1');
    await ports.web.replaceLink('published/1/link', '/srv/mine');
    const left = {
      link: '-> /srv/mine',
      'uploads/cv.pdf': 'cv',
      'with-main/same.html': 'edited',
    };
    const named = Object.keys(left).map((path) => ({ path: `published/1.removing/${path}`, why: 'not-ours' }));
    const { unpruned } = await goLive(ports, layout, await releaseOf(ports, 3));
    expect(unpruned).toEqual(expect.arrayContaining(named));
    expect(unpruned).toHaveLength(3);
    expect(await dump(ports.web, 'published/1.removing')).toEqual(left);
    await ports.web.remove('published/1.removing/link');
    expect((await goLive(ports, layout, await releaseOf(ports, 4))).unpruned).toHaveLength(2);
    expect(await trees(ports)).toEqual(['1.removing', '3', '4']);
  });

  it('takes away what moved along by hand, and every version of it', async () => {
    const ports = await emptySite();
    await publishUntil(ports, 1);
    await fill(ports.web, { 'counter.txt': '1', 'uploads/cv.pdf': 'cv' }, 'published/1');
    await ports.web.replaceLink('published/1/link', '/srv/mine');
    for (const number of [2, 3, 4, 5]) {
      expect((await goLive(ports, layout, await releaseOf(ports, number))).unpruned).toEqual([]);
      await ports.web.write(`published/${number}/counter.txt`, encode(String(number)));
    }
    await ports.web.remove('published/5/uploads/cv.pdf');
    await publishUntil(ports, 7, layout, 6);
    expect(await trees(ports)).toEqual(['6', '7']);
    expect(await dumpLive(ports, layout)).toMatchObject({ 'counter.txt': '5', link: '-> /srv/mine' });
  });

  it('takes away edits that the manager let go, and those that moved along', async () => {
    const ports = await emptySite();
    const three = (number: number) =>
      makeRelease(ports.state, number, { 'with-main/a.html': `a ${number}`, 'with-main/b.html': `b ${number}` });
    await goLive(ports, layout, await three(1));
    await fill(ports.web, { 'with-main/a.html': 'edited', 'with-main/b.html': 'edited' }, 'published/1');
    const paths = { 'with-main/a.html': 'take-theirs', 'with-main/b.html': 'keep-mine' } as const;
    for (const number of [2, 3, 4]) {
      expect((await goLive(ports, layout, await three(number), { choices: { paths } })).unpruned).toEqual([]);
    }
    expect(await trees(ports)).toEqual(['3', '4']);
    expect(await dumpLive(ports, layout)).toMatchObject({ 'with-main/a.html': 'a 4', 'with-main/b.html': 'edited' });
  });

  it('takes away an edit that a rollback let go', async () => {
    const ports = await emptySite();
    await publishUntil(ports, 2);
    await ports.web.write('published/2/with-main/index.html', encode('edited'));
    const choices = { withheld: [], paths: { 'with-main/index.html': 'take-theirs' } } as const;
    await rollbackTo(ports, layout, 1, { ...info, choices });
    await resume(ports);
    await publishUntil(ports, 5, layout, 3);
    expect(await trees(ports)).toEqual(['5', '6']);
  });

  it('touches no folder of which there is no record', async () => {
    const ports = await emptySite();
    await publishUntil(ports, 2);
    await fill(ports.web, { '1999/mine.html': 'mine', 'notes.removing/mine.html': 'mine' }, 'published');
    await removeRecord(ports.state, 1);
    await goLive(ports, layout, await releaseOf(ports, 3));
    await goLive(ports, layout, await releaseOf(ports, 4));
    expect(await trees(ports)).toEqual(['1', '1999', '2000', '2001', 'notes.removing']);
    expect(await dump(ports.web, 'published/1999')).toEqual({ 'mine.html': 'mine' });
  });

  it('removes nothing of a tree whose ledger is lost or damaged, and the publication succeeds', async () => {
    const ports = await emptySite();
    await publishUntil(ports, 2);
    await ports.state.write('published/1.ledger', encode('nonsense'));
    const before = await dump(ports.web, 'published/1');
    const { changed, unpruned } = await goLive(ports, layout, await releaseOf(ports, 3));
    expect([changed, unpruned.length]).toEqual([true, 3]);
    expect(await dump(ports.web, 'published/1.removing')).toEqual(before);
  });

  it('loses nothing of the partner when it is killed, whatever the step, and goes on the next time', async () => {
    const base = await mkdtemp(join(tmpdir(), 'tieup-'));
    try {
      const template = join(base, 'template');
      const ports = portsIn(template, 'separate');
      await fill(ports.original ?? ports.web, ORIGINAL);
      await publishUntil(ports, 3, layoutOf('link', 3));
      await fill(ports.web, { 'uploads/cv.pdf': 'cv' }, 'published/1');
      for (let step = 1; ; step++) {
        const folder = join(base, 'site');
        await cp(template, folder, { recursive: true, verbatimSymlinks: true });
        let steps = 0;
        const dying = portsIn(folder, 'separate', {
          beforeStep: () => {
            steps += 1;
            if (steps >= step) throw new Error('killed');
          },
        });
        const ended = await pruneTrees(dying, layout).catch((error: unknown) => error);
        const whole = portsIn(folder, 'separate');
        expect(await recover(whole, layout)).toEqual({ kind: 'nothing' });
        const place = (await trees(whole)).includes('1') ? '1' : '1.removing';
        expect(await dump(whole.web, `published/${place}`)).toMatchObject({ 'uploads/cv.pdf': 'cv' });
        expect(await pruneTrees(whole, layout)).toEqual([
          { path: 'published/1.removing/uploads/cv.pdf', why: 'not-ours' },
        ]);
        expect(await trees(whole)).toEqual(['1.removing', '2', '3']);
        await rm(folder, { recursive: true });
        if (Array.isArray(ended)) break;
        expect(step).toBeLessThan(40);
      }
    } finally {
      await rm(base, { recursive: true });
    }
  });
});
