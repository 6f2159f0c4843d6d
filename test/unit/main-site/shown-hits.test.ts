import { describe, expect, test } from 'vitest';
import { exportLogs } from '../../../src/partner-site/export-logs.ts';
import type { LogRecord } from '../../../src/protocol/log-record.ts';
import { hit } from '../../support/exported-log.ts';
import { type Claim, forge, liveSwitch, tieUpHits } from '../../support/forged-export.ts';
import { partnership } from '../../support/partnership-fixture.ts';
import { pullOne } from '../../support/pulled.ts';
import { hit as line, serve, withLogs } from '../../support/shop-logs.ts';

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';

/** An export of these hits on tie-up pages, pulled. */
async function shown(hits: readonly LogRecord[]) {
  const { main, shop } = await partnership({ partnership: 'logs:\n  audit: 0\n' });
  const { releaseDigest } = await main.pushedBefore();
  const claim: Claim = { T: [liveSwitch(0, releaseDigest), ...hits], O: [] };
  const { digest } = await forge(shop, { claim });
  const { findings } = await pullOne(main);
  const next = async (more: readonly LogRecord[], time = '2026-11-24T12:00:00Z') => {
    const T = [...claim.T, ...more];
    await forge(shop, { claim: { T, O: [] }, from: { T: claim.T.length, O: 0 }, seq: 2, previous: digest, time });
    return (await pullOne(main)).findings;
  };
  return { findings, next };
}

describe('hits that a partner has shown', () => {
  test.each([
    ['as one on no page', { page: '' }],
    ['as one on another page', { page: 'with-main/index.html' }],
  ])('are found to be written down for less: %s', async (_, changes) => {
    const { findings } = await shown([...tieUpHits(3), hit(9, { path: '//with-main/story', ...changes })]);
    expect(findings).toMatchObject([
      {
        kind: 'hit-as-less',
        records: [4],
        message: expect.stringMatching(/^1 of \d+ hits .* line 9 \(\/\/with-main\/story\)$/),
      },
    ]);
  });

  test('are found to be written down as those of a program', async () => {
    const { findings } = await shown([hit(1, { agent: BROWSER, bot: 't1/googlebot' }), ...tieUpHits(2, 2)]);
    expect(findings).toMatchObject([
      { kind: 'hit-as-less', records: [1], message: expect.stringContaining('are said to be of a program') },
    ]);
  });

  test('are what they are written down as: of assets, programs, other rules, and what is not known here', async () => {
    const { findings } = await shown([
      hit(1, { path: '/with-main/assets/style.css', page: '' }),
      hit(2, { agent: 'Googlebot/2.1', bot: 't1/googlebot' }),
      hit(3, { agent: BROWSER, bot: 't2/new-rule' }),
      hit(4, { path: '/with-main/renamed.html', page: 'with-main/renamed.html' }),
      hit(5, { agent: 'x', bot: 't1/other', signals: ['cut'] }),
    ]);
    expect(findings).toEqual([]);
  });

  test('are told when they are days older than the export before, and not when a server held them back', async () => {
    const at = (seq: number, time: string) => hit(seq, { time });
    const honest = await shown([at(1, '2026-10-01T00:00:00Z')]);
    expect(honest.findings).toEqual([]);
    expect(await honest.next([at(2, '2026-11-22T12:00:00Z')])).toEqual([]);
    const { next } = await shown([at(1, '2026-11-23T00:00:00Z')]);
    const late = [at(2, '2026-10-31T23:00:00Z'), at(3, '2026-11-24T01:00:00Z'), at(4, '2026-10-30T01:00:00Z')];
    expect(await next(late)).toMatchObject([
      {
        kind: 'late-hits',
        message: expect.stringContaining('2 new hits on tie-up pages that are said to be of 2026-10-30 to 2026-10-31'),
      },
    ]);
  });

  test('of an honest partner are found to be right, whatever visitors ask for', async () => {
    const { main, shop } = await partnership({ partnership: 'logs:\n  audit: 0\n' });
    const config = withLogs();
    await shop.accept(await shop.open({ config }));
    const paths = [
      '',
      'index.html',
      'story.html',
      'story',
      'story/',
      '//story.html',
      '%73tory.html',
      'assets/style.css',
    ];
    serve(shop, ...paths.map((path) => line(`/with-main/${path}`)));
    for (const agent of [BROWSER, 'Googlebot/2.1', 'curl/8.0', '']) serve(shop, line('/with-main/', { agent }));
    await exportLogs(await shop.open({ config }), { acceptGap: false, disclose: {} });
    expect(await pullOne(main)).toMatchObject({ added: { T: 13 }, findings: [] });
  });
});
