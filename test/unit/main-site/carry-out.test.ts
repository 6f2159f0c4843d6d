/** `publisher: main`: the main site changes the live tree itself, after the manager's signed decision and by it alone. */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parsePartnership } from '../../../src/config/partnership.ts';
import { TieupError } from '../../../src/errors.ts';
import { BrokenLine } from '../../../src/io/broken-line.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { readHold } from '../../../src/main-site/holds.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { readRecord } from '../../../src/main-site/record.ts';
import { rollbackTo } from '../../../src/main-site/rollback.ts';
import { faultOf } from '../../../src/main-site/trouble.ts';
import { readUnfinished } from '../../../src/main-site/unfinished.ts';
import { unlock } from '../../../src/main-site/unlock.ts';
import { leave } from '../../../src/partner-site/leave.ts';
import { merge, withhold } from '../../../src/partner-site/merge.ts';
import { reject } from '../../../src/partner-site/reject.ts';
import { rollback } from '../../../src/partner-site/rollback.ts';
import { status } from '../../../src/partner-site/status.ts';
import { verify } from '../../../src/partner-site/verify.ts';
import { answersOf } from '../../support/outbox.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { mainFixture, ORIGINALS, type MainFixture } from '../../support/partnership-fixture.ts';
import { filesBelow } from '../../support/joined-sites.ts';

const HOWS = {
  link: { publish: 'link', site: 'site: { public: ../public, original: ../original, publish: link }' },
  'in place': { publish: 'overwrite', inPlace: true, site: 'site: { public: ../public }' },
} as const;

async function sites(
  how: keyof typeof HOWS = 'in place',
): Promise<{ readonly main: MainFixture; readonly shop: PartnerFixture }> {
  const { site, ...options } = HOWS[how];
  const main = await mainFixture();
  const shop = await main.join('harbour', { ...options, partnership: `publisher: main\n${site}\n` });
  await shop.write('slots/visit/hours.md', 'From ten to six.\n');
  await main.pushed();
  return { main, shop };
}

/** Everything but what the two sides tell each other. */
const liveBytes = (shop: PartnerFixture): unknown => {
  return Object.fromEntries(
    Object.entries(filesBelow(shop.folder, 'exchange')).filter(([path]) =>
      /^(?:public|published|original)\b/.test(path),
    ),
  );
};

const pushResult = async (main: MainFixture) => (await main.push())[0];

describe.each(['link', 'in place'] as const)('a partner for which the main site publishes, %s', (how) => {
  test('sees message, then decision, then the pages, and no byte of them before', async () => {
    const { main, shop } = await sites(how);
    const before = liveBytes(shop);
    await pushResult(main);
    await status(await shop.open());
    expect(liveBytes(shop)).toEqual(before);

    expect(await shop.accept()).toMatchObject({ kind: 'handed-over', decision: { verdict: 'accepted', release: 1 } });
    expect(liveBytes(shop)).toEqual(before);
    expect((await answersOf(shop)).receipt).toBeUndefined();

    expect(await pushResult(main)).toMatchObject({ kind: 'unchanged' });
    const live = await shop.live();
    expect(live['with-main/visit.html']).toContain('From ten to six.');
    expect(live['index.html']).toContain('my home');

    // The partner finds that it is what was decided, and says so.
    await status(await shop.open());
    const { receipt, digest } = await answersOf(shop);
    expect(receipt).toMatchObject({ state: 'live', release: 1, decision: digest });
    expect(await verify(await shop.open())).toMatchObject({ differences: [] });
    expect(await pushResult(main)).toMatchObject({ kind: 'unchanged' });
    expect(await shop.live()).toEqual(live);
    expect(await shop.accept()).toMatchObject({ kind: 'nothing-new' });
  });

  test('withholds a page, changes a slot, and leaves', async () => {
    const { main, shop } = await sites(how);
    const before = await shop.live();
    await shop.accept();
    await pushResult(main);
    await withhold(await shop.open(), { page: 'story', undo: false });
    await pushResult(main);
    expect(Object.keys(await shop.live())).not.toContain('with-main/story.html');
    await shop.write('slots/visit/hours.md', 'Closed.\n');
    await merge(await shop.open());
    await pushResult(main);
    expect((await shop.live())['with-main/visit.html']).toContain('Closed.');
    await expect(rollback(await shop.open(), undefined)).rejects.toMatchObject({ code: 'TIEUP_E_CONTRACT' });
    await leave(await shop.open(), {
      reason: null,
      choices: {},
      confirm: async () => true,
      choose: async () => undefined,
    });
    const left = await shop.live();
    expect(Object.keys(left).filter((path) => path.startsWith('with-main/'))).toEqual([]);
    expect(left).toEqual(how === 'in place' ? before : ORIGINALS);
    expect((await answersOf(shop)).receipt).toMatchObject({ state: 'left' });
    await pushResult(main);
    expect(await shop.live()).toEqual(left);
  });
});

describe('nothing is published', () => {
  const refusals: readonly (readonly [
    string,
    string,
    (main: MainFixture, shop: PartnerFixture) => Promise<unknown>,
  ])[] = [
    ['without a decision', 'unchanged', async () => {}],
    ['after a no', 'unchanged', async (_, shop) => reject(await shop.open(), 'not now')],
    [
      'after a yes that was taken back',
      'unchanged',
      async (_, shop) => {
        await shop.accept();
        await reject(await shop.open(), 'on second thoughts');
      },
    ],
    [
      'by a decision that somebody forged',
      'TIEUP_E_VERIFY',
      async (_, shop) => {
        await shop.accept();
        const note = shop.path('exchange/outbox/decision.note');
        await writeFile(note, (await readFile(note, 'utf8')).replace('by manager', 'by policy'));
      },
    ],
    [
      'by other choices than were decided on',
      'TIEUP_E_VERIFY',
      async (_, shop) => {
        await shop.accept();
        const [text = ''] = await mergeTexts(shop);
        await writeFile(
          text,
          (await readFile(text, 'utf8')).replace('tieup-merge/1\n', 'tieup-merge/1\nwithheld with-main%2Fstory.html\n'),
        );
      },
    ],
    [
      'with another text in a slot',
      'TIEUP_E_VERIFY',
      async (_, shop) => {
        await shop.accept();
        for (const name of await slotTexts(shop)) await writeFile(name, '<p>evil</p>');
      },
    ],
    [
      'where a page of the partner has come in the way since',
      'TIEUP_E_CONFLICT',
      async (_, shop) => {
        await shop.accept();
        await shop.write('public/with-main/index.html', 'mine\n');
      },
    ],
    [
      'under other terms than were agreed to',
      'TIEUP_E_CONTRACT',
      async (main, shop) => {
        await shop.accept();
        await main.editPartner('harbour', 'publisher: main\n', 'publisher: main\npolicy: { scripts: own }\n');
      },
    ],
    [
      'when the decision is too old',
      'TIEUP_E_EXPIRED',
      async (main, shop) => {
        await shop.accept();
        main.clock.passDays(100);
      },
    ],
    [
      'where the file of the partner does not say where its site is',
      'TIEUP_E_CONFIG',
      async (main, shop) => {
        await shop.accept();
        await main.editPartner('harbour', 'site: { public: ../public }\n', '');
      },
    ],
  ];
  test.each(refusals)('%s', async (_, expected, arrange) => {
    const { main, shop } = await sites();
    await arrange(main, shop);
    const before = liveBytes(shop);
    const result = await pushResult(main);
    expect((result && faultOf(result)?.code) ?? result?.kind).toBe(expected);
    expect(liveBytes(shop)).toEqual(before);
  });

  test('and what stands in its way keeps no new release back, and is remembered as a failure', async () => {
    const { main, shop } = await sites();
    await shop.accept();
    await shop.write('public/with-main/index.html', 'mine\n');
    await main.write('pages/news.md', '---\ntitle: News\n---\n\nIt rains.\n');
    const before = liveBytes(shop);
    expect(await pushResult(main)).toMatchObject({
      kind: 'pushed',
      release: 2,
      troubles: [{ kind: 'publication', error: { code: 'TIEUP_E_CONFLICT' } }],
    });
    expect(liveBytes(shop)).toEqual(before);
    expect([...(await readUnfinished(main.site))]).toEqual(['harbour']);
    expect((await readRecord(main.site, 'harbour')).failure?.code).toBe('TIEUP_E_CONFLICT');
    const { entries } = await main.site.history.read();
    expect(entries.slice(-2).map(({ action }) => action)).toEqual(expect.arrayContaining(['publish-failed', 'push']));
  });

  test('where a few are tried first, and it does not go well there', async () => {
    const { main, shop } = await sites();
    await main.join('meadow');
    await shop.accept();
    await shop.write('public/with-main/index.html', 'mine\n');
    const results = await main.push({ canary: 1 });
    expect(results.map(({ partner }) => partner)).toEqual(['harbour']);
  });

  test('that the partner would call live unless it is what was decided', async () => {
    const { main, shop } = await sites();
    await shop.accept();
    await pushResult(main);
    await shop.write('public/with-main/story.html', 'changed by the main site\n');
    // A ledger that agrees with it: the main site can write both.
    await forgeLedger(shop, 'with-main/story.html');
    await status(await shop.open());
    expect((await answersOf(shop)).receipt).toBeUndefined();
    const { differences } = await verify(await shop.open());
    expect(differences.map(({ path }) => path)).toContain('with-main/story.html');
  });
});

test('a no that comes while the main site is about to publish is heard', async () => {
  const { main, shop } = await sites();
  await shop.accept();
  const before = liveBytes(shop);
  const openSite: MainSite['openSite'] = async (partnership) => {
    await reject(await shop.open({ isAlive: () => false }), 'on second thoughts');
    return main.site.openSite(partnership);
  };
  const [result] = await main.push({}, { ...main.site, openSite });
  expect(result && faultOf(result)).toBeUndefined();
  expect(liveBytes(shop)).toEqual(before);
});

test('a line that is cut while the main site publishes leaves its own lock, which the next attempt takes over', async () => {
  const { main, shop } = await sites();
  await shop.accept();
  let opened = 0;
  const openSite: MainSite['openSite'] = async (partnership) => {
    const access = await main.site.openSite(partnership);
    opened += 1;
    if (opened > 1) return access;
    let isCut = false;
    const cut = () => {
      isCut = true;
      throw new TieupError('TIEUP_E_CONNECTION', 'the line was cut', { cause: new BrokenLine() });
    };
    const tree = (folder: string): FileTree => {
      const whole = access.tree(folder);
      return {
        ...whole,
        // Cut at the journal; from then on nothing goes through, the release of the lock neither.
        write: async (path, ...rest) => (isCut || path === 'journal.json' ? cut() : whole.write(path, ...rest)),
        remove: async (path) => (isCut ? cut() : whole.remove(path)),
        read: async (...words) => (isCut ? cut() : whole.read(...words)),
      };
    };
    return { ...access, tree };
  };
  const [result] = await main.push({}, { ...main.site, openSite });
  expect(result && faultOf(result)).toBeUndefined();
  expect(opened).toBe(2);
  expect(Object.keys(await shop.live())).toContain('with-main/index.html');
  expect(await readdir(shop.path('exchange/ledger'))).not.toContain('lock');
});

test('tieup unlock also removes the lock of a publication, and says who held it', async () => {
  const { main, shop } = await sites();
  await shop.accept();
  const lock = { who: 'ci@runner, process 7', id: 'seven', host: 'runner', pid: 7, until: '2026-11-23T12:30:00Z' };
  await shop.write('exchange/ledger/lock', JSON.stringify(lock));
  const before = liveBytes(shop);
  const [locked] = await main.push();
  expect(locked && faultOf(locked)?.code).toBe('TIEUP_E_LOCKED');
  expect(liveBytes(shop)).toEqual(before);
  expect(await unlock(main.site, 'harbour')).toMatchObject({ who: lock.who });
  const { entries } = await main.site.history.read();
  expect(entries.at(-1)).toMatchObject({ action: 'unlock', partner: 'harbour', detail: `held by ${lock.who}` });
  await main.push();
  expect(Object.keys(await shop.live())).toContain('with-main/index.html');
});

describe('a rollback from the main site', () => {
  const back = (main: MainFixture, site = main.site) =>
    rollbackTo(site, {
      partner: 'harbour',
      message: { subject: undefined, text: undefined },
      onProgress: () => {},
    });

  async function twoReleases(): Promise<Awaited<ReturnType<typeof sites>>> {
    const both = await sites();
    const { main, shop } = both;
    await shop.accept();
    await main.push();
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\n# A mistake\n');
    await main.pushed();
    await shop.accept();
    await main.push();
    return both;
  }

  test('goes live once it is accepted, though it is held', async () => {
    const { main, shop } = await twoReleases();
    await main.join('meadow');
    expect((await shop.live())['with-main/index.html']).toContain('A mistake');
    await back(main);
    await shop.accept();
    const results = await main.push();
    expect(results.map(({ partner }) => partner)).toEqual(['meadow']);
    expect((await shop.live())['with-main/index.html']).not.toContain('A mistake');
  });

  test('goes live also where its partner is named, and is refused because of the hold', async () => {
    const { main, shop } = await twoReleases();
    await back(main);
    await shop.accept();
    const [result] = await main.push({ partners: ['harbour'] });
    expect(result && faultOf(result)?.code).toBe('TIEUP_E_HELD');
    expect((await shop.live())['with-main/index.html']).not.toContain('A mistake');
  });

  test('is held although what was decided before cannot be published', async () => {
    const { main, shop } = await twoReleases();
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\n# A further mistake\n');
    await main.pushed();
    await shop.accept();
    const full = new TieupError('TIEUP_E_STORAGE', 'the disk is full');
    const { result } = await back(main, { ...main.site, openSite: () => Promise.reject(full) });
    expect(result).toMatchObject({ kind: 'pushed', troubles: [{ kind: 'publication', error: full }] });
    expect(await readHold(main.site, 'harbour')).toMatchObject({ release: 4, to: 2 });
  });

  test('is held from before it is there, so that a kill leaves no moment without', async () => {
    const { main } = await twoReleases();
    let held: unknown;
    const connect: MainSite['connect'] = async (partnership) => {
      held = await readHold(main.site, 'harbour');
      throw new TieupError('TIEUP_E_LOGIN', `no login at ${partnership.id}`);
    };
    const { result } = await back(main, { ...main.site, connect });
    expect(result.kind).toBe('failed');
    expect(held).toMatchObject({ to: 1 });
    // It never was there, so that nothing is held.
    expect(await readHold(main.site, 'harbour')).toBeUndefined();
  });
});

test('a site that does not answer is cut off at the deadline, and what was pushed counts', async () => {
  const { main, shop } = await sites();
  await shop.accept();
  let closed = 0;
  let isCut = false;
  let isSilent: () => void = () => {};
  const fallenSilent = new Promise<void>((resolve) => void (isSilent = resolve));
  const silent: MainSite = {
    ...main.site,
    clock: { ...main.site.clock, sleep: (_, signal) => (isCut ? untilAborted(signal) : fallenSilent) },
    openSite: async (partnership) => {
      const access = await main.site.openSite(partnership);
      let end: (error: TieupError) => void = () => {};
      const never = new Promise<never>((_, fail) => void (end = fail));
      never.catch(() => {});
      const unanswered = (): Promise<never> => {
        isSilent();
        return never;
      };
      const close = async () => {
        closed += 1;
        isCut = true;
        end(new TieupError('TIEUP_E_CONNECTION', 'it was closed'));
      };
      return {
        ...access,
        tree: (folder) => ({ ...access.tree(folder), create: unanswered, read: unanswered }),
        close,
      };
    },
  };
  const before = liveBytes(shop);
  const [result] = await main.push({ deadlineMs: 1000 }, silent);
  expect(result).toMatchObject({
    kind: 'unchanged',
    troubles: [{ kind: 'publication', error: { code: 'TIEUP_E_TIMEOUT' } }],
  });
  expect(closed).toBeGreaterThan(0);
  expect(liveBytes(shop)).toEqual(before);
});

function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((_, fail) => signal?.addEventListener('abort', () => fail(new Error('aborted'))));
}

test('who publishes is partner or main, and nobody else', () => {
  const text = 'id: a\nname: A\nurl: https://a.example/\nmount: /m/\nperiod: { from: "2026-01-01" }\n';
  expect(parsePartnership(text, 'a.yaml').publisher).toBe('partner');
  expect(parsePartnership(`${text}publisher: main\n`, 'a.yaml').publisher).toBe('main');
  expect(() => parsePartnership(`${text}publisher: both\n`, 'a.yaml')).toThrow('a.yaml');
});

async function mergeTexts(shop: PartnerFixture): Promise<readonly string[]> {
  return (await outboxMerge(shop)).filter((path) => path.endsWith('.txt'));
}

async function slotTexts(shop: PartnerFixture): Promise<readonly string[]> {
  return (await outboxMerge(shop)).filter((path) => !path.endsWith('.txt'));
}

async function outboxMerge(shop: PartnerFixture): Promise<readonly string[]> {
  const folder = shop.path('exchange/outbox/merge');
  return (await readdir(folder)).map((name) => `${folder}/${name}`);
}

async function forgeLedger(shop: PartnerFixture, path: string): Promise<void> {
  const bytes = await readFile(shop.path(`public/${path}`));
  const ledger = shop.path('exchange/ledger/published/1.ledger');
  const text = await readFile(ledger, 'utf8');
  const digest = createHash('sha256').update(bytes).digest('hex');
  const escaped = path.replaceAll('/', '(?:/|%2F)');
  const forged = text.replace(
    new RegExp(`^[0-9a-f]{64} \\d+ (\\d+) (${escaped})$`, 'm'),
    `${digest} ${bytes.length} $1 $2`,
  );
  if (forged === text) throw new Error('the ledger has no such line');
  await writeFile(ledger, forged);
}
