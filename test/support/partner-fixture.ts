/** A partner site in a folder, as one process after another sees it; made by partnership-fixture.ts. */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { compileHere } from '../../src/content/compile-here.ts';
import { IN_PLACE, parsePartnerSite, type PartnerSiteConfig, TREES_FOLDER } from '../../src/config/partner-site.ts';
import type { Clock } from '../../src/io/clock.ts';
import type { FileTree } from '../../src/io/file-tree.ts';
import type { BeforeStep } from '../../src/io/folder-access.ts';
import { historyLog } from '../../src/io/history-log.ts';
import { folderTree } from '../../src/io/folder-tree.ts';
import type { KeyStore } from '../../src/io/keys.ts';
import { logFolder } from '../../src/io/log-folder.ts';
import { acquireLock } from '../../src/io/lock.ts';
import { lockedTrees } from '../../src/io/locked-tree.ts';
import { accept, type AcceptResult, type Answering } from '../../src/partner-site/accept.ts';
import { readAgreedTerms } from '../../src/partner-site/agreed-terms.ts';
import type { PartnerSite } from '../../src/partner-site/partner-site.ts';
import { LEDGER_FOLDER } from '../../src/protocol/exchange.ts';
import { objectStore } from '../../src/publish/objects.ts';
import { type MemoryKeys, seededRandom } from './memory-keys.ts';
import { dump } from './site-fixture.ts';
import { snapshotOf, type Snapshot } from './snapshot.ts';
import { lastingFolder } from './lasting-folder.ts';

/** Where things are at a partner unless it says otherwise. */
export const FOLDERS = {
  original: 'original',
  slots: 'slots',
  exchange: 'exchange',
  public: 'public',
  state: 'state',
  keys: 'keys',
};

export const START = new Date('2026-11-23T12:00:00Z');
const DAY_MS = 24 * 60 * 60 * 1000;

/** Stands still until somebody moves it. */
export interface TestClock extends Clock {
  set(now: Date): void;
  passDays(days: number): void;
}

export function testClock(start = START): TestClock {
  let now = start;
  return {
    now: () => now,
    // What bounds other work is never reached, and ends with it.
    sleep: (ms, signal) =>
      new Promise((done, stop) => {
        if (signal === undefined) done(void (now = new Date(now.getTime() + ms)));
        else signal.addEventListener('abort', () => stop(new Error('woken')));
      }),
    set: (next) => void (now = next),
    passDays: (days) => void (now = new Date(now.getTime() + days * DAY_MS)),
  };
}

export interface OpenOptions {
  /** Called before each system call that changes something below state, exchange or web root; may throw. */
  readonly beforeStep?: BeforeStep;
  /** Puts something between the site and its exchange. */
  readonly exchange?: (tree: FileTree) => FileTree;
  /** Puts something between the site and its state. */
  readonly state?: (tree: FileTree) => FileTree;
  readonly keys?: KeyStore;
  /** Which processes run; those before this one have ended, or been killed, unless this says otherwise. */
  readonly isAlive?: (pid: number) => boolean;
  readonly config?: Partial<PartnerSiteConfig>;
}

export interface PartnerFixture {
  readonly id: string;
  /** Absolute. */
  readonly folder: string;
  readonly keys: MemoryKeys;
  /** The same site as the next process sees it. */
  open(options?: OpenOptions): Promise<PartnerSite>;
  /** A copy of the whole partner site as it is now, elsewhere. */
  copy(): Promise<PartnerFixture>;
  /** Writes a file of the partner: `original/index.html`. */
  write(path: string, content: string | Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
  path(path: string): string;
  /** Accepts what is in the inbox as the manager would. */
  accept(site?: PartnerSite): Promise<AcceptResult>;
  /** What visitors see, by path from the web root. */
  live(): Promise<Readonly<Record<string, string>>>;
  /** Everything in the partner's folder, byte by byte. */
  snapshot(): Promise<Snapshot>;
}

/** A manager who answers every question alike and chooses nothing. */
export function saying(answer: boolean): Answering & { kind: 'ask' } {
  return { kind: 'ask', ask: async () => answer, choose: async () => undefined };
}

/** A manager who must not be asked. */
export const UNASKED: Answering & { kind: 'ask' } = {
  kind: 'ask',
  ask: async () => {
    throw new Error('the manager was asked again');
  },
  choose: async () => undefined,
};

export interface PartnerParts {
  readonly id: string;
  /** Absolute. */
  readonly folder: string;
  readonly keys: MemoryKeys;
  readonly clock: TestClock;
}

export function partnerFixture(parts: PartnerParts): PartnerFixture {
  const { id, folder, keys } = parts;
  let pid = 100;
  const fixture: PartnerFixture = {
    id,
    folder,
    keys,
    open: (options = {}) => openPartner(parts, (pid += 1), options),
    copy: async () => {
      const to = join(await lastingFolder(), 'copy');
      await cp(folder, to, { recursive: true, verbatimSymlinks: true });
      return partnerFixture({ ...parts, folder: to });
    },
    write: (path, content) => writeAll(folder, { [path]: content }),
    remove: (path) => rm(join(folder, path), { recursive: true }),
    path: (path) => join(folder, path),
    accept: async (by) => accept(by ?? (await fixture.open()), { answering: saying(true), choices: {} }),
    live: async () => {
      const web = folderTree(folder);
      const root = await web.stat('public');
      if (root === undefined) return {};
      return dump(web, root.kind === 'link' ? await web.readLink('public') : 'public');
    },
    snapshot: () => snapshotOf(folder),
  };
  return fixture;
}

async function openPartner(parts: PartnerParts, pid: number, options: OpenOptions): Promise<PartnerSite> {
  const { folder, clock } = parts;
  const steps = options.beforeStep === undefined ? {} : { beforeStep: options.beforeStep };
  const files = folderTree(folder);
  const text = new TextDecoder().decode(await files.read('tieup.yaml', 1e6));
  const config = { ...parsePartnerSite(text, 'tieup.yaml', folder), ...options.config };
  const { folders } = config;
  const at = (path: string): string => join(folder, path);
  const stateTree = folderTree(at(folders.state), steps);
  const state = options.state?.(stateTree) ?? stateTree;
  const exchange = folderTree(at(folders.exchange), steps);
  const { terms } = await readAgreedTerms(state);
  const ledger = terms.publisher === 'main' ? folderTree(at(`${folders.exchange}/${LEDGER_FOLDER}`), steps) : state;
  const objects = objectStore(state);
  const owner = { who: `partner@test, process ${pid}`, id: `process ${pid}`, host: 'partner', pid };
  const isAlive = options.isAlive ?? ((other: number) => other === pid);
  const { lock, keepingLock } = lockedTrees(() => acquireLock(state, 'lock', owner, clock, 60, { isAlive }));
  return {
    config,
    files,
    exchange: keepingLock(options.exchange?.(exchange) ?? exchange),
    slots: folderTree(at(folders.slots)),
    state,
    stateFolder: at(folders.state),
    objects,
    ports: {
      original: folders.original === IN_PLACE ? undefined : keepingLock(folderTree(at(folders.original))),
      web: keepingLock(folderTree(folder, steps)),
      state: keepingLock(ledger),
      objects,
      isShared: terms.publisher === 'main',
    },
    layout: {
      how: config.publish,
      publicName: folders.public,
      treesName: TREES_FOLDER,
      mount: terms.mount,
      keep: config.keep,
    },
    publisher: terms.publisher,
    keys: options.keys ?? parts.keys,
    logFiles: logFolder(folder),
    markdown: compileHere,
    startSealing: undefined,
    clock,
    random: seededRandom(`${parts.id} ${pid}`),
    history: historyLog({ tree: state, owner, clock, isAlive }),
    lock,
    lockLogs: () => acquireLock(state, 'logs/lock', owner, clock, 60, { isAlive }),
  };
}

/** Writes files below `folder`, with the folders they need. */
export async function writeAll(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}
