/**
 * Keeps the history of a site in a folder: `history/<number of its first line>.jsonl`, a few files of bounded size, and all files of
 * what people did, `history/lasting/<number of its first line>.jsonl`.
 *
 * A line is added by replacing the newest file as a whole, so that a crash leaves the old one or the new one. What is added
 * while a file is being written goes along with the next write: thousands of partners cost a few dozen writes.
 */
import { isTieupError } from '../errors.ts';
import {
  isLasting,
  joinHistories,
  NO_HISTORY,
  readHistory,
  renderEntry,
  type History,
  type HistoryEnd,
  type HistoryEvent,
} from '../protocol/history.ts';
import { instant } from '../protocol/instant.ts';
import { sha256 } from '../protocol/digest.ts';
import type { Clock } from './clock.ts';
import type { FileTree } from './file-tree.ts';
import { acquireLock, type LockOwner } from './lock.ts';

export interface HistoryLog {
  /** Resolves when the line is durable. @throws TIEUP_E_STORAGE, TIEUP_E_LOCKED when another process does not let go. */
  add(event: HistoryEvent): Promise<void>;
  read(): Promise<History>;
}

export interface HistoryPlace {
  readonly tree: FileTree;
  readonly owner: LockOwner;
  readonly clock: Clock;
  isAlive(pid: number): boolean;
}

const FOLDER = 'history';
const LASTING_FOLDER = `${FOLDER}/lasting`;
const LOCK = `${FOLDER}/lock`;
const FILE = /^(\d{12})\.jsonl$/;
/** A file that has become longer than this is not added to any more. */
const MAX_FILE = 256 * 1024;
/** A write of many lines at once may go beyond that. */
const MAX_READ = 64 * 1024 * 1024;
const FILES_KEPT = 32;
const LOCK_MINUTES = 1;
const LOCK_TRIES = 200;
const LOCK_PAUSE_MS = 25;

export function historyLog(place: HistoryPlace): HistoryLog {
  let waiting: HistoryEvent[] = [];
  let writing: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const write = async (): Promise<void> => {
    await writing?.catch(() => undefined);
    const events = waiting;
    waiting = [];
    next = undefined;
    writing = append(place, events);
    await writing;
  };
  return {
    add: (event) => {
      waiting.push(event);
      return (next ??= write());
    },
    read: async () =>
      joinHistories(
        readHistory(await readLines(place.tree, FOLDER)),
        readHistory(await readLines(place.tree, LASTING_FOLDER)),
      ),
  };
}

async function append(place: HistoryPlace, events: readonly HistoryEvent[]): Promise<void> {
  const { tree, clock, owner } = place;
  const lock = await lockPatiently(place);
  try {
    const by = { time: instant(clock.now()), who: owner.who.replace(/, process \d+$/, '') };
    const passing = await openChain(tree, FOLDER);
    const lasting = events.some(isLasting) ? await openChain(tree, LASTING_FOLDER) : undefined;
    for (const event of events) {
      if (lasting !== undefined && isLasting(event)) lasting.add(event, { ...by, after: passing.seq() });
      else passing.add(event, by);
    }
    await passing.write(FILES_KEPT);
    await lasting?.write();
  } finally {
    await lock.release();
  }
}

/** The newest file of a chain, or the one after it. */
async function openChain(tree: FileTree, folder: string) {
  const files = await filesOf(tree, folder);
  const newest = files.at(-1);
  const bytes = newest === undefined ? new Uint8Array() : await tree.read(newest.path, MAX_READ);
  const isFull = newest === undefined || bytes.length > MAX_FILE;
  let end = newest === undefined ? NO_HISTORY : endOf(newest.first, bytes);
  const path = isFull ? `${folder}/${String(end.seq + 1).padStart(12, '0')}.jsonl` : newest.path;
  const lines: string[] = [];
  return {
    seq: () => end.seq,
    add(event: HistoryEvent, by: Parameters<typeof renderEntry>[2]): void {
      const rendered = renderEntry(end, event, by);
      ({ end } = rendered);
      lines.push(`${rendered.line}\n`);
    },
    /** @param kept how many files; all of them unless given */
    async write(kept?: number): Promise<void> {
      if (lines.length === 0) return;
      await tree.write(path, Buffer.concat([isFull ? new Uint8Array() : bytes, Buffer.from(lines.join(''))]));
      const old = isFull && kept !== undefined ? files.slice(0, -(kept - 1)) : [];
      for (const each of old) await tree.remove(each.path);
    },
  };
}

/** Another process needs the file for a moment; it is worth the wait. */
async function lockPatiently(place: HistoryPlace): ReturnType<typeof acquireLock> {
  const { tree, owner, clock } = place;
  for (let tries = 1; ; tries++) {
    try {
      return await acquireLock(tree, LOCK, owner, clock, LOCK_MINUTES, place);
    } catch (error) {
      if (!isTieupError(error, 'TIEUP_E_LOCKED') || tries >= LOCK_TRIES) throw error;
      await clock.sleep(LOCK_PAUSE_MS);
    }
  }
}

/** The oldest first. */
async function filesOf(
  tree: FileTree,
  folder: string,
): Promise<readonly { readonly path: string; readonly first: number }[]> {
  return (await tree.list(folder)).flatMap(({ name }) => {
    const first = FILE.exec(name)?.[1];
    return first === undefined ? [] : [{ path: `${folder}/${name}`, first: Number(first) }];
  });
}

/** By the lines as they are, whatever is in them: a damaged line is found by who reads, and holds up nobody. */
function endOf(first: number, bytes: Uint8Array): HistoryEnd {
  const lines = linesOf(bytes);
  const last = lines.at(-1);
  return last === undefined
    ? { seq: first - 1, digest: null }
    : { seq: first + lines.length - 1, digest: sha256(last) };
}

async function readLines(tree: FileTree, folder: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { path } of await filesOf(tree, folder)) lines.push(...linesOf(await tree.read(path, MAX_READ)));
  return lines;
}

function linesOf(bytes: Uint8Array): readonly string[] {
  return new TextDecoder()
    .decode(bytes)
    .split('\n')
    .filter((line) => line !== '');
}
