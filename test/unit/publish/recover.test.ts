import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { readJournal } from '../../../src/publish/journal.ts';
import { type Layout, type Ports, treePathOf } from '../../../src/publish/ports.ts';
import { history, liveNumber, readHeld } from '../../../src/publish/records.ts';
import { recover } from '../../../src/publish/recover.ts';
import { rollbackTo } from '../../../src/publish/rollback.ts';
import { verifyLive } from '../../../src/publish/verify.ts';
import { compileScript } from '../../support/compiled.ts';
import {
  CRASH_NEW,
  CRASH_OLD,
  CRASH_ORIGINAL,
  dumpLive,
  encode,
  fill,
  goLive,
  layoutOf,
  makeRelease,
  NOW,
  portsIn,
} from '../../support/site-fixture.ts';

/** The process is dead from the n-th change on: nothing that it would still do reaches the disk. */
class Killed extends Error {}

/** Ports on which the process dies at change `step` of web root and state together; `steps()` counts them. */
function dyingPorts(folder: string, step: number): { readonly ports: Ports; readonly steps: () => number } {
  let count = 0;
  const beforeStep = () => {
    count += 1;
    if (count >= step) throw new Killed();
  };
  return { ports: portsIn(folder, 'separate', { beforeStep }), steps: () => count };
}

const OLD_SITE = { ...CRASH_ORIGINAL, ...CRASH_OLD };
const NEW_ORIGINAL = { ...CRASH_ORIGINAL, 'about/us.html': 'about us, changed', 'news.html': 'news' };
const NEW_SITE = { ...NEW_ORIGINAL, ...CRASH_NEW };

let base: string;
let child: Awaited<ReturnType<typeof compileScript>>;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'tieup-'));
  child = await compileScript('test/support/crash-child.ts');
});
afterAll(async () => {
  await child.remove();
  await rm(base, { recursive: true, force: true });
});

/** A site with release 1 live, release 2 in the store, and an original folder that changed since. */
async function prepared(name: string, how: Layout['how']): Promise<string> {
  const folder = join(base, `${name}-${how}`);
  const ports = portsIn(folder, 'separate');
  await fill(ports.original ?? ports.web, CRASH_ORIGINAL);
  await goLive(ports, layoutOf(how), await makeRelease(ports.state, 1, CRASH_OLD));
  await fill(ports.original ?? ports.web, { 'about/us.html': 'about us, changed', 'news.html': 'news' });
  await makeRelease(ports.state, 2, CRASH_NEW);
  return folder;
}

async function copySite(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
}

async function publishNew(ports: Ports, layout: Layout): Promise<void> {
  await goLive(ports, layout, await makeRelease(portsIn(join(base, 'elsewhere'), 'separate').state, 2, CRASH_NEW));
}

async function temporaryFiles(tree: FileTree, folder = ''): Promise<string[]> {
  const shown = new Set((await tree.list(folder)).map(({ name }) => name));
  const found: string[] = [];
  for (const { name, kind } of await tree.list(folder, { temporary: true })) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (!shown.has(name)) found.push(path);
    if (kind === 'folder') found.push(...(await temporaryFiles(tree, path)));
  }
  return found;
}

const SITES: readonly Record<string, string>[] = [OLD_SITE, NEW_SITE];

/** What is in neither site: with a link as a whole, otherwise of each file. */
async function mixed(folder: string, layout: Layout, sites = SITES): Promise<unknown[]> {
  const live = await dumpLive(portsIn(folder, 'separate'), layout);
  if (layout.how === 'link') return sites.some((site) => isDeepStrictEqual(site, live)) ? [] : [live];
  return Object.entries(live).filter(([path, text]) => sites.every((site) => text !== site[path]));
}

/** One of the sites is live as a whole, and nothing half done is left. */
async function expectWhole(ports: Ports, layout: Layout, sites = SITES): Promise<Record<string, string>> {
  const live = await dumpLive(ports, layout);
  expect(sites).toContainEqual(live);
  expect(await verifyLive(ports, layout)).toEqual([]);
  expect(await readJournal(ports.state)).toBeUndefined();
  expect(await temporaryFiles(ports.web)).toEqual([]);
  return live;
}

async function expectSettled(folder: string, layout: Layout): Promise<Record<string, string>> {
  const ports = portsIn(folder, 'separate');
  const live = await expectWhole(ports, layout);
  // No tree that is in no record: half-built ones are gone.
  const trees = (await ports.web.list(layout.treesName)).map(({ name }) => name);
  expect(trees).toEqual(
    layout.how === 'link' ? (await history(ports)).map(({ number }) => String(number)).reverse() : [],
  );
  expect((await history(ports)).map(({ number }) => number)).toEqual('news.html' in live ? [2, 1] : [1]);
  return live;
}

/** What happened between a publication and the rollback to the one before it. */
const ROLLBACKS: readonly (readonly [string, (ports: Ports, layout: Layout) => Promise<unknown>])[] = [
  ['original pages changed', async () => {}],
  [
    'the old tree is as it was',
    async (ports) => {
      await ports.original?.remove('news.html');
      await ports.original?.write('about/us.html', encode(CRASH_ORIGINAL['about/us.html']));
    },
  ],
  [
    'the old tree was changed, and files were put into the live one by hand',
    async (ports, layout) => {
      if (layout.how === 'link') await ports.web.write('published/1/with-main/old/gone.html', encode('changed'));
      const live = treePathOf(layout, await liveNumber(ports, layout));
      await fill(ports.web, { 'uploads/cv.pdf': 'cv' }, live);
      await ports.web.replaceLink(`${live}/mine`, '/srv/mine');
    },
  ],
];

describe.each(['link', 'overwrite'] as const)('a publication by %s that is killed', (how) => {
  const layout = layoutOf(how);

  it('leaves the old or the new site, never a mixture, whatever the step and also when the recovery is killed', async () => {
    const template = await prepared('steps', how);
    const counting = join(base, `counting-${how}`);
    await copySite(template, counting);
    const whole = dyingPorts(counting, Infinity);
    await publishNew(whole.ports, layout);
    expect(await expectSettled(counting, layout)).toEqual(NEW_SITE);
    expect(whole.steps()).toBeGreaterThan(40);

    const outcomes = new Set<string>();
    /** What can be published afterwards; not after each step, for the time it takes. */
    const workingOn: unknown[] = [];
    for (let step = 1; step <= whole.steps(); step++) {
      const folder = join(base, `site-${how}`);
      await copySite(template, folder);
      await expect(publishNew(dyingPorts(folder, step).ports, layout)).rejects.toThrow(Killed);
      expect(await mixed(folder, layout)).toEqual([]);
      // Killed again in the recovery, at a step that differs from round to round, then once more without trouble.
      const first = await recover(dyingPorts(folder, 1 + (step % 17)).ports, layout).catch((error: unknown) => {
        if (error instanceof Killed) return { kind: 'killed' };
        throw error;
      });
      expect(await mixed(folder, layout)).toEqual([]);
      const recovery = await recover(portsIn(folder, 'separate'), layout);
      const live = await expectSettled(folder, layout);
      for (const { kind } of [first, recovery]) outcomes.add(`${kind} ${'news.html' in live ? 'new' : 'old'}`);
      if (step % 5 === 0) {
        await publishNew(portsIn(folder, 'separate'), layout);
        workingOn.push(await dumpLive(portsIn(folder, 'separate'), layout));
      }
      await rm(folder, { recursive: true });
    }
    expect(workingOn).toEqual(workingOn.map(() => NEW_SITE));
    expect(workingOn.length).toBeGreaterThan(5);
    expect([...outcomes]).toEqual(expect.arrayContaining(['undone old', 'finished new', 'killed old']));
  }, 240_000);

  it.each(['publish', 'rollback'] as const)(
    'is finished or undone after a real kill -9: %s',
    async (what) => {
      const template = await prepared(`kill ${what}`, how);
      if (what === 'rollback') await publishNew(portsIn(template, 'separate'), layout);
      const sites = what === 'publish' ? SITES : [NEW_SITE, { ...NEW_ORIGINAL, ...CRASH_OLD }];
      const run = (folder: string, step: number) =>
        promisify(execFile)(process.execPath, [child.script, folder, how, what, String(step)]);
      const counting = join(base, `kill-counting-${what}-${how}`);
      await copySite(template, counting);
      const steps = Number((await run(counting, 0)).stdout);
      expect(steps).toBeGreaterThan(40);
      for (let step = 3; step <= steps; step += Math.ceil(steps / 9)) {
        const folder = join(base, `kill-site-${what}-${how}`);
        await copySite(template, folder);
        await expect(run(folder, step)).rejects.toMatchObject({ signal: 'SIGKILL' });
        expect(await mixed(folder, layout, sites)).toEqual([]);
        const ports = portsIn(folder, 'separate');
        await recover(ports, layout);
        await expectWhole(ports, layout, sites);
        await rm(folder, { recursive: true });
      }
    },
    120_000,
  );

  it('refuses a new publication until it has been recovered, and changes nothing', async () => {
    const folder = await prepared('refuse', how);
    await expect(publishNew(dyingPorts(folder, 10).ports, layout)).rejects.toThrow(Killed);
    const ports = portsIn(folder, 'separate');
    await expect(publishNew(ports, layout)).rejects.toMatchObject({ code: 'TIEUP_E_DRIFT' });
    await expect(rollbackTo(ports, layout, 1, { decisionDigest: null, now: NOW })).rejects.toMatchObject({
      code: 'TIEUP_E_DRIFT',
    });
    expect(await dumpLive(ports, layout)).toEqual(OLD_SITE);
    expect(await recover(ports, layout)).toEqual({ kind: 'undone', number: 2, leftAlone: [] });
  });

  it('has nothing to recover when nothing was interrupted', async () => {
    const folder = await prepared('nothing', how);
    const { ports, steps } = dyingPorts(folder, Infinity);
    expect(await recover(ports, layout)).toEqual({ kind: 'nothing' });
    expect(steps()).toBe(0);
  });

  it.each(ROLLBACKS)(
    'keeps a rollback that was killed half-way, whatever the step: %s',
    async (name, arrange) => {
      const template = await prepared(`back ${name}`, how);
      const ready = portsIn(template, 'separate');
      await publishNew(ready, layout);
      await arrange(ready, layout);
      const ahead = await dumpLive(ready, layout);
      const back = (ports: Ports) => rollbackTo(ports, layout, 1, { decisionDigest: null, now: NOW });
      const counting = join(base, `back-counting-${name}-${how}`);
      await copySite(template, counting);
      const whole = dyingPorts(counting, Infinity);
      const { record } = await back(whole.ports);
      const behind = await dumpLive(whole.ports, layout);
      expect(behind).toMatchObject(CRASH_OLD);
      expect(ahead).toMatchObject(CRASH_NEW);
      for (let step = 1; step <= whole.steps(); step += 1) {
        const folder = join(base, `back-site-${name}-${how}`);
        await copySite(template, folder);
        await expect(back(dyingPorts(folder, step).ports)).rejects.toThrow(Killed);
        const ports = portsIn(folder, 'separate');
        expect(await mixed(folder, layout, [ahead, behind])).toEqual([]);
        await recover(dyingPorts(folder, 1 + (step % 7)).ports, layout).catch((error: unknown) => {
          if (!(error instanceof Killed)) throw error;
        });
        await recover(ports, layout);
        const live = await expectWhole(ports, layout, [ahead, behind]);
        // Held exactly when it went back: a hold on the new release, or a rollback without one, would be wrong.
        const wentBack = isDeepStrictEqual(live, behind);
        expect((await readHeld(ports.state))?.publication).toBe(wentBack ? record.number : undefined);
        // What the partner put there by hand is nowhere lost, and the rollback can be made again.
        await back(ports);
        expect(await dumpLive(ports, layout)).toEqual(behind);
        await rm(folder, { recursive: true });
      }
      await rm(counting, { recursive: true });
    },
    240_000,
  );
});

/** Dies at the first change of the web root: the commit point has been passed. */
function stepsUntilApply(folder: string): Ports {
  const { web } = portsIn(folder, 'separate', {
    beforeStep: () => {
      throw new Killed();
    },
  });
  let dead = false;
  const state = portsIn(folder, 'separate', {
    beforeStep: () => {
      if (dead) throw new Killed();
    },
  }).state;
  const fatal = <T>(work: () => Promise<T>): Promise<T> => {
    dead = true;
    return work();
  };
  return {
    original: portsIn(folder, 'separate').original,
    state,
    web: {
      ...web,
      write: (...all) => fatal(() => web.write(...all)),
      remove: (path) => fatal(() => web.remove(path)),
    },
  };
}

describe('recovering a publication by overwriting', () => {
  const layout = layoutOf('overwrite');

  it('leaves alone what somebody edited meanwhile, says so, and reports it from then on', async () => {
    const folder = await prepared('edited', 'overwrite');
    const { ports } = dyingPorts(folder, Infinity);
    const applying = stepsUntilApply(folder);
    await expect(publishNew(applying, layout)).rejects.toThrow(Killed);
    await ports.web.write('public/with-main/index.html', encode('edited by hand'));
    expect(await recover(ports, layout)).toEqual({ kind: 'finished', number: 2, leftAlone: ['with-main/index.html'] });
    expect(await liveNumber(ports, layout)).toBe(2);
    expect(await dumpLive(ports, layout)).toEqual({ ...NEW_SITE, 'with-main/index.html': 'edited by hand' });
    expect(await verifyLive(ports, layout)).toEqual([{ kind: 'changed', path: 'with-main/index.html' }]);
  });
});
