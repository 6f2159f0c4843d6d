/**
 * A site on a real sshd, published from elsewhere, whose connection is lost at every single request: visitors get the old site or
 * the new one, or of each file one of the two, and the next command completes or undoes what was begun.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isTieupError } from '../../src/errors.ts';
import { folderTree } from '../../src/io/folder-tree.ts';
import type { SftpConnection } from '../../src/io/sftp-connection.ts';
import { sftpTree } from '../../src/io/sftp-tree.ts';
import type { MainSite } from '../../src/main-site/main-site.ts';
import { faultOf } from '../../src/main-site/trouble.ts';
import { unlock } from '../../src/main-site/unlock.ts';
import type { PartnerSite } from '../../src/partner-site/partner-site.ts';
import { readJournal } from '../../src/publish/journal.ts';
import type { Layout, Ports } from '../../src/publish/ports.ts';
import { recover } from '../../src/publish/recover.ts';
import { rollbackTo } from '../../src/publish/rollback.ts';
import { verifyLive } from '../../src/publish/verify.ts';
import { type Drop, droppingConnection, type DroppingConnection } from '../support/dropping-connection.ts';
import { answersOf, chainFaults } from '../support/outbox.ts';
import type { PartnerFixture } from '../support/partner-fixture.ts';
import { mainFixture, partnership } from '../support/partnership-fixture.ts';
import { realPart } from '../support/real-parts.ts';
import {
  CRASH_NEW,
  CRASH_OLD,
  CRASH_ORIGINAL,
  dumpLive,
  fill,
  goLive,
  layoutOf,
  makeRelease,
  NOW,
  portsIn,
} from '../support/site-fixture.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

const LONG = { timeout: 240_000 };
const NEVER: Drop = { at: Number.POSITIVE_INFINITY, lost: 'request' };

const OLD_SITE = { ...CRASH_ORIGINAL, ...CRASH_OLD };
const NEW_ORIGINAL = { ...CRASH_ORIGINAL, 'about/us.html': 'about us, changed', 'news.html': 'news' };
const NEW_SITE = { ...NEW_ORIGINAL, ...CRASH_NEW };
const BACK_SITE = { ...NEW_ORIGINAL, ...CRASH_OLD };

const sshdPath = realPart('sshd');

describe.skipIf(sshdPath === undefined)('a site on a server, published by', () => {
  let sshd: Sshd;
  let connection: SftpConnection;
  let base: string;
  beforeAll(async () => {
    sshd = await startSshd(sshdPath ?? '');
    connection = await sshd.connect();
    base = await mkdtemp(join(tmpdir(), 'tieup-'));
  });
  afterAll(async () => {
    await sshd?.dispose();
    await rm(base, { recursive: true, force: true });
  });

  /** What publishing works on from a laptop: the site over SFTP, the state at home. */
  const portsOver = (over: SftpConnection, folder: string): Ports => ({
    original: sftpTree(over, join(folder, 'original')),
    web: sftpTree(over, join(folder, 'web')),
    state: folderTree(join(folder, 'state')),
  });

  interface Case {
    readonly name: string;
    readonly before: Readonly<Record<string, string>>;
    readonly after: Readonly<Record<string, string>>;
    /** Brings a site to where it starts. */
    readonly arrange: (ports: Ports, layout: Layout) => Promise<unknown>;
    readonly work: (ports: Ports, layout: Layout) => Promise<unknown>;
  }
  const publishNew = async (ports: Ports, layout: Layout) =>
    goLive(ports, layout, await makeRelease(ports.state, 2, CRASH_NEW));
  const CASES: readonly Case[] = [
    { name: 'publication', before: OLD_SITE, after: NEW_SITE, arrange: async () => {}, work: publishNew },
    {
      name: 'rollback',
      before: NEW_SITE,
      after: BACK_SITE,
      arrange: publishNew,
      work: (ports, layout) => rollbackTo(ports, layout, 1, { decisionDigest: null, now: NOW }),
    },
  ];

  const prepared = async (how: Layout['how'], { arrange, name }: Case): Promise<string> => {
    const folder = join(base, `${how}-${name}`);
    const ports = portsIn(folder, 'separate');
    await fill(ports.original ?? ports.web, CRASH_ORIGINAL);
    await goLive(ports, layoutOf(how), await makeRelease(ports.state, 1, CRASH_OLD));
    await fill(ports.original ?? ports.web, { 'about/us.html': 'about us, changed', 'news.html': 'news' });
    await arrange(ports, layoutOf(how));
    return folder;
  };

  const attempt = async (
    template: string,
    drop: Drop,
    work: (ports: Ports) => Promise<unknown>,
  ): Promise<{ readonly folder: string; readonly over: DroppingConnection; readonly code: string }> => {
    const folder = `${template}-site`;
    await rm(folder, { recursive: true, force: true });
    await cp(template, folder, { recursive: true, verbatimSymlinks: true });
    const over = droppingConnection(connection, drop);
    try {
      await work(portsOver(over, folder));
      return { folder, over, code: 'ok' };
    } catch (error) {
      if (!isTieupError(error)) throw error;
      return { folder, over, code: error.code };
    }
  };

  /** What one process of the manager's laptop works with. */
  const openOver = async (shop: PartnerFixture, over: SftpConnection): Promise<PartnerSite> => {
    const site = await shop.open();
    const at = (path: string) => sftpTree(over, shop.path(path));
    const ports = { ...site.ports, original: at('original'), web: sftpTree(over, shop.folder) };
    return { ...site, exchange: at('exchange'), slots: at('slots'), ports };
  };

  test('link: an acceptance whose connection is lost is finished by the next one, and decided once', LONG, async () => {
    const { main, shop } = await partnership({ publish: 'link' });
    await shop.accept();
    await main.write('pages/news.md', '---\ntitle: News\n---\n\nIt rains.\n');
    await main.remove('pages/story.md');
    await main.pushed();
    const before = await shop.live();
    const whole = await shop.copy();
    const counting = droppingConnection(connection, NEVER);
    await whole.accept(await openOver(whole, counting));
    const after = await whole.live();
    expect(after).not.toEqual(before);

    const seen = new Set<string>();
    for (let at = 3; at <= counting.requests(); at += 5) {
      const copy = await shop.copy();
      const drop: Drop = { at, lost: at % 2 === 0 ? 'request' : 'answer' };
      await ignoring('TIEUP_E_CONNECTION', copy.accept(await openOver(copy, droppingConnection(connection, drop))));
      expect([before, after]).toContainEqual(await copy.live());
      const result = await copy.accept(await openOver(copy, droppingConnection(connection, NEVER)));
      const { decision, receipt, digest, chain } = await answersOf(copy);
      expect(chain).toHaveLength(2);
      expect(chainFaults(chain)).toEqual([]);
      expect(receipt).toMatchObject({ state: 'live', release: decision?.release, decision: digest });
      expect(await copy.live()).toEqual(after);
      seen.add(result.kind);
    }
    expect(seen).toEqual(new Set(['live', 'nothing-new']));
  });

  test.each([
    ['link', false, 'publisher: main\nsite: { public: ../public, original: ../original, publish: link }\n'],
    ['overwrite', true, 'publisher: main\nsite: { public: ../public }\n'],
  ] as const)(
    '%s: what a main site publishes itself is whole, and completed by its next push',
    LONG,
    async (...how) => {
      const [publish, inPlace, lines] = how;
      const main = await mainFixture();
      const ready = await main.join('harbour', { publish, inPlace, partnership: lines });
      await main.pushed();
      await ready.accept();
      const before = await ready.live();
      const saved = await mkdtemp(join(base, 'main-'));
      await cp(join(main.folder, '.tieup'), saved, { recursive: true });

      /** One process of the main site; those with other numbers are dead. */
      const siteOver = (shop: PartnerFixture, over: SftpConnection, pid: number): MainSite => {
        const exchange = shop.path('exchange');
        const owner = { who: `process ${pid}`, id: `${pid}`, host: 'main', pid };
        return {
          ...main.site,
          owner,
          isAlive: (other) => other === pid,
          connect: async () => sftpTree(over, exchange),
          openSite: async () => ({
            tree: (place) => sftpTree(over, resolve(exchange, place)),
            // Another machine each: none has what the one before had fetched.
            kept: folderTree(join(base, `kept-${pid}`)),
            close: async () => {},
          }),
        };
      };
      const push = async (site: MainSite): Promise<string> => {
        const [result] = await main.push({}, site);
        return (result && faultOf(result)?.code) ?? 'ok';
      };
      const rewound = async (): Promise<PartnerFixture> => {
        await rm(join(main.folder, '.tieup'), { recursive: true });
        await cp(saved, join(main.folder, '.tieup'), { recursive: true });
        return ready.copy();
      };

      const whole = await rewound();
      const counting = droppingConnection(connection, NEVER);
      expect(await push(siteOver(whole, counting, 10))).toBe('ok');
      const after = await whole.live();
      expect(after).not.toEqual(before);
      const outcomes = new Set<string>();
      const nameless: unknown[] = [];
      // The two ways between them lose two of three requests.
      for (let at = publish === 'link' ? 1 : 2; at <= counting.requests(); at += 3) {
        const shop = await rewound();
        const drop: Drop = { at, lost: at % 2 === 0 ? 'request' : 'answer' };
        outcomes.add(await push(siteOver(shop, droppingConnection(connection, drop), 2 * at + 100)));
        expect(strangeIn(await shop.live(), publish, [before, after])).toEqual([]);
        const next = siteOver(shop, droppingConnection(connection, NEVER), 2 * at + 101);
        const pushed = await push(next);
        // A lock whose holder was cut off before it wrote its name is somebody's until tieup unlock, or for a minute.
        if (pushed === 'TIEUP_E_LOCKED') nameless.push((await unlock(next, 'harbour'))?.who);
        expect(pushed === 'ok' ? pushed : await push(next)).toBe('ok');
        expect(await shop.live()).toEqual(after);
      }
      expect(outcomes).toContain('TIEUP_E_CONNECTION');
      expect(nameless.length).toBeLessThan(4);
      expect(nameless).toEqual(nameless.map(() => 'a process that did not write its name'));
    },
  );

  describe.each(['link', 'overwrite'] as const)('%s', (how) => {
    const layout = layoutOf(how);

    test.each(CASES)('is old or new wherever a $name loses its connection', LONG, async (played) => {
      const { before, after } = played;
      const sites = [before, after];
      const template = await prepared(how, played);
      const whole = await attempt(template, NEVER, (ports) => played.work(ports, layout));
      expect(await dumpLive(portsIn(whole.folder, 'separate'), layout)).toEqual(after);
      const requests = whole.over.requests();
      expect(requests).toBeGreaterThan(60);

      const outcomes: string[] = [];
      /** What is live once the work was done again; not after each request, for the time it takes. */
      const afterwards: unknown[] = [];
      for (let at = 1; at <= requests; at += 1) {
        const lost = at % 2 === 0 ? 'request' : 'answer';
        const { folder, code } = await attempt(template, { at, lost }, (ports) => played.work(ports, layout));
        const local = portsIn(folder, 'separate');
        const served = await dumpLive(local, layout);
        expect(strangeIn(served, how, sites)).toEqual([]);

        // The next command loses its connection as well, somewhere, and the one after that has a good day.
        const again = droppingConnection(connection, { at: 1 + (at % 23), lost: 'answer' });
        if (outcomes.length % 3 === 0) await ignoring('TIEUP_E_CONNECTION', recover(portsOver(again, folder), layout));
        const ports = portsOver(droppingConnection(connection, NEVER), folder);
        await recover(ports, layout);
        const settled = await dumpLive(local, layout);
        expect(sites).toContainEqual(settled);
        expect(await verifyLive(local, layout)).toEqual([]);
        expect(await readJournal(local.state)).toBeUndefined();
        outcomes.push(`${code} ${isDeepStrictEqual(settled, after) ? 'new' : 'old'}`);
        if (outcomes.length % 9 === 0) {
          await played.work(ports, layout);
          afterwards.push(await dumpLive(local, layout));
        }
      }
      expect(afterwards).toEqual(afterwards.map(() => after));
      expect(afterwards.length).toBeGreaterThan(3);
      expect(new Set(outcomes)).toContain('TIEUP_E_CONNECTION old');
      expect(outcomes).not.toContain('ok old');
    });
  });
});

async function ignoring(code: 'TIEUP_E_CONNECTION', work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isTieupError(error, code)) throw error;
  }
}

/** What is in neither site: by link the tree as a whole, otherwise each file. */
function strangeIn(
  served: Readonly<Record<string, string>>,
  how: Layout['how'],
  sites: readonly Readonly<Record<string, string>>[],
): readonly unknown[] {
  if (how === 'link') return sites.some((site) => isDeepStrictEqual(site, served)) ? [] : [served];
  return Object.entries(served).filter(([path, text]) => sites.every((site) => site[path] !== text));
}
