/** A tree that keeps in mind what was read of it, so that it can be told later whether the same would be read again. */
import { isTieupError } from '../errors.ts';
import { sha256, sha256Stream } from '../protocol/digest.ts';
import type { FileEntry, FileTree } from './file-tree.ts';

/** What was found at a place. */
export interface Reading {
  /** `file`: its bytes · `folder`: names and kinds of what is in it. */
  readonly kind: 'file' | 'folder';
  readonly path: string;
  /** SHA-256, lower-case hex; `-` for a file that was not there. */
  readonly found: string;
}

export interface RecordedReads {
  /** The same tree. */
  readonly tree: FileTree;
  /** In the order in which they were first made; undefined when something else was asked, or went wrong. */
  readings(): readonly Reading[] | undefined;
}

const ABSENT = '-';

/** @param isWanted paths that are kept in mind; all unless given */
export function recordReads(tree: FileTree, isWanted: (path: string) => boolean = () => true): RecordedReads {
  const readings = new Map<string, Reading>();
  let isWhole = true;
  const add = (kind: Reading['kind'], path: string, found: string): void => {
    const key = `${kind} ${path}`;
    const before = readings.get(key);
    // It changed between two readings: nobody knows which of them the outcome is of.
    if (before !== undefined && before.found !== found) isWhole = false;
    readings.set(key, { kind, path, found });
  };
  const failed = (path: string, error: unknown): never => {
    if (isTieupError(error, 'TIEUP_E_NOT_FOUND')) add('file', path, ABSENT);
    else isWhole = false;
    throw error;
  };
  const asked = (path: string): void => {
    if (isWanted(path)) isWhole = false;
  };
  return {
    tree: {
      ...tree,
      async read(path, maxLength, room) {
        if (!isWanted(path)) return tree.read(path, maxLength, room);
        const bytes = await tree.read(path, maxLength, room).catch((error: unknown) => failed(path, error));
        add('file', path, sha256(bytes));
        return bytes;
      },
      async *stream(path, maxLength) {
        if (!isWanted(path)) return yield* tree.stream(path, maxLength);
        const digest = sha256Stream();
        let isRead = false;
        try {
          for await (const chunk of tree.stream(path, maxLength)) {
            digest.update(chunk);
            yield chunk;
          }
          isRead = true;
          add('file', path, digest.digest());
        } finally {
          if (!isRead) isWhole = false;
        }
      },
      async list(path, options) {
        const entries = await tree.list(path, options);
        if (!isWanted(path)) return entries;
        if (options?.temporary === true) isWhole = false;
        add('folder', path, digestOf(entries));
        return entries;
      },
      stat(path) {
        asked(path);
        return tree.stat(path);
      },
      readLink(path) {
        asked(path);
        return tree.readLink(path);
      },
    },
    readings: () => (isWhole ? [...readings.values()] : undefined),
  };
}

/** Whether the tree would give the same now; false as well when it cannot be read. */
export async function wouldReadTheSame(tree: FileTree, readings: readonly Reading[]): Promise<boolean> {
  const room = new Uint8Array(ROOM);
  try {
    for (const { kind, path, found } of readings) {
      const now = kind === 'folder' ? digestOf(await tree.list(path)) : await digestAt(tree, path, room);
      if (now !== found) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Bytes of most files; larger ones are read in chunks. */
const ROOM = 256 * 1024;

async function digestAt(tree: FileTree, path: string, room: Uint8Array): Promise<string> {
  try {
    return sha256(await tree.read(path, room.length, room));
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_NOT_FOUND')) return ABSENT;
    if (!isTieupError(error, 'TIEUP_E_TOO_LARGE')) throw error;
  }
  const digest = sha256Stream();
  for await (const chunk of tree.stream(path, Number.MAX_SAFE_INTEGER)) digest.update(chunk);
  return digest.digest();
}

function digestOf(entries: readonly FileEntry[]): string {
  return sha256(JSON.stringify(entries.map(({ name, kind }) => [name, kind])));
}
