/**
 * A publication by the main site that is cut off: whichever machine comes next makes the live tree whole, with nothing but what
 * lies at the partner, and whatever contract and outbox say by then.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { folderTree } from '../../../src/io/folder-tree.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { faultOf } from '../../../src/main-site/trouble.ts';
import { leave } from '../../../src/partner-site/leave.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { lastingFolder } from '../../support/lasting-folder.ts';
import { changePages, mainFixture, type MainFixture } from '../../support/partnership-fixture.ts';

/** The process is gone: nothing that it would still do reaches a disk. */
class Killed extends Error {}

type BeforeStep = (step: string) => void;

/** One machine of the main site, with content of its own: no other has it. */
async function machine(
  main: MainFixture,
  shop: PartnerFixture,
  pid: number,
  beforeStep?: BeforeStep,
): Promise<MainSite> {
  const kept = await lastingFolder();
  const steps = beforeStep === undefined ? {} : { beforeStep };
  return {
    ...main.site,
    owner: { who: `process ${pid}`, id: `${pid}`, host: 'main', pid },
    isAlive: (other) => other === pid,
    connect: async ({ id }) =>
      id === 'harbour' ? folderTree(shop.path('exchange')) : main.site.connect(await byId(main, id)),
    openSite: async () => ({
      tree: (place): FileTree => folderTree(resolve(shop.path('exchange'), place), steps),
      kept: folderTree(kept),
      close: async () => {},
    }),
  };
}

async function byId(main: MainFixture, id: string) {
  return (await import('../../../src/main-site/partnerships.ts')).loadPartnership(main.site, id);
}

interface Ready {
  readonly main: MainFixture;
  readonly shop: PartnerFixture;
  /** What visitors see before and after the publication that is due. */
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
  /** How many steps it takes. */
  readonly steps: number;
  /** The site before it, anew, and `.tieup` as it was. */
  readonly again: () => Promise<PartnerFixture>;
  /** Kills the process that publishes before that step; returns the site that it leaves. */
  readonly killedAt: (step: number) => Promise<PartnerFixture>;
}

/** Release 1 is live, release 2 was accepted: pages come, change and go. */
async function ready(): Promise<Ready> {
  const main = await mainFixture();
  const shop = await main.join('harbour', {
    publish: 'overwrite',
    inPlace: true,
    partnership: 'publisher: main\nsite: { public: ../public }\n',
  });
  await shop.write('slots/visit/hours.md', 'From ten to six.\n');
  await main.pushed();
  await shop.accept();
  await main.push();
  await changePages(main);
  await main.pushed();
  await shop.write('slots/visit/hours.md', 'Closed on Mondays.\n');
  await shop.accept();
  const before = await shop.live();
  const saved = (await main.site.files.list('.tieup/partners/harbour')).filter(({ kind }) => kind === 'file');
  const kept = new Map<string, Uint8Array>();
  for (const { name } of saved) kept.set(name, await main.site.files.read(`.tieup/partners/harbour/${name}`, 1e8));
  let pid = 10;
  const again = async (): Promise<PartnerFixture> => {
    for (const [name, bytes] of kept) await main.site.files.write(`.tieup/partners/harbour/${name}`, bytes);
    return shop.copy();
  };
  const whole = await again();
  let steps = 0;
  await main.push({}, await machine(main, whole, (pid += 1), () => void (steps += 1)));
  const killedAt = async (step: number): Promise<PartnerFixture> => {
    const copy = await again();
    let count = 0;
    const dying = await machine(main, copy, (pid += 1), () => {
      count += 1;
      if (count >= step) throw new Killed();
    });
    const ended = await main.push({}, dying);
    const faults = ended.flatMap((each) =>
      each.kind === 'failed' ? [each.error] : each.troubles.map(({ error }) => error),
    );
    expect(faults.map(({ cause }) => cause)).toContainEqual(expect.any(Killed));
    return copy;
  };
  return { main, shop, before, after: await whole.live(), steps, again, killedAt };
}

const isCutOff = async (shop: PartnerFixture): Promise<boolean> =>
  (await folderTree(shop.path('exchange')).stat('ledger/journal.json')) !== undefined;

/** The last step before which there is a mixture. */
async function mixture({ steps, killedAt, before, after }: Ready): Promise<PartnerFixture> {
  for (let step = Math.ceil(steps * 0.9); step > 0; step -= 1) {
    const shop = await killedAt(step);
    const live = JSON.stringify(await shop.live());
    if (live !== JSON.stringify(before) && live !== JSON.stringify(after) && (await isCutOff(shop))) return shop;
    await rm(shop.folder, { recursive: true });
  }
  throw new Error('it never is a mixture');
}

test('is finished or undone by another machine, whatever the step', { timeout: 240_000 }, async () => {
  const given = await ready();
  const { main, before, after, steps } = given;
  expect(steps).toBeGreaterThan(60);
  const outcomes = new Set<string>();
  for (let step = 1; step <= steps; step += 1) {
    const shop = await given.killedAt(step);
    // First what is cut off alone, so that it shows which way it goes.
    await main.editPartner('harbour', 'status: active', 'status: suspended');
    const onProgress = (_: string, told: { readonly kind: string; readonly how?: string }) =>
      void (told.kind === 'recovered' && outcomes.add(`${told.how}`));
    await main.push({ onProgress }, await machine(main, shop, 1000 + step));
    await main.editPartner('harbour', 'status: suspended', 'status: active');
    expect([before, after]).toContainEqual(await shop.live());
    expect(await isCutOff(shop)).toBe(false);
    const [result] = await main.push({}, await machine(main, shop, 2000 + step));
    expect(result && faultOf(result)).toBeUndefined();
    expect(await shop.live()).toEqual(after);
    await rm(shop.folder, { recursive: true });
  }
  expect(outcomes).toEqual(new Set(['undone', 'finished']));
});

test('is undone by another machine where the first one was undoing it', { timeout: 240_000 }, async () => {
  const { main, before, after, steps, again } = await ready();
  let undone = 0;
  for (let fails = Math.ceil(steps / 3); fails <= steps - 6; fails += 2) {
    const shop = await again();
    let count = 0;
    // The disk is full for one write; while what was done is taken back, the process is killed.
    const dying = await machine(main, shop, 10, () => {
      count += 1;
      if (count === fails) throw new TieupError('TIEUP_E_STORAGE', 'the disk is full');
      if (count >= fails + 4) throw new Killed();
    });
    await main.push({}, dying).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    const cut = await isCutOff(shop);
    const [result] = await main.push({}, await machine(main, shop, 1000));
    expect(result && faultOf(result)).toBeUndefined();
    expect(await isCutOff(shop)).toBe(false);
    expect([before, after]).toContainEqual(await shop.live());
    if (cut) undone += 1;
    await rm(shop.folder, { recursive: true });
  }
  expect(undone).toBeGreaterThan(5);
});

test(
  'is undone or finished by the partner that leaves, with nothing of the main site',
  { timeout: 240_000 },
  async () => {
    const given = await ready();
    for (let step = Math.ceil(given.steps / 2); step <= given.steps; step += 5) {
      const shop = await given.killedAt(step);
      const later = { isAlive: () => false };
      await leave(await shop.open(later), {
        reason: null,
        choices: {},
        confirm: async () => true,
        choose: async () => undefined,
      });
      expect(Object.keys(await shop.live()).filter((path) => path.startsWith('with-main/'))).toEqual([]);
      expect(await isCutOff(shop)).toBe(false);
    }
  },
);

test('a leaving that is cut off is finished or undone by the main site', { timeout: 240_000 }, async () => {
  const { main, before, again } = await ready();
  const gone = { reason: null, choices: {}, confirm: async () => true, choose: async () => undefined };
  let steps = 0;
  const whole = await again();
  await leave(await whole.open({ beforeStep: () => void (steps += 1) }), gone);
  const after = await whole.live();
  let cut = 0;
  for (const [step, fails] of every(3, Math.ceil(steps / 2), steps).flatMap((each) => [
    [each, undefined],
    [each, each - 9],
  ])) {
    const shop = await again();
    let count = 0;
    const dying = await shop.open({
      beforeStep: () => {
        count += 1;
        if (count === fails) throw new TieupError('TIEUP_E_STORAGE', 'the disk is full');
        if (count >= (step ?? 0)) throw new Killed();
      },
    });
    await expect(leave(dying, gone)).rejects.toThrow(/^(?:|the disk is full)$/);
    if (!(await isCutOff(shop))) continue;
    cut += 1;
    await rm(join(shop.path('exchange'), 'ledger/lock'), { force: true });
    await main.push({}, await machine(main, shop, 1000));
    expect(await isCutOff(shop)).toBe(false);
    expect([before, after]).toContainEqual(await shop.live());
    await rm(shop.folder, { recursive: true });
  }
  expect(cut).toBeGreaterThan(5);
});

function every(stride: number, from: number, to: number): readonly number[] {
  return Array.from({ length: Math.floor((to - from) / stride) + 1 }, (_, index) => from + index * stride);
}

describe('is made whole', () => {
  test.each<readonly [string, string, (main: MainFixture, shop: PartnerFixture) => Promise<unknown>]>([
    [
      'while the contract is suspended',
      'TIEUP_E_CONTRACT',
      (main) => main.editPartner('harbour', 'status: active', 'status: suspended'),
    ],
    [
      'when the contract is over',
      'TIEUP_E_CONTRACT',
      (main) => main.editPartner('harbour', 'from: "2026-01-01"', 'from: "2026-01-01"\n  until: "2026-01-02"'),
    ],
    [
      'when the terms changed',
      'TIEUP_E_CONTRACT',
      (main) => main.editPartner('harbour', 'publisher: main\n', 'publisher: main\npolicy: { scripts: own }\n'),
    ],
    [
      'when the outbox cannot be read',
      'TIEUP_E_VERIFY',
      (_, shop) => writeFile(shop.path('exchange/outbox/decision.note'), 'nothing\n'),
    ],
    [
      'when nothing can be pushed',
      'TIEUP_E_LOCKED',
      async (_, shop) => {
        const lock = { who: 'another', id: 'another', host: 'elsewhere', pid: 5, until: '2026-11-23T13:00:00Z' };
        await writeFile(shop.path('exchange/inbox/lock'), JSON.stringify(lock));
      },
    ],
  ])('%s', async (_, code, arrange) => {
    const given = await ready();
    const { main, before, after } = given;
    const shop = await mixture(given);
    await arrange(main, shop);
    const [result] = await main.push({}, await machine(main, shop, 1000));
    expect(result && faultOf(result)?.code).toBe(code);
    expect(await isCutOff(shop)).toBe(false);
    expect([before, after]).toContainEqual(await shop.live());
  });

  test('also where others are pushed to, and it is passed over; nothing new is published', async () => {
    const given = await ready();
    const { main, before, after } = given;
    const shop = await mixture(given);
    await main.join('meadow');
    await main.editPartner('harbour', 'status: active', 'status: suspended');
    const results = await main.push({}, await machine(main, shop, 1000));
    expect(results.map(({ partner, kind }) => [partner, kind])).toEqual([['meadow', 'pushed']]);
    expect(await isCutOff(shop)).toBe(false);
    expect([before, after]).toContainEqual(await shop.live());

    const untouched = await given.again();
    await main.push({}, await machine(main, untouched, 1001));
    expect(await untouched.live()).toEqual(before);
  });

  test('and a partner of old days whose server is gone is passed over as before', async () => {
    const { main } = await ready();
    await main.join('meadow');
    await main.editPartner('harbour', 'status: active', 'status: ended');
    const connect: MainSite['connect'] = (partnership) =>
      partnership.id === 'harbour'
        ? Promise.reject(new TieupError('TIEUP_E_CONNECTION', 'the server is gone'))
        : main.site.connect(partnership);
    const results = await main.push({}, { ...main.site, connect });
    expect(results.map(({ partner, kind }) => [partner, kind])).toEqual([['meadow', 'pushed']]);
    const [named] = await main.push({ partners: ['harbour'] }, { ...main.site, connect });
    expect(named && faultOf(named)?.code).toBe('TIEUP_E_CONTRACT');
  });
});
