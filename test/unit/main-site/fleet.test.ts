/** Pushing to many partners: each for itself, a few first, exactly what was planned, never too much taken away. */
import { INBOX_LOCK } from '../../../src/protocol/exchange.ts';
import { describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { withDeadline } from '../../../src/main-site/deadline.ts';
import { parseDeleteLimit } from '../../../src/main-site/delete-limit.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { loadPartnership } from '../../../src/main-site/partnerships.ts';
import { plan } from '../../../src/main-site/plan.ts';
import { parsePlanFile, renderPlanFile, type PlannedPartner } from '../../../src/main-site/plan-file.ts';
import { pushAll, type FleetRequest } from '../../../src/main-site/push-all.ts';
import { readRecord } from '../../../src/main-site/record.ts';
import { refresh } from '../../../src/main-site/refresh.ts';
import { readUnfinished } from '../../../src/main-site/unfinished.ts';
import { isInShard } from '../../../src/protocol/shard.ts';
import { reject } from '../../../src/partner-site/reject.ts';
import { mainFixture, PAGES, partnership, type MainFixture } from '../../support/partnership-fixture.ts';
import { snapshotOf } from '../../support/snapshot.ts';

const page = (text: string): string => `---\ntitle: Our coffee\n---\n\n# ${text}\n`;

const request = (changes: Partial<FleetRequest> = {}): FleetRequest => ({
  partners: [],
  message: { subject: undefined, text: undefined },
  full: false,
  concurrency: 4,
  onProgress: () => {},
  ...changes,
});

/** The exchanges of `ids` cannot be reached. */
function without(main: MainFixture, ...ids: readonly string[]): MainSite {
  const connect: MainSite['connect'] = async (partner) => {
    if (ids.includes(partner.id)) throw new TieupError('TIEUP_E_CONNECTION', 'the server is gone');
    return main.site.connect(partner);
  };
  return { ...main.site, connect };
}

/** What the main site keeps, but for what it remembers of pages that were rendered. */
async function keptBy(main: MainFixture): Promise<unknown> {
  const { 'partners/harbour/outputs': _outputs, ...kept } = await snapshotOf(`${main.folder}/.tieup`);
  return kept;
}

async function three(): Promise<MainFixture> {
  const main = await mainFixture();
  for (const id of ['alpha', 'beta', 'gamma']) await main.join(id);
  return main;
}

const kinds = ({ results }: Awaited<ReturnType<typeof pushAll>>) => results.map(({ partner, kind }) => [partner, kind]);

describe('what failed', () => {
  test('is remembered until it went well, and comes last in the next push', async () => {
    const main = await three();
    await pushAll(without(main, 'alpha'), request());
    expect([...(await readUnfinished(main.site))]).toEqual(['alpha']);
    const order: string[] = [];
    const onProgress: FleetRequest['onProgress'] = (partner, { kind }) =>
      void (kind === 'connecting' && order.push(partner));
    await pushAll(without(main, 'alpha'), request({ concurrency: 1, onProgress }));
    expect(order).toEqual(['beta', 'gamma', 'alpha']);
    const again = await pushAll(main.site, request({ only: await readUnfinished(main.site) }));
    expect(kinds(again)).toEqual([['alpha', 'pushed']]);
    expect([...(await readUnfinished(main.site))]).toEqual([]);
  });

  test('is one line of the history while it stays the same, and another one when it comes again', async () => {
    const main = await mainFixture();
    await main.join('alpha');
    for (let round = 0; round < 5; round += 1) await pushAll(without(main, 'alpha'), request());
    const failures = async () =>
      (await main.site.history.read()).entries
        .filter(({ action }) => action === 'push-failed')
        .map(({ detail }) => detail);
    expect(await failures()).toEqual(['TIEUP_E_CONNECTION: the server is gone']);
    const connect = () => Promise.reject(new TieupError('TIEUP_E_LOGIN', 'not let in'));
    await pushAll({ ...main.site, connect }, request());
    expect(await failures()).toHaveLength(2);
    await pushAll(main.site, request());
    await pushAll({ ...main.site, connect }, request());
    expect(await failures()).toHaveLength(3);
  });

  test('is not forgotten by a push to others', async () => {
    const main = await three();
    await pushAll(without(main, 'alpha'), request());
    await pushAll(main.site, request({ partners: ['beta'] }));
    expect([...(await readUnfinished(main.site))]).toEqual(['alpha']);
  });
});

test('shares of the partners are pushed by different machines, each partner by one', async () => {
  const main = await three();
  const pushed: string[] = [];
  for (const index of [1, 2, 3])
    pushed.push(
      ...(await pushAll(main.site, request({ shard: { index, count: 3 } }))).results.map(({ partner }) => partner),
    );
  expect(pushed.toSorted()).toEqual(['alpha', 'beta', 'gamma']);
});

describe('where no contract is in force', () => {
  const suspend = async (main: MainFixture, ...ids: readonly string[]) => {
    for (const id of ids) await main.editPartner(id, 'status: active', 'status: suspended');
  };
  /** Some share of two that is not empty. */
  const shareOf = (id: string) => [1, 2].map((index) => ({ index, count: 2 })).find((each) => isInShard(id, each));

  test('a share is passed over, as it is beside others', async () => {
    const main = await mainFixture();
    const alpha = await main.join('alpha');
    await suspend(main, 'alpha');
    const before = await alpha.snapshot();
    const pushed = await pushAll(main.site, request({ shard: shareOf('alpha') }));
    expect(pushed.results).toEqual([]);
    expect(pushed.passedOver).toEqual([{ partner: 'alpha', why: expect.stringContaining('suspended') }]);
    expect(await alpha.snapshot()).toEqual(before);
  });

  test('a push to everybody reaches nobody, which is no success', async () => {
    const main = await three();
    await suspend(main, 'alpha', 'beta', 'gamma');
    const pushed = await pushAll(main.site, request());
    expect(kinds(pushed)).toEqual(['alpha', 'beta', 'gamma'].map((id) => [id, 'failed']));
    expect(pushed.passedOver).toEqual([]);
  });
});

describe('a few first', () => {
  test('and the others when all went well', async () => {
    const main = await three();
    const pushed = await pushAll(main.site, request({ canary: 1 }));
    expect(kinds(pushed)).toEqual([
      ['alpha', 'pushed'],
      ['beta', 'pushed'],
      ['gamma', 'pushed'],
    ]);
    expect(pushed.heldBack).toEqual([]);
  });

  test('stops when one of them fails: the others keep what they had', async () => {
    const main = await mainFixture();
    await main.join('alpha');
    const others = [await main.join('beta'), await main.join('gamma')];
    const before = await Promise.all(others.map((each) => each.snapshot()));
    const pushed = await pushAll(without(main, 'alpha'), request({ canary: 1 }));
    expect(kinds(pushed)).toEqual([['alpha', 'failed']]);
    expect(pushed.heldBack).toEqual(['beta', 'gamma']);
    expect(await Promise.all(others.map((each) => each.snapshot()))).toEqual(before);
  });

  test('stops when one of them rejects, or does not answer in time', async () => {
    const main = await mainFixture();
    const alpha = await main.join('alpha');
    await main.join('beta');
    const silent = await pushAll(main.site, request({ canary: 1, waitMs: 10_000 }));
    expect(silent.answers.get('alpha')).toMatchObject({ kind: 'waited-too-long' });
    expect(silent.heldBack).toEqual(['beta']);
    await reject(await alpha.open(), 'too dear');
    const rejected = await pushAll(main.site, request({ canary: 1, waitMs: 10_000 }));
    expect(rejected.answers.get('alpha')).toEqual({ kind: 'rejected', reason: 'too dear' });
    expect(rejected.heldBack).toEqual(['beta']);
  });

  test('stops where one of them has rejected this very release, also after the wait for it', async () => {
    const main = await mainFixture();
    const alpha = await main.join('alpha');
    const beta = await main.join('beta');
    await pushAll(main.site, request({ canary: 1, waitMs: 10_000 }));
    await reject(await alpha.open(), 'too dear');
    const before = await beta.snapshot();
    const rejected = await pushAll(main.site, request({ canary: 1 }));
    expect(kinds(rejected)).toEqual([['alpha', 'unchanged']]);
    expect(rejected.answers.get('alpha')).toEqual({ kind: 'rejected', reason: 'too dear' });
    expect(rejected.heldBack).toEqual(['beta']);
    expect(await beta.snapshot()).toEqual(before);

    // The word was about that release: the next one is tried anew.
    await main.write('pages/index.md', page('Cheaper'));
    const next = await pushAll(main.site, request({ canary: 1 }));
    expect(kinds(next)).toEqual([
      ['alpha', 'pushed'],
      ['beta', 'pushed'],
    ]);
  });

  test('keeps who was held back for the push of those that are left, and tries the same ones first again', async () => {
    const main = await three();
    await pushAll(without(main, 'alpha'), request({ canary: 1 }));
    expect([...(await readUnfinished(main.site))]).toEqual(['alpha', 'beta', 'gamma']);
    const again = await pushAll(without(main, 'alpha'), request({ canary: 1 }));
    expect(kinds(again)).toEqual([['alpha', 'failed']]);
    const left = await pushAll(without(main, 'alpha'), request({ only: await readUnfinished(main.site) }));
    expect(kinds(left)).toEqual([
      ['alpha', 'failed'],
      ['beta', 'pushed'],
      ['gamma', 'pushed'],
    ]);
    expect([...(await readUnfinished(main.site))]).toEqual(['alpha']);
  });

  test('goes on when they are live', async () => {
    const main = await mainFixture();
    const alpha = await main.join('alpha');
    await main.join('beta');
    await main.push({ partners: ['alpha'] });
    await alpha.accept();
    const pushed = await pushAll(main.site, request({ canary: 1, waitMs: 10_000 }));
    expect(pushed.answers.get('alpha')).toEqual({ kind: 'live' });
    expect(pushed.heldBack).toEqual([]);
    expect(kinds(pushed)).toEqual([
      ['alpha', 'unchanged'],
      ['beta', 'pushed'],
    ]);
  });
});

test('answers of more partners than connections are waited for in turns', async () => {
  const main = await three();
  let open = 0;
  let most = 0;
  const connect: MainSite['connect'] = async (partner) => {
    const tree = await main.site.connect(partner);
    most = Math.max(most, ++open);
    return { ...tree, close: async () => void (open -= 1) };
  };
  const pushed = await pushAll({ ...main.site, connect }, request({ concurrency: 2, waitMs: 4000 }));
  expect([...pushed.answers.values()].map(({ kind }) => kind)).toEqual(Array(3).fill('waited-too-long'));
  expect({ open, most }).toEqual({ open: 0, most: 2 });
});

describe('a partner that falls silent', () => {
  /** Its inbox answers nothing until the connection is closed. */
  function silent(main: MainFixture, ms: number): { readonly site: MainSite; readonly isClosed: () => boolean } {
    let closed = false;
    const connect: MainSite['connect'] = async (partner) => {
      const tree = await main.site.connect(partner);
      let hangUp = (_error: TieupError): void => {};
      const line = new Promise<never>((_, rejectLine) => (hangUp = rejectLine));
      line.catch(() => {});
      const stuck: FileTree = {
        ...tree,
        create: () => line,
        close: async () => {
          closed = true;
          hangUp(new TieupError('TIEUP_E_CONNECTION', 'the connection was closed'));
        },
      };
      return partner.id === 'alpha' ? stuck : tree;
    };
    // Time stands still but for the deadline, which is over at once.
    const sleep: MainSite['clock']['sleep'] = (length) => (length === ms ? Promise.resolve() : new Promise(() => {}));
    return { site: { ...main.site, connect, clock: { ...main.clock, sleep } }, isClosed: () => closed };
  }

  test('is cut off at its deadline, with a cause', async () => {
    const main = await mainFixture();
    await main.join('alpha');
    const { site, isClosed } = silent(main, 1000);
    const { results } = await pushAll(site, request({ partners: ['alpha'], deadlineMs: 1000 }));
    expect(results).toMatchObject([
      {
        kind: 'failed',
        error: { code: 'TIEUP_E_TIMEOUT', message: 'alpha was not done within 1 s, so the connection was cut' },
      },
    ]);
    expect(isClosed()).toBe(true);
  });

  test('is cut off by plan, refresh and the look at a saved plan, too', async () => {
    const main = await mainFixture();
    const alpha = await main.join('alpha');
    const { plans } = await plan(main.site, { partners: [], concurrency: 1 });
    const planned = new Map(plans.flatMap((each) => (each.kind === 'planned' ? [[each.partner, each.planned]] : [])));
    const before = await alpha.snapshot();
    const sleep: MainSite['clock']['sleep'] = () => Promise.resolve();
    const site: MainSite = { ...main.site, connect: () => new Promise(() => {}), clock: { ...main.clock, sleep } };
    const late = [{ kind: 'failed', partner: 'alpha', error: { code: 'TIEUP_E_TIMEOUT' } }];
    const deadlineMs = 1000;
    expect((await plan(site, { partners: [], concurrency: 1, deadlineMs })).plans).toMatchObject(late);
    expect(await refresh(site, [], 1, { deadlineMs })).toMatchObject(late);
    const bounded = request({ partners: ['alpha'], planned, deadlineMs });
    expect((await pushAll(site, bounded)).results).toMatchObject(late);
    expect(await alpha.snapshot()).toEqual(before);
    expect((await pushAll(main.site, bounded)).results).toMatchObject([{ kind: 'pushed' }]);
  });

  test('what was done before the cut counts', async () => {
    const main = await mainFixture();
    const { site } = silent(main, 1000);
    await expect(withDeadline(site, 'alpha', 1000, async () => 'committed')).resolves.toBe('committed');
    await expect(
      withDeadline(site, 'alpha', 1000, () => new Promise((done) => setImmediate(done, 'just so'))),
    ).resolves.toBe('just so');
  });

  test('a connection that is made after the deadline is closed again', async () => {
    const main = await mainFixture();
    await main.join('alpha');
    const { site, isClosed } = silent(main, 1000);
    const alpha = await loadPartnership(main.site, 'alpha');
    const failed = withDeadline(site, 'alpha', 1000, async (within) => {
      await new Promise((done) => setImmediate(done));
      return within.connect(alpha);
    });
    await expect(failed).rejects.toMatchObject({ code: 'TIEUP_E_TIMEOUT' });
    expect(isClosed()).toBe(true);
  });
});

describe('a saved plan', () => {
  async function save(main: MainFixture): Promise<ReadonlyMap<string, PlannedPartner>> {
    const { plans } = await plan(main.site, { partners: [], concurrency: 2 });
    const partners = plans.flatMap((each) => (each.kind === 'planned' ? [each.planned] : []));
    const text = renderPlanFile({ schema: 'tieup.plan-file/v1', created: '2026-11-23T12:00:00Z', partners });
    const parsed = parsePlanFile(Buffer.from(text), 'plan.json');
    expect(parsed.partners).toEqual(partners);
    return new Map(parsed.partners.map((each) => [each.partner, each]));
  }
  const pushPlanned = (main: MainFixture, planned: ReadonlyMap<string, PlannedPartner>) =>
    pushAll(main.site, request({ partners: [...planned.keys()], planned }));

  test('is pushed as it is', async () => {
    const main = await three();
    const planned = await save(main);
    expect(kinds(await pushPlanned(main, planned))).toEqual([
      ['alpha', 'pushed'],
      ['beta', 'pushed'],
      ['gamma', 'pushed'],
    ]);
  });

  test.each<readonly [string, string, (main: MainFixture) => Promise<unknown>]>([
    ['a page changed', 'index.html', (main) => main.write('pages/index.md', page('Other'))],
    ['a page came', 'news.html', (main) => main.write('pages/news.md', page('News'))],
    [
      'a title changed',
      '',
      (main) => main.write('pages/story.md', PAGES['pages/story.md']?.replace('Who we are', 'Us') ?? ''),
    ],
    [
      'the terms changed',
      'terms of harbour',
      (main) => main.editPartner('harbour', 'mount:', 'services: [pages, logs]\nmount:'),
    ],
    [
      'somebody else pushed',
      'holds release 2 now',
      async (main) => (await main.write('pages/index.md', page('Theirs')), main.pushed()),
    ],
    [
      'the contract was suspended',
      'suspended',
      (main) => main.editPartner('harbour', 'status: active', 'status: suspended'),
    ],
  ])('is refused when %s since, and nothing is sent', async (_what, named, change) => {
    const { main, shop } = await partnership();
    await main.write('pages/index.md', page('Planned'));
    const planned = await save(main);
    await change(main);
    const before = [await shop.snapshot(), await keptBy(main)];
    const error: unknown = await pushPlanned(main, planned).catch((refused: unknown) => refused);
    expect(error).toBeInstanceOf(TieupError);
    if (!(error instanceof TieupError)) return;
    expect(['TIEUP_E_DRIFT', 'TIEUP_E_CONTRACT']).toContain(error.code);
    expect([error.message, ...error.problems.map(({ message }) => message)].join('\n')).toContain(named);
    expect([await shop.snapshot(), await keptBy(main)]).toEqual(before);
  });

  test('is pushed again to who failed: whoever has it counts as done, and nobody gets anything else', async () => {
    const main = await three();
    const planned = await save(main);
    const partners = [...planned.keys()];
    const once = await pushAll(without(main, 'beta'), request({ partners, planned }));
    expect(kinds(once)).toEqual([
      ['alpha', 'pushed'],
      ['beta', 'failed'],
      ['gamma', 'pushed'],
    ]);
    expect(kinds(await pushPlanned(main, planned))).toEqual([
      ['alpha', 'unchanged'],
      ['beta', 'pushed'],
      ['gamma', 'unchanged'],
    ]);
    expect(kinds(await pushPlanned(main, planned)).map(([, kind]) => kind)).toEqual(Array(3).fill('unchanged'));
  });

  test('is refused where it is done but the pages have changed since, or another release lies there', async () => {
    const main = await mainFixture();
    const [alpha, beta] = [await main.join('alpha'), await main.join('beta')];
    const planned = await save(main);
    await pushAll(without(main, 'beta'), request({ partners: ['alpha', 'beta'], planned }));
    await main.write('pages/index.md', page('Nobody planned this'));
    const before = [await alpha.snapshot(), await beta.snapshot()];
    await expect(pushPlanned(main, planned)).rejects.toMatchObject({ code: 'TIEUP_E_DRIFT' });
    expect([await alpha.snapshot(), await beta.snapshot()]).toEqual(before);
    await main.push({ partners: ['alpha'] });
    await main.write('pages/index.md', PAGES['pages/index.md'] ?? '');
    await expect(pushPlanned(main, planned)).rejects.toMatchObject({ code: 'TIEUP_E_DRIFT' });
    expect(await beta.snapshot()).toEqual(before[1]);
  });

  test('stops at a partner tried first that has it, and has said no', async () => {
    const main = await mainFixture();
    const alpha = await main.join('alpha');
    const beta = await main.join('beta');
    const planned = await save(main);
    const careful = request({ partners: [...planned.keys()], planned, canary: 1 });
    await pushAll(main.site, { ...careful, waitMs: 4000 });
    await reject(await alpha.open(), 'too dear');
    const before = await beta.snapshot();
    expect((await pushAll(main.site, careful)).heldBack).toEqual(['beta']);
    expect(await beta.snapshot()).toEqual(before);
  });

  test('is looked at for the share alone that is pushed, and one that is down holds up nobody', async () => {
    const main = await three();
    const planned = await save(main);
    const asked = new Set<string>();
    const connect: MainSite['connect'] = async (partner) => {
      asked.add(partner.id);
      return main.site.connect(partner);
    };
    const partners = [...planned.keys()];
    const index = [1, 2].find((each) => isInShard('alpha', { index: each, count: 2 })) ?? 1;
    const mine = partners.filter((id) => isInShard(id, { index, count: 2 }));
    const shared = await pushAll({ ...main.site, connect }, request({ partners, planned, shard: { index, count: 2 } }));
    expect(kinds(shared)).toEqual(mine.map((id) => [id, 'pushed']));
    expect([...asked].toSorted()).toEqual(mine);
    // In another share, of whom nobody was asked.
    const other = partners.find((id) => !mine.includes(id)) ?? '';
    const down = await pushAll(without(main, other), request({ partners, planned }));
    expect(kinds(down)).toContainEqual([other, 'failed']);
  });

  test('is held against the inbox once more under its lock', async () => {
    const main = await mainFixture();
    await main.join('alpha');
    const planned = await save(main);
    let looks = 0;
    // Between the look at all partners and the push to this one a page changes at the partner: release 1 comes from elsewhere.
    const connect: MainSite['connect'] = async (partner) => {
      if (++looks === 2) {
        await main.write('pages/index.md', page('Theirs'));
        await main.push();
      }
      return main.site.connect(partner);
    };
    const { results } = await pushAll({ ...main.site, connect }, request({ partners: ['alpha'], planned }));
    expect(results).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_DRIFT' } }]);
  });

  test.each([
    '',
    '{}',
    'null',
    '[]',
    '{"schema":"tieup.plan-file/v1"}',
    '{"schema":"tieup.plan-file/v2","created":"","partners":[]}',
    '\u{fffd}',
  ])('%j is none', (text) => {
    expect(() => parsePlanFile(Buffer.from(text), 'x.json')).toThrow(
      expect.objectContaining({ code: 'TIEUP_E_USAGE' }),
    );
  });

  test('that names a partner twice, or one that is none, is none', () => {
    const one = {
      partner: 'a',
      base: null,
      next: 1,
      terms: '0'.repeat(64),
      files: '0'.repeat(64),
      added: [],
      changed: [],
      removed: [],
    };
    const text = (partners: readonly object[]) =>
      JSON.stringify({ schema: 'tieup.plan-file/v1', created: '', partners });
    expect(parsePlanFile(Buffer.from(text([one])), 'x').partners).toHaveLength(1);
    for (const bad of [[one, one], [{ ...one, partner: '../a' }], [{ ...one, more: 1 }], [{ ...one, next: 0 }]])
      expect(() => parsePlanFile(Buffer.from(text(bad)), 'x')).toThrow(
        expect.objectContaining({ code: 'TIEUP_E_USAGE' }),
      );
  });
});

describe('what would take too much away', () => {
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`pages/p${n}.md`, page(`Page ${n}`)]));

  test('is refused by plan and push unless that many may go', async () => {
    const { main, shop } = await partnership({ pages: many });
    for (const path of Object.keys(many).slice(0, 29)) await main.remove(path);
    const before = await shop.snapshot();
    expect((await plan(main.site, { partners: [], concurrency: 1 })).plans).toMatchObject([
      { kind: 'failed', error: { code: 'TIEUP_E_CONFLICT', exitCode: 6 } },
    ]);
    for (const maxDelete of [undefined, parseDeleteLimit('28'), parseDeleteLimit('50%')]) {
      const { results } = await pushAll(main.site, request({ maxDelete }));
      expect(results).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_CONFLICT' } }]);
    }
    expect(await shop.snapshot()).toEqual(before);
    const { results } = await pushAll(main.site, request({ maxDelete: parseDeleteLimit('29') }));
    expect(results).toMatchObject([{ kind: 'pushed' }]);
  });

  test('a few pages go unasked, unless none may', async () => {
    const { main } = await partnership();
    await main.remove('pages/story.md');
    const none = await pushAll(main.site, request({ maxDelete: parseDeleteLimit('0') }));
    expect(none.results).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_CONFLICT' } }]);
    expect((await pushAll(main.site, request())).results).toMatchObject([{ kind: 'pushed' }]);
  });

  test('is asked about also where there is little: more than half of a few pages', async () => {
    const few = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`pages/p${n}.md`, page(`Page ${n}`)]));
    const { main, shop } = await partnership({ pages: few });
    for (const path of Object.keys(few)) await main.remove(path);
    const before = await shop.snapshot();
    expect((await pushAll(main.site, request())).results).toMatchObject([
      { kind: 'failed', error: { code: 'TIEUP_E_CONFLICT', hint: expect.stringContaining('--max-delete 6') } },
    ]);
    expect(await shop.snapshot()).toEqual(before);
    await main.write('pages/p0.md', few['pages/p0.md'] ?? '');
    await main.write('pages/p1.md', few['pages/p1.md'] ?? '');
    expect((await pushAll(main.site, request())).results).toMatchObject([{ kind: 'pushed' }]);
  });

  test('is not what happens to pages that terms put below another mount, but to those that go then', async () => {
    const few = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`pages/p${n}.md`, page(`Page ${n}`)]));
    const { main } = await partnership({ pages: few });
    await main.editPartner('harbour', 'mount: /with-main/', 'mount: /elsewhere/main/');
    expect((await pushAll(main.site, request({ maxDelete: parseDeleteLimit('0') }))).results).toMatchObject([
      { kind: 'pushed' },
    ]);
    await main.editPartner('harbour', 'mount: /elsewhere/main/', 'mount: /back/');
    for (const path of Object.keys(few)) await main.remove(path);
    expect((await pushAll(main.site, request())).results).toMatchObject([
      { kind: 'failed', error: { hint: expect.stringContaining('--max-delete 6') } },
    ]);
  });

  test('is asked about whatever may go where no page would be left, and only that partner is confirmed', async () => {
    const main = await mainFixture();
    const [alpha, beta] = [await main.join('alpha'), await main.join('beta')];
    await main.push();
    for (const path of Object.keys(PAGES)) if (path.startsWith('pages/')) await main.remove(path);
    const before = [await alpha.snapshot(), await beta.snapshot()];
    for (const maxDelete of [undefined, parseDeleteLimit('100%'), parseDeleteLimit('1000')]) {
      const { results } = await pushAll(main.site, request({ maxDelete }));
      expect(results).toMatchObject([
        { kind: 'failed', error: { code: 'TIEUP_E_CONFLICT', hint: expect.stringContaining('--confirm alpha') } },
        { kind: 'failed', error: { code: 'TIEUP_E_CONFLICT', hint: expect.stringContaining('--confirm beta') } },
      ]);
    }
    expect((await plan(main.site, { partners: ['alpha'], concurrency: 1 })).plans).toMatchObject([
      { kind: 'failed', error: { code: 'TIEUP_E_CONFLICT' } },
    ]);
    expect([await alpha.snapshot(), await beta.snapshot()]).toEqual(before);
    const confirmed = new Set(['alpha']);
    expect(kinds(await pushAll(main.site, request({ confirmed })))).toEqual([
      ['alpha', 'pushed'],
      ['beta', 'failed'],
    ]);
    // There is nothing left to lose.
    await main.write('assets/style.css', 'main { max-width: 30rem }');
    expect(kinds(await pushAll(main.site, request({ partners: ['alpha'] })))).not.toEqual([['alpha', 'failed']]);

    // Who looked at a plan has seen it.
    const { plans } = await plan(main.site, { partners: ['beta'], concurrency: 1, confirmed: new Set(['beta']) });
    const planned = new Map(plans.flatMap((each) => (each.kind === 'planned' ? [[each.partner, each.planned]] : [])));
    expect(kinds(await pushAll(main.site, request({ partners: ['beta'], planned })))).toEqual([['beta', 'pushed']]);
  });

  test.each(['', '%', '101%', '-1', '1.5', 'all', '10 %'])('%j is no bound', (text) => {
    expect(() => parseDeleteLimit(text)).toThrow(expect.objectContaining({ code: 'TIEUP_E_USAGE' }));
  });
});

test('a partner that is cut off at its deadline is left without a lock, and without what was half sent', async () => {
  const main = await mainFixture();
  const alpha = await main.join('alpha');
  await main.push();
  await main.write('pages/index.md', page('Other'));
  const before = await alpha.snapshot();
  let hangs = (): void => {};
  const hanging = new Promise<void>((resolve) => (hangs = resolve));
  let pauses = 0;
  const clock: MainSite['clock'] = {
    ...main.clock,
    // The first is the deadline, and what follows lasts as long as it is waited for.
    sleep: (_ms, signal) => {
      pauses += 1;
      if (pauses === 1) return hanging;
      return new Promise((_, end) => signal?.addEventListener('abort', () => end(new Error('over'))));
    },
  };
  const connect: MainSite['connect'] = async (partner) => {
    const tree = await main.site.connect(partner);
    const stage: FileTree['stage'] = async (path, content, options) => {
      if (!path.endsWith('timestamp.json')) return tree.stage(path, content, options);
      // While the lock is being made, nobody knows of it yet.
      void locked.then(hangs);
      return new Promise(() => {});
    };
    let isLocked = (): void => {};
    const locked = new Promise<void>((resolve) => (isLocked = resolve));
    const create: FileTree['create'] = async (path, content, options) => {
      await tree.create(path, content, options);
      // Whoever asked for it goes on first.
      if (path === INBOX_LOCK) setImmediate(isLocked);
    };
    return { ...tree, stage, create };
  };
  const { results } = await pushAll({ ...main.site, clock, connect }, request({ deadlineMs: 1000 }));
  expect(results).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_TIMEOUT' } }]);
  expect(await alpha.snapshot()).toEqual(before);
  expect(await main.push()).toMatchObject([{ kind: 'pushed', release: 2 }]);
});

describe('what is no failure of a partner', () => {
  test('Ctrl-C is kept for the next push, and recorded against nobody', async () => {
    const main = await three();
    const connect: MainSite['connect'] = async () => {
      throw new TieupError('TIEUP_E_INTERRUPTED', 'the connection was given up');
    };
    expect(kinds(await pushAll({ ...main.site, connect }, request()))).toEqual([
      ['alpha', 'failed'],
      ['beta', 'failed'],
      ['gamma', 'failed'],
    ]);
    expect((await readRecord(main.site, 'alpha')).failure).toBeNull();
    expect((await readUnfinished(main.site)).size).toBe(3);
  });

  test('a bound for deletions is no failure of the partner, and nothing to be tried again', async () => {
    const main = await three();
    await main.push();
    for (const name of ['visit', 'story']) await main.remove(`pages/${name}.md`);
    const pushed = await pushAll(main.site, request({ partners: ['alpha'], maxDelete: { kind: 'files', most: 0 } }));
    expect(pushed.results).toMatchObject([{ kind: 'failed', error: { code: 'TIEUP_E_CONFLICT' } }]);
    expect((await readRecord(main.site, 'alpha')).failure).toBeNull();
    expect([...(await readUnfinished(main.site))]).toEqual([]);
  });
});
