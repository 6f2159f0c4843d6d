/**
 * Keeps two tieups from changing the same tree at the same time: a small file, created exclusively.
 *
 * A lock names its holder and its end, so that what a crashed process left is taken over without a person. Whoever takes
 * one over first creates `<lock>.takeover`: of two processes that find the same old lock only one replaces it, and the
 * other cannot take away the new one by mistake.
 */
import { isTieupError, TieupError } from '../errors.ts';
import { instant, isInstant } from '../protocol/instant.ts';
import type { Clock } from './clock.ts';
import { isAsBefore, NO_TIME, type FileStat, type FileTree } from './file-tree.ts';
import { readIfThere } from './read-if-there.ts';

export interface LockOwner {
  /** For people: `user@host, process 4711`. */
  readonly who: string;
  /** Random: tells this process's lock from every other. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Among which processes the number names one: machines may share a name, and containers a machine. Undefined where nothing tells. */
  readonly processes?: string | undefined;
}

export interface LockHolder extends LockOwner {
  /** ISO 8601 UTC. */
  readonly until: string;
}

export interface LockOptions {
  /** True while a process of this host runs; given for a local tree, where a lock of a dead process need not be waited for. */
  readonly isAlive?: (pid: number) => boolean;
  /** True when an attempt of this process before this one may have left the lock, on a connection that was cut. */
  readonly isAgain?: boolean;
}

export interface Lock {
  /** Starts the time to live again. @throws TIEUP_E_LOCKED when somebody else has taken the lock since */
  refresh(): Promise<void>;
  /** For long work, again and again: refreshes once a third of the time is over. @throws as `refresh` */
  keep(): Promise<void>;
  /** Right before what others must not do at the same time: one round trip. @throws TIEUP_E_LOCKED when somebody else has it */
  assertHeld(): Promise<void>;
  /** Removes the lock if it is still this process's. */
  release(): Promise<void>;
}

const MAX_LENGTH = 4096;
/** Far longer than most work takes; longer work refreshes. */
const TTL_MINUTES = 30;
/** On a disk of this machine a name is written a moment after the file is made: one that is not was killed in between. */
const NAMELESS_MINUTES = 1;
/** For so long a look at the lock counts: it takes longer to remove it by hand and to take it for another process. */
const LOOK_LASTS_MS = 5000;
/** Some round trips on any line. */
const NAMING_MS = 2000;

/** @throws TIEUP_E_LOCKED, naming the holder and until when */
export async function acquireLock(
  tree: FileTree,
  path: string,
  owner: LockOwner,
  clock: Clock,
  ttlMinutes = TTL_MINUTES,
  options: LockOptions = {},
): Promise<Lock> {
  const content = (): Uint8Array => renderLock(owner, clock, ttlMinutes);
  const nameless = options.isAlive === undefined ? ttlMinutes : Math.min(ttlMinutes, NAMELESS_MINUTES);
  if (!(await tryCreate(tree, path, content()))) {
    const found = await look(tree, path, clock, nameless);
    const mayBeOurs = options.isAgain === true && found?.id === UNKNOWN.id;
    if (found !== undefined && !isStale(found, owner, clock, options) && !mayBeOurs) throw heldBy(tree, path, found);
    // A process that lives writes its name within moments; one that was cut off never does.
    if (mayBeOurs) await clock.sleep(NAMING_MS);
    await dropOldTakeover(tree, takeoverOf(path), owner, clock, nameless, options);
    await takeOver(tree, path, content, async () => {
      const now = await look(tree, path, clock, nameless);
      if (now === undefined || isStale(now, owner, clock, options)) return;
      if (!mayBeOurs || now.id !== UNKNOWN.id) throw heldBy(tree, path, now);
    });
  }
  const ttlMs = ttlMinutes * 60_000;
  const now = (): number => clock.now().getTime();
  let begun = now();
  let looked = begun;
  /** What it looks like while it is this process's. */
  let seen: Promise<FileStat | undefined>;
  const note = (): void => {
    seen = tree.stat(path);
    seen.catch(() => {});
  };
  note();
  const isOurs = async (): Promise<boolean> => {
    const start = now();
    const held = (await look(tree, path, clock, nameless))?.id === owner.id;
    looked = held ? start : Number.NEGATIVE_INFINITY;
    return held;
  };
  const assertOurs = async (): Promise<void> => {
    if (await isOurs()) return;
    throw new TieupError('TIEUP_E_LOCKED', `the lock "${path}" in ${tree.label} is no longer this process's`, {
      hint: 'another tieup took it over because this one did not come back in time; run the command again',
    });
  };
  const refresh = async (): Promise<void> => {
    const start = now();
    // From its end on others may be taking it over: then one of the two gets it.
    if (start - begun >= ttlMs / 2) {
      await dropOldTakeover(tree, takeoverOf(path), owner, clock, nameless, options);
      await takeOver(tree, path, content, assertOurs);
    } else {
      await assertOurs();
      await tree.write(path, content());
    }
    note();
    begun = start;
    looked = start;
  };
  let refreshing: Promise<void> | undefined;
  return {
    refresh,
    keep: async () => {
      if (refreshing === undefined && now() - begun < ttlMs / 3) return;
      // Of work that is under way at the same time, one piece does it, and all wait for what comes of it.
      refreshing ??= refresh().finally(() => (refreshing = undefined));
      await refreshing;
    },
    assertHeld: async () => {
      const start = now();
      const [before, found] = await Promise.all([seen, tree.stat(path)]);
      if (found === undefined || !isAsBefore(before, found)) return assertOurs();
      looked = start;
    },
    release: async () => {
      if (now() - looked < LOOK_LASTS_MS || (await isOurs())) await tree.remove(path);
    },
  };
}

/** A second lock on top of one that is held; when it cannot be had, that one is released. Released and refreshed together. */
export async function lockAlso(first: Lock, take: () => Promise<Lock>): Promise<Lock> {
  let second: Lock;
  try {
    second = await take();
  } catch (error) {
    await first.release();
    throw error;
  }
  return {
    refresh: async () => {
      await first.refresh();
      await second.refresh();
    },
    keep: async () => {
      await first.keep();
      await second.keep();
    },
    assertHeld: async () => {
      await Promise.all([first.assertHeld(), second.assertHeld()]);
    },
    release: async () => {
      try {
        await second.release();
      } finally {
        await first.release();
      }
    },
  };
}

/** Removes the lock whoever holds it, for `tieup unlock`; the holder that it named, or undefined when there was none. */
export async function breakLock(tree: FileTree, path: string): Promise<LockHolder | undefined> {
  const bytes = await readIfThere(tree, path, MAX_LENGTH);
  await tree.remove(takeoverOf(path));
  await tree.remove(path);
  return bytes === undefined ? undefined : (parseLock(bytes) ?? { ...UNKNOWN, until: 'an unknown time' });
}

async function takeOver(
  tree: FileTree,
  path: string,
  content: () => Uint8Array,
  requireStale: () => Promise<void>,
): Promise<void> {
  const takeover = takeoverOf(path);
  if (!(await tryCreate(tree, takeover, content()))) {
    throw new TieupError('TIEUP_E_LOCKED', `another tieup is taking over the lock "${path}" in ${tree.label}`, {
      hint: 'wait a moment; when nothing runs there, tieup unlock removes the lock',
    });
  }
  try {
    // It may have been replaced while we looked.
    await requireStale();
    await tree.write(path, content());
  } finally {
    await tree.remove(takeover);
  }
}

/** Taking over is a matter of moments: what is left of it after a lock's whole life belongs to a process that died at it. */
async function dropOldTakeover(
  tree: FileTree,
  takeover: string,
  owner: LockOwner,
  clock: Clock,
  ttlMinutes: number,
  { isAgain }: LockOptions,
): Promise<void> {
  const written = (await tree.stat(takeover))?.modified;
  if (written === undefined || written === NO_TIME) return;
  const isOld = Date.parse(written) + ttlMinutes * 60_000 < clock.now().getTime();
  if (isOld || (isAgain === true && (await isOfAttempt(tree, takeover, owner, clock, ttlMinutes))))
    await tree.remove(takeover);
}

/** Whether an attempt of this process left it: it says so, or was cut off before it could. */
async function isOfAttempt(
  tree: FileTree,
  path: string,
  owner: LockOwner,
  clock: Clock,
  ttlMinutes: number,
): Promise<boolean> {
  const found = await look(tree, path, clock, ttlMinutes);
  if (found?.id !== UNKNOWN.id) return found?.id === owner.id;
  await clock.sleep(NAMING_MS);
  return (await look(tree, path, clock, ttlMinutes))?.id === UNKNOWN.id;
}

/** Who holds the lock; a file that names nobody counts from when it was written, and never ends where nobody knows that. */
async function look(tree: FileTree, path: string, clock: Clock, ttlMinutes: number): Promise<LockHolder | undefined> {
  const bytes = await readIfThere(tree, path, MAX_LENGTH);
  if (bytes === undefined) return undefined;
  const holder = parseLock(bytes);
  if (holder !== undefined) return holder;
  const written = (await tree.stat(path))?.modified;
  const start = written === undefined || written === NO_TIME ? clock.now().getTime() : Date.parse(written);
  return { ...UNKNOWN, until: instant(new Date(start + ttlMinutes * 60_000)) };
}

const UNKNOWN: LockOwner = { who: 'a process that did not write its name', id: '', host: '', pid: 0 };

const DAY_MS = 24 * 60 * 60_000;

function isStale(holder: LockHolder, self: LockOwner, clock: Clock, { isAlive, isAgain }: LockOptions): boolean {
  if (isAgain === true && holder.id === self.id) return true;
  const over = clock.now().getTime() - Date.parse(holder.until);
  // Of a process on this machine more is known than its time: a manager may read for hours before saying yes. Not for days:
  // after a restart the number may be another process's.
  const isNeighbour = holder.host === self.host && holder.processes === self.processes;
  if (isAlive !== undefined && holder.pid > 0 && isNeighbour) return !isAlive(holder.pid) || over >= DAY_MS;
  return over >= 0;
}

function heldBy(tree: FileTree, path: string, { who, until }: LockHolder): TieupError {
  return new TieupError('TIEUP_E_LOCKED', `"${path}" in ${tree.label} is locked by ${who} until ${until}`, {
    hint: 'wait for it; when that process is gone, a main site runs tieup unlock, a partner removes the file',
  });
}

async function tryCreate(tree: FileTree, path: string, content: Uint8Array): Promise<boolean> {
  try {
    await tree.create(path, content);
    return true;
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_EXISTS')) return false;
    throw error;
  }
}

function renderLock(owner: LockOwner, clock: Clock, ttlMinutes: number): Uint8Array {
  const until = instant(new Date(clock.now().getTime() + ttlMinutes * 60_000));
  const { who, id, host, pid, processes } = owner;
  return new TextEncoder().encode(`${JSON.stringify({ who, id, host, pid, processes, until })}\n`);
}

/** Undefined for whatever is not a whole lock: a crash can leave one half-written. */
function parseLock(bytes: Uint8Array): LockHolder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { who, id, host, pid, processes, until }: Record<string, unknown> = { ...value };
  if (typeof who !== 'string' || typeof id !== 'string' || typeof host !== 'string') return undefined;
  if (typeof pid !== 'number' || typeof until !== 'string' || !isInstant(until)) return undefined;
  return {
    who: printable(who),
    id,
    host,
    pid,
    processes: typeof processes === 'string' ? processes : undefined,
    until,
  };
}

/** The other side wrote it, and it goes to a terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '?').slice(0, 200);
}

function takeoverOf(path: string): string {
  return `${path}.takeover`;
}
