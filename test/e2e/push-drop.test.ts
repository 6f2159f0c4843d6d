/**
 * A push whose connection breaks: wherever that is, the partner still opens the old release or the complete new one, and
 * the next push completes what was begun without a person.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isTieupError, TieupError } from '../../src/errors.ts';
import type { FileTree } from '../../src/io/file-tree.ts';
import { folderTree } from '../../src/io/folder-tree.ts';
import { connectSftp } from '../../src/io/sftp-connection.ts';
import { sftpTree } from '../../src/io/sftp-tree.ts';
import type { MainSite } from '../../src/main-site/main-site.ts';
import type { PushResult } from '../../src/main-site/push.ts';
import { unlock } from '../../src/main-site/unlock.ts';
import { cuttingProxy } from '../support/cutting-proxy.ts';
import { embeddedSftp } from '../support/embedded-sftp.ts';
import type { PartnerFixture } from '../support/partner-fixture.ts';
import { changePages, mainFixture, type MainFixture } from '../support/partnership-fixture.ts';
import { realPart } from '../support/real-parts.ts';
import { startSshd } from '../support/sshd.ts';

/** More than a hundred pushes. */
const LONG = { timeout: 480_000 };

type Live = Readonly<Record<string, string>>;

interface Scene {
  readonly main: MainFixture;
  readonly shop: PartnerFixture;
  /** What visitors see before the push is accepted, and after. */
  readonly before: Live;
  readonly after: Live;
  /** Makes the inbox, and what the main site remembers, what they were before the push. */
  rewind(): void;
  /** What follows from a state in which a push broke off. Most requests leave the state that the one before left. */
  readonly known: Map<string, Promise<Aftermath>>;
}

/** A push of the first release, or of a change to it: a page changed, one new, one gone. */
async function scene(which: 'the first release' | 'a change'): Promise<Scene> {
  const main = await mainFixture();
  const shop = await main.join();
  if (which === 'a change') {
    await main.pushed();
    await shop.accept();
    await changePages(main);
  }
  const before = await shop.live();
  const began = main.clock.now();
  const saved = `${main.folder}-saved`;
  const folders = { memory: join(main.folder, '.tieup'), inbox: shop.path('exchange/inbox') };
  for (const [name, folder] of Object.entries(folders)) {
    mkdirSync(folder, { recursive: true });
    cpSync(folder, join(saved, name), { recursive: true });
  }
  const rewind = (): void => {
    main.clock.set(began);
    for (const [name, folder] of Object.entries(folders)) {
      rmSync(folder, { recursive: true, force: true });
      cpSync(join(saved, name), folder, { recursive: true });
    }
  };
  const complete = await shop.copy();
  await pushBy(main, 1, async () => folderTree(complete.path('exchange')));
  await complete.accept();
  return { main, shop, before, after: await complete.live(), rewind, known: new Map() };
}

/** One process of the main site; those with other numbers are dead. */
async function pushBy(main: MainFixture, pid: number, connect: () => Promise<FileTree>): Promise<PushResult> {
  const owner = { who: `process ${pid}`, id: `${pid}`, host: 'main', pid };
  let connections = 0;
  // What one attempt leaves is looked at: that a process makes another is shown in push-again.test.ts.
  const once: MainSite['connect'] = async () => {
    connections += 1;
    if (connections > 1) throw new TieupError('TIEUP_E_CONNECTION', 'the line is down');
    return connect();
  };
  const clock = { ...main.clock, sleep: async () => {} };
  const site: MainSite = { ...main.site, owner, clock, isAlive: (other) => other === pid, connect: once };
  const [result] = await main.push({}, site);
  if (result === undefined) throw new Error('nobody was pushed to');
  return result;
}

interface Aftermath {
  readonly visitors: 'before' | 'after' | 'a mixture';
  /** What the partner's `accept` said: `ok`, or the code of the error. */
  readonly accept: string;
  /** What the next push said first. */
  readonly rerun: string;
}

interface Outcome extends Aftermath {
  readonly push: string;
}

/** Breaks one push, lets the partner accept what it finds once the server is `idle`, and pushes again. */
async function breakOnce(
  played: Scene,
  connect: (shop: PartnerFixture) => Promise<FileTree>,
  idle = async (): Promise<void> => {},
): Promise<Outcome> {
  const { main, shop } = played;
  played.rewind();
  const pushed = await pushBy(main, 2, () => connect(shop));
  await idle();
  const state = stateOf(shop.path('exchange/inbox'), join(main.folder, '.tieup'));
  const aftermath = played.known.get(state) ?? goOn(played, await shop.copy());
  played.known.set(state, aftermath);
  return { push: pushed.kind === 'failed' ? pushed.error.code : 'ok', ...(await aftermath) };
}

async function goOn({ main, before, after }: Scene, shop: PartnerFixture): Promise<Aftermath> {
  const accepted = await codeOf(shop.accept());
  const live = await shop.live();
  const visitors = same(live, after) ? 'after' : same(live, before) ? 'before' : 'a mixture';

  // Not the same bytes again: a release says when it was made.
  main.clock.set(new Date(main.clock.now().getTime() + 60_000));
  const exchange = folderTree(shop.path('exchange'));
  let rerun = await pushBy(main, 3, async () => exchange);
  const said = rerun.kind === 'failed' ? rerun.error.code : 'ok';
  if (said === 'TIEUP_E_LOCKED') {
    await unlock({ ...main.site, connect: async () => exchange }, 'harbour');
    rerun = await pushBy(main, 4, async () => exchange);
  }
  expect(rerun).toMatchObject({ kind: expect.stringMatching(/^(pushed|unchanged)$/) });
  await shop.accept();
  expect(unnumbered(await shop.live())).toEqual(unnumbered(after));
  expect(leftIn(shop.path('exchange/inbox'), rerun.kind)).toEqual([]);
  return { visitors, accept: accepted, rerun: said };
}

/** Every file of the inbox and of what the main site remembers but the words of the failure; random names made equal. */
function stateOf(...folders: readonly string[]): string {
  const lines = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = path.slice(folder.length).replace(/\.tieup-tmp-.*/, '.tieup-tmp-');
      return `${name} ${entry.isFile() && entry.name !== 'record.json' ? readFileSync(path, 'latin1') : ''}`;
    }),
  );
  return lines.toSorted().join('\n');
}

/** A push is called done only when its release can be seen, whatever broke afterwards; else it says that the line broke. */
function expectHonest(outcomes: readonly Outcome[]): void {
  expect(new Set(outcomes.map(({ push }) => push))).toEqual(new Set(['TIEUP_E_CONNECTION', 'ok']));
  expect(outcomes.filter(({ push, visitors }) => push === 'ok' && visitors !== 'after')).toEqual([]);
}

describe.each(['the first release', 'a change'] as const)('a push of %s', (which) => {
  test(
    'that breaks at any request leaves the old release or the new one, and the next push completes it',
    LONG,
    async () => {
      const played = await scene(which);
      const requests: string[] = [];
      const whole = await overEmbedded(played, { onRequest: (_, name) => void requests.push(name) });
      expect(whole).toEqual({ push: 'ok', visitors: 'after', accept: 'ok', rerun: 'ok' });
      expect(requests.length).toBeGreaterThan(60);

      const outcomes: Outcome[] = [];
      for (let request = 1; request <= requests.length; request += 1)
        outcomes.push(await overEmbedded(played, { dropAtRequest: request }));

      expect(outcomes.filter(({ visitors }) => visitors === 'a mixture')).toEqual([]);
      expectHonest(outcomes);
      // Once the new release can be seen, it can be seen for good.
      const firstNew = outcomes.findIndex(({ visitors }) => visitors === 'after');
      expect(firstNew).toBeGreaterThan(0);
      expect(outcomes.slice(firstNew).every(({ visitors }) => visitors === 'after')).toBe(true);
      // This server cannot replace a file in one step: for one request there is no release, which accept says.
      const refused = outcomes.slice(0, firstNew).filter(({ accept }) => accept !== 'ok');
      expect(refused.length).toBeLessThanOrEqual(which === 'a change' ? 2 : firstNew);
      expect(new Set(refused.map(({ accept }) => accept))).toEqual(new Set(['TIEUP_E_NOT_FOUND']));
      // The lock of a dead process is taken over, unless the line broke before its name was in it: in one round trip, in which
      // other requests are under way too. Long before anything can be seen.
      const locked = outcomes.filter(({ rerun }) => rerun !== 'ok');
      expect(locked.filter(({ visitors }) => visitors !== 'before')).toEqual([]);
      expect(locked.length).toBeLessThan(requests.length / 3);
      expect(new Set(locked.map(({ rerun }) => rerun))).toEqual(new Set(['TIEUP_E_LOCKED']));
    },
  );
});

const sshdPath = realPart('sshd');

describe.skipIf(sshdPath === undefined)('a push over a line to OpenSSH', () => {
  test('that is cut anywhere leaves the old release or the new one', LONG, async () => {
    const played = await scene('a change');
    const sshd = await startSshd(sshdPath ?? '');
    try {
      const push = (cutAfter: number) => overSshd(played, sshd, cutAfter);
      const { outcome, sent } = await push(Number.POSITIVE_INFINITY);
      expect(outcome).toMatchObject({ push: 'ok', visitors: 'after' });
      const outcomes: Outcome[] = [];
      const cuts = Array.from({ length: 20 }, (_, index) => Math.floor((sent * (index + 1)) / 21));
      // The commit is among the last bytes.
      const last = Array.from({ length: 8 }, (_, index) => sent - 60 * (8 - index));
      for (const cut of [...cuts, ...last]) outcomes.push((await push(cut)).outcome);
      expect(outcomes.filter(({ visitors, accept }) => visitors === 'a mixture' || accept !== 'ok')).toEqual([]);
      expectHonest(outcomes);
      expect(outcomes.filter(({ visitors }) => visitors === 'before').length).toBeGreaterThan(5);
    } finally {
      await sshd.dispose();
    }
  });
});

type Faults = NonNullable<Parameters<typeof embeddedSftp>[0]>['faults'];

async function overEmbedded(played: Scene, faults: NonNullable<Faults>): Promise<Outcome> {
  let server: Awaited<ReturnType<typeof embeddedSftp>> | undefined;
  try {
    return await breakOnce(played, async (shop) => {
      server = await embeddedSftp({ root: shop.path('exchange'), faults });
      return sftpTree(await server.connect(), '/');
    });
  } finally {
    await server?.dispose();
  }
}

async function overSshd(
  played: Scene,
  sshd: Awaited<ReturnType<typeof startSshd>>,
  cutAfter: number,
): Promise<{ readonly outcome: Outcome; readonly sent: number }> {
  const proxy = await cuttingProxy(sshd.port, cutAfter);
  try {
    const outcome = await breakOnce(
      played,
      async (shop) => {
        const connection = await connectSftp({
          address: { user: sshd.user, host: '127.0.0.1', port: proxy.port, path: '~' },
          hostKeys: [sshd.hostKeyLine],
          auth: { kind: 'key', privateKey: sshd.key.privateKey },
          timeoutMs: 20_000,
        });
        return sftpTree(connection, shop.path('exchange'));
      },
      sshd.idle,
    );
    return { outcome, sent: proxy.sent() };
  } finally {
    await proxy.close();
  }
}

/** Without the number of the release: what broke off right before its commit has used one. */
function unnumbered(live: Live): Live {
  const without = (text: string): string => text.replace(/(name="tieup-release" content="harbour )\d+/, '$1n');
  return Object.fromEntries(Object.entries(live).map(([path, text]) => [path, without(text)]));
}

function same(left: Live, right: Live): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** Locks and temporary files in the inbox; a push that had nothing to send looks for no temporary ones. */
function leftIn(inbox: string, rerun: PushResult['kind']): readonly string[] {
  const names = readdirSync(inbox, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /lock/.test(name) || (rerun === 'pushed' && name.includes('.tieup-tmp-')));
}

async function codeOf(operation: Promise<unknown>): Promise<string> {
  try {
    await operation;
    return 'ok';
  } catch (error) {
    if (isTieupError(error)) return error.code;
    throw error;
  }
}
