import { dirname } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parsePartnership } from '../../../src/config/partnership.ts';
import { type ErrorCode, isTieupError } from '../../../src/errors.ts';
import { end, listPartnerships, resume, showPartnership, suspend } from '../../../src/main-site/partner-admin.ts';
import { status } from '../../../src/main-site/status.ts';
import { type MainFixture, mainFixture, partnership } from '../../support/partnership-fixture.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { changedPaths, snapshotOf } from '../../support/snapshot.ts';

const FILE = 'partners/harbour.yaml';
const COMMENT = 'tags:\n  # who sells coffee\n  - shops\n';

let main: MainFixture;
let shop: PartnerFixture;

beforeEach(async () => {
  ({ main, shop } = await partnership({ partnership: COMMENT }));
});

async function fileText(): Promise<string> {
  return new TextDecoder().decode(await main.site.files.read(FILE, 1e6));
}

/** Both folders lie in one. */
const bothSites = () => snapshotOf(dirname(main.folder));

/** Runs `work`, which must be refused with `code` and change nothing on either side. */
async function refused(code: ErrorCode, work: () => Promise<unknown>) {
  const before = await bothSites();
  const error: unknown = await work().then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  if (!isTieupError(error, code)) throw error ?? new Error('it was not refused');
  expect(changedPaths(before, await bothSites())).toEqual([]);
  return error;
}

/** A push to the partner, which must be refused: what it says. */
async function refusedPush(): Promise<string> {
  await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNews that nobody may see\n');
  const before = await bothSites();
  const [result] = await main.push();
  if (result?.kind !== 'failed') throw new Error('it was pushed');
  expect(result.error).toMatchObject({ code: 'TIEUP_E_CONTRACT', exitCode: 11 });
  // That somebody tried is written down, and who is to be tried again.
  const tried = /^main\/\.tieup\/(?:history\/\d+\.jsonl|unfinished\.json)$/;
  expect(changedPaths(before, await bothSites(), tried)).toEqual([]);
  return result.error.message;
}

async function stateOf() {
  const [row] = await status(main.site, [], 1);
  return [row?.state, row?.detail];
}

describe('a suspension', () => {
  test('stops pushes and says until when and why, and leaves comments and live pages alone', async () => {
    await shop.accept();
    const live = await shop.live();
    await suspend(main.site, 'harbour', { until: '2026-12-31', reason: 'stock-taking' });
    expect(await fileText()).toContain('# who sells coffee');
    expect(parsePartnership(await fileText(), FILE)).toMatchObject({
      status: 'suspended',
      suspendedUntil: '2026-12-31',
      suspendedFor: 'stock-taking',
    });
    expect(await refusedPush()).toBe('the partnership with harbour is suspended until 2026-12-31: stock-taking');
    expect(await stateOf()).toEqual([
      'suspended',
      'the partnership with harbour is suspended until 2026-12-31: stock-taking',
    ]);
    expect(await shop.live()).toEqual(live);
  });

  test('goes on when its date has passed until somebody resumes it, and says so', async () => {
    await suspend(main.site, 'harbour', { until: '2026-12-31', reason: undefined });
    main.clock.passDays(60);
    expect(await refusedPush()).toBe(
      'the partnership with harbour is suspended; that was until 2026-12-31, but nobody has resumed it',
    );
  });

  test('is still on during its last day', async () => {
    await suspend(main.site, 'harbour', { until: '2026-11-23', reason: undefined });
    expect(await refusedPush()).toContain('is suspended until 2026-11-23');
  });

  test('can be given another date', async () => {
    await suspend(main.site, 'harbour', { until: '2026-12-31', reason: 'stock-taking' });
    await suspend(main.site, 'harbour', { until: undefined, reason: undefined });
    expect(await refusedPush()).toBe('the partnership with harbour is suspended');
  });

  test('ends with resume; the next push goes out and nothing is left of the refusal', async () => {
    await suspend(main.site, 'harbour', { until: '2026-12-31', reason: 'stock-taking' });
    await refusedPush();
    const { partnership: resumed, notInForce } = await resume(main.site, 'harbour');
    expect(notInForce).toBeUndefined();
    expect(resumed).toMatchObject({ status: 'active' });
    expect(await fileText()).not.toContain('suspended');
    expect((await stateOf())[0]).toBe('pending');
    expect(await main.pushed()).toMatchObject({ release: 2 });
  });

  test.each([
    ['a day that does not exist', { until: '2026-02-30', reason: undefined }, '"2026-02-30" is not a date'],
    ['a day that has passed', { until: '2026-11-22', reason: undefined }, 'would be over already: today is 2026-11-23'],
    ['a reason of two lines', { until: undefined, reason: 'a\nb' }, 'must be one line'],
    ['an empty reason', { until: undefined, reason: '' }, 'must be one line'],
  ])('is refused with %s', async (_what, suspension, expected) => {
    const error = await refused('TIEUP_E_USAGE', () => suspend(main.site, 'harbour', suspension));
    expect(error.message).toContain(expected);
  });
});

describe('the end of a partnership', () => {
  test('needs the id once more', async () => {
    expect((await refused('TIEUP_E_USAGE', () => end(main.site, 'harbour', undefined))).hint).toContain(
      'tieup partner end harbour --confirm harbour',
    );
    expect((await refused('TIEUP_E_USAGE', () => end(main.site, 'harbour', 'habour'))).message).toContain('"habour"');
  });

  test('stops pushes for good, keeps the keys as a record and never touches a live page', async () => {
    await shop.accept();
    const live = await shop.live();
    await suspend(main.site, 'harbour', { until: '2026-12-31', reason: 'stock-taking' });
    await end(main.site, 'harbour', 'harbour');
    const ended = parsePartnership(await fileText(), FILE);
    expect(ended).toMatchObject({ status: 'ended', invitation: null });
    expect(ended).not.toHaveProperty('suspendedUntil');
    expect(ended.keys).not.toBeNull();
    expect(await refusedPush()).toBe('the partnership with harbour has ended');
    expect(await stateOf()).toEqual(['ended', 'the partnership with harbour has ended']);
    expect(await shop.live()).toEqual(live);
    for (const work of [
      () => end(main.site, 'harbour', 'harbour'),
      () => resume(main.site, 'harbour'),
      () => suspend(main.site, 'harbour', { until: undefined, reason: undefined }),
    ]) {
      expect((await refused('TIEUP_E_CONTRACT', work)).message).toContain('its status is ended');
    }
  });

  test('is named by status although the partner cannot be reached any more', async () => {
    await end(main.site, 'harbour', 'harbour');
    await shop.write('exchange/outbox/decision.note', 'not a note');
    expect((await stateOf())[0]).toBe('ended');
  });
});

describe('a contract', () => {
  test('whose last day has passed stops pushes and says when it was', async () => {
    await main.editPartner('harbour', 'from: "2026-01-01"', 'from: "2026-01-01"\n  until: "2026-11-22"');
    expect(await refusedPush()).toBe('the contract with harbour was over on 2026-11-22');
    expect(await stateOf()).toEqual(['ended', 'the contract with harbour was over on 2026-11-22']);
  });

  test('is in force on its last day', async () => {
    await main.editPartner('harbour', 'from: "2026-01-01"', 'from: "2026-01-01"\n  until: "2026-11-23"');
    expect(await main.pushed()).toMatchObject({ release: 2 });
  });
});

describe('partners', () => {
  test('are listed by id, with what stops pushes to them', async () => {
    await main.join('camp');
    await suspend(main.site, 'camp', { until: undefined, reason: 'winter' });
    const rows = (await listPartnerships(main.site)).map((view) => [view.partnership.id, view.notInForce?.kind]);
    expect(rows).toEqual([
      ['camp', 'suspended'],
      ['harbour', undefined],
    ]);
    expect(await listPartnerships(main.site, ['shops'])).toHaveLength(1);
  });

  test('are shown one by one, and a misspelt id is met with what was meant', async () => {
    expect((await showPartnership(main.site, 'harbour')).partnership.mount).toBe('/with-main/');
    expect((await refused('TIEUP_E_USAGE', () => showPartnership(main.site, 'harbor'))).hint).toContain('"harbour"');
  });

  test('that have not joined yet cannot be suspended', async () => {
    const fresh = await mainFixture();
    await fresh.write(
      'partners/camp.yaml',
      'id: camp\nname: Camp\nurl: https://camp.example/\nmount: /with-main/\nperiod:\n  from: "2026-01-01"\n',
    );
    const work = suspend(fresh.site, 'camp', { until: undefined, reason: undefined });
    await expect(work).rejects.toMatchObject({ code: 'TIEUP_E_CONTRACT', hint: /has not joined yet/ });
  });
});
