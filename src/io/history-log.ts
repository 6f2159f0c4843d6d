/**
 * Keeps the history of a site in a folder: `history/<number of its first line>.jsonl`, a few files of bounded size.
 *
 * A line is added by replacing the newest file as a whole, so that a crash leaves the old one or the new one. What is added
 * while a file is being written goes along with the next write: thousands of partners cost a few dozen writes.
 */
import { isTieupError } from '../errors.ts';
import {
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
    read: async () => readHistory(await readLines(place.tree)),
  };
}

async function append(place: HistoryPlace, events: readonly HistoryEvent[]): Promise<void> {
  const { tree, clock, owner } = place;
  const lock = await lockPatiently(place);
  try {
    const files = await filesOf(tree);
    const newest = files.at(-1);
    const bytes = newest === undefined ? new Uint8Array() : await tree.read(newest.path, MAX_READ);
    let end = newest === undefined ? NO_HISTORY : endOf(newest.first, bytes);
    const by = { time: instant(clock.now()), who: owner.who.replace(/, process \d+$/, '') };
    const isFull = newest === undefined || bytes.length > MAX_FILE;
    const path = isFull ? `${FOLDER}/${String(end.seq + 1).padStart(12, '0')}.jsonl` : newest.path;
    const lines = events.map((event) => {
      const rendered = renderEntry(end, event, by);
      ({ end } = rendered);
      return `${rendered.line}\n`;
    });
    await tree.write(path, Buffer.concat([isFull ? new Uint8Array() : bytes, Buffer.from(lines.join(''))]));
    for (const { path: old } of isFull ? files.slice(0, -(FILES_KEPT - 1)) : []) await tree.remove(old);
  } finally {
    await lock.release();
  }
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
async function filesOf(tree: FileTree): Promise<readonly { readonly path: string; readonly first: number }[]> {
  return (await tree.list(FOLDER)).flatMap(({ name }) => {
    const first = FILE.exec(name)?.[1];
    return first === undefined ? [] : [{ path: `${FOLDER}/${name}`, first: Number(first) }];
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

async function readLines(tree: FileTree): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { path } of await filesOf(tree)) lines.push(...linesOf(await tree.read(path, MAX_READ)));
  return lines;
}

function linesOf(bytes: Uint8Array): readonly string[] {
  return new TextDecoder()
    .decode(bytes)
    .split('\n')
    .filter((line) => line !== '');
}
