/** The table of the whole fleet: drift and expiry, who could not be asked, what is known without asking, shards joined. */
import { rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { describePushed } from '../../../src/cli/push-text.ts';
import { TieupError } from '../../../src/errors.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { mergeStatus, parseShardResult } from '../../../src/main-site/merge-status.ts';
import { keepHold } from '../../../src/main-site/holds.ts';
import { judge, judgeRecord } from '../../../src/main-site/partner-state.ts';
import { readRecord } from '../../../src/main-site/record.ts';
import { pushAll } from '../../../src/main-site/push-all.ts';
import { standingsOf } from '../../../src/main-site/standing.ts';
import { status, type StatusRow } from '../../../src/main-site/status.ts';
import { reject } from '../../../src/partner-site/reject.ts';
import { rollback } from '../../../src/partner-site/rollback.ts';
import { mainFixture, partnership, type MainFixture } from '../../support/partnership-fixture.ts';

const unreachable = (main: MainFixture): MainSite => ({
  ...main.site,
  connect: () => Promise.reject(new TieupError('TIEUP_E_CONNECTION', 'the server is gone')),
});

describe('a partner', () => {
  test('whose inbox was emptied or set back has drifted, and a push mends it', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await shop.remove('exchange/inbox/metadata');
    expect(await status(main.site, [], 1)).toMatchObject([
      { state: 'drifted', refreshed: true, next: 'tieup push harbour', live: 1 },
    ]);
    await main.push();
    expect((await status(main.site, [], 1))[0]?.state).not.toBe('drifted');
  });

  test('to whom nothing was signed anew for two weeks has expired, whatever is live there', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    main.clock.passDays(15);
    expect(await status(main.site, [], 1)).toMatchObject([
      { state: 'expired', detail: 'its timestamp expired on 2026-12-07', next: 'tieup refresh harbour' },
    ]);
  });

  test('that cannot be asked says so in its row, with what is known', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await status(main.site, [], 1);
    expect(await status(unreachable(main), [], 1)).toMatchObject([
      { state: 'failed', detail: 'the server is gone', refreshed: false, live: 1, next: 'tieup doctor harbour' },
    ]);
    await main.editPartner('harbour', 'status: active', 'status: ended');
    expect(await status(unreachable(main), [], 1)).toMatchObject([{ state: 'ended', refreshed: true, next: null }]);
  });

  test('that falls silent does not hold up the table', async () => {
    const { main } = await partnership();
    const sleep: MainSite['clock']['sleep'] = () => Promise.resolve();
    const site: MainSite = { ...main.site, clock: { ...main.clock, sleep }, connect: () => new Promise(() => {}) };
    expect(await status(site, [], 1, { deadlineMs: 5 })).toMatchObject([{ state: 'failed', refreshed: false }]);
  });

  test('is shown without asking as it was when it was asked last', async () => {
    const main = await mainFixture();
    const [alpha, beta, gamma] = [await main.join('alpha'), await main.join('beta'), await main.join('gamma')];
    await main.join('delta');
    await main.push({ partners: ['alpha', 'beta', 'gamma'] });
    await alpha.accept();
    await reject(await beta.open(), 'no');
    await gamma.accept();
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\n# Second\n');
    await main.push({ partners: ['gamma'] });
    await gamma.accept();
    await rollback(await gamma.open(), undefined);
    const asked = await status(main.site, [], 2);
    const nobody: MainSite = { ...main.site, connect: () => Promise.reject(new Error('somebody was asked')) };
    const cached = await status(nobody, [], 2, { cached: true });
    const essence = (rows: typeof asked) =>
      rows.map(({ partner, state, pushed, live }) => [partner, state, pushed, live]);
    expect(essence(cached)).toEqual(essence(asked));
    expect(cached.map(({ state }) => state)).toEqual(['rejected', 'never', 'held', 'live']);
    const record = await readRecord(main.site, 'delta');
    expect(judgeRecord(record, main.clock.now())).toEqual(
      judge(record, { decision: undefined, receipt: undefined }, main.clock.now()),
    );
  });

  test('is left out when it is in another state, or in another share', async () => {
    const main = await mainFixture();
    await main.join('alpha');
    await main.join('beta');
    await main.push({ partners: ['alpha'] });
    expect(await status(main.site, [], 1, { states: new Set(['pending']) })).toMatchObject([{ partner: 'alpha' }]);
    const shares = [1, 2].map((index) => status(main.site, [], 1, { shard: { index, count: 2 } }));
    expect(
      (await Promise.all(shares))
        .flat()
        .map(({ partner }) => partner)
        .toSorted(),
    ).toEqual(['alpha', 'beta']);
  });

  test('of which this machine knows nothing is learned from its inbox', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await rm(`${main.folder}/.tieup`, { recursive: true });
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'live', pushed: 1, live: 1 }]);
  });
});

describe('what several machines found', () => {
  const row = { state: 'live', pushed: 3, live: 3, detail: null, lastContact: '2026-11-23T12:00:00Z' };
  const parse = (text: string) => parseShardResult(Buffer.from(text), 'shard.json');
  const read = (document: unknown) => {
    const found = parse(JSON.stringify(document));
    if (found.kind !== 'rows') throw new Error(found.why);
    return found.rows;
  };

  test('becomes one table, the worst first, and whoever nobody reported on has failed', () => {
    const one = read({
      schema: 'tieup.status/v1',
      partners: [
        { ...row, partner: 'alpha' },
        { ...row, partner: 'beta' },
      ],
    });
    const two = read({
      schema: 'tieup.push/v1',
      partners: [
        { partner: 'beta', result: 'failed', error: { code: 'TIEUP_E_LOGIN', message: 'not let in' } },
        { partner: 'gamma', result: 'pushed', release: 2, state: 'rejected', detail: 'too dear', live: 1 },
      ],
      heldBack: ['delta'],
    });
    const merged = mergeStatus([one, two], ['alpha', 'beta', 'gamma', 'delta', 'epsilon']);
    expect(merged.map(({ partner, state, detail, refreshed }) => [partner, state, detail, refreshed])).toEqual([
      ['beta', 'failed', 'not let in', false],
      ['delta', 'failed', expect.stringContaining('not pushed'), false],
      ['epsilon', 'failed', 'no machine reported on it', false],
      ['gamma', 'rejected', 'too dear', true],
      ['alpha', 'live', null, true],
    ]);
  });

  test('is nothing where a machine died or failed: that is told, and no reason to show no table', () => {
    expect(parse('')).toEqual({
      kind: 'failed',
      why: 'shard.json is empty: who should have written it did not end well',
    });
    expect(parse('\n')).toMatchObject({ kind: 'failed' });
    const error = {
      schema: 'tieup.error/v1',
      code: 'TIEUP_E_KEY',
      message: 'no key',
      hint: null,
      problems: [],
      exitCode: 4,
    };
    expect(parse(JSON.stringify(error))).toEqual({ kind: 'failed', why: 'shard.json reports a failure: no key' });
    const whole = `${JSON.stringify({ schema: 'tieup.push/v1', partners: [] }, undefined, 2)}\n`;
    expect(parse(whole)).toEqual({ kind: 'rows', rows: [] });
    expect(parse(whole.slice(0, -4))).toEqual({
      kind: 'failed',
      why: 'shard.json is cut short: who should have written it did not end well',
    });
    for (const text of ['no JSON', '{"partners": [', '{"schema": "other", '])
      expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'TIEUP_E_USAGE' }));
  });

  test('by pushes alone says of each partner what a status would say', async () => {
    const main = await mainFixture();
    const alpha = await main.join('alpha');
    const beta = await main.join('beta');
    for (const id of ['gamma', 'delta', 'epsilon']) await main.join(id);
    await main.push();
    await alpha.accept();
    await reject(await beta.open(), 'too dear');
    await main.editPartner('delta', 'status: active', 'status: suspended');
    await keepHold(main.site, 'gamma', { release: 1, to: 1, since: '2026-11-23T12:00:00Z' });
    const pushed = await pushAll(main.site, {
      partners: [],
      message: { subject: undefined, text: undefined },
      full: false,
      concurrency: 2,
      onProgress: () => {},
    });
    expect(pushed.passedOver.map(({ partner }) => partner)).toEqual(['delta', 'gamma']);
    const all = new Set(['alpha', 'beta', 'gamma', 'delta', 'epsilon']);
    const document = describePushed(pushed, await standingsOf(main.site, all));
    const merged = mergeStatus([read({ schema: 'tieup.push/v1', ...document })], []);
    const essence = (rows: readonly StatusRow[]) =>
      rows.map(({ partner, state, pushed: last, live, refreshed }) => [partner, state, last, live, refreshed]);
    expect(essence(merged)).toEqual(essence(await status(main.site, [], 1)));
    expect(merged.map(({ partner, state }) => [partner, state])).toEqual([
      ['beta', 'rejected'],
      ['delta', 'suspended'],
      ['epsilon', 'pending'],
      ['gamma', 'pending'],
      ['alpha', 'live'],
    ]);
    expect(merged.find(({ partner }) => partner === 'gamma')?.detail).toContain('tieup partner resume gamma');
  });

  test('by a later version is read as far as it is known', () => {
    expect(
      read({ schema: 'tieup.status/v1', more: 1, partners: [{ ...row, partner: 'alpha', colour: 'red' }] }),
    ).toMatchObject([{ partner: 'alpha', state: 'live' }]);
  });

  test.each<readonly [string, unknown]>([
    ['another document', { schema: 'tieup.plan/v1', partners: [] }],
    ['an unknown state', { schema: 'tieup.status/v1', partners: [{ ...row, partner: 'alpha', state: 'fine' }] }],
    ['no partner', { schema: 'tieup.status/v1', partners: [{ ...row, partner: '../alpha' }] }],
    ['no object', null],
  ])('is refused when it is %s', (_what, document) => {
    expect(() => read(document)).toThrow(expect.objectContaining({ code: 'TIEUP_E_USAGE' }));
  });
});
