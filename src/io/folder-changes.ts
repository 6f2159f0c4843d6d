/** Notices what is saved in folders, for as long as somebody looks. */
import { lstatSync, readdirSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TieupError } from '../errors.ts';

export interface WatchedPlace {
  /** Absolute; need not be there yet. */
  readonly path: string;
  /** A folder with all that is in it, or a single file. */
  readonly kind: 'folder' | 'file';
}

/** Editors save in several steps. */
const QUIET_MS = 40;

/**
 * Yields once when everything is watched, and then after each burst of changes; ends when `signal` aborts. What changed while
 * the caller was at work is told when it asks again. Names that start with a dot are passed over.
 * @param places asked for again after each burst, as settings may have changed
 * @throws TIEUP_E_STORAGE when the machine watches no more folders
 */
export async function* folderChanges(
  places: () => readonly WatchedPlace[],
  signal: AbortSignal,
): AsyncGenerator<void, void, void> {
  const watchers = new Watchers();
  const stop = (): void => watchers.wake();
  signal.addEventListener('abort', stop, { once: true });
  try {
    while (!signal.aborted) {
      // Before the caller reads, so that nothing is saved unseen in between.
      watchers.watch(places());
      yield;
      while (!signal.aborted && !watchers.hasChanged) await watchers.woken();
      while (!signal.aborted && watchers.hasChanged) {
        watchers.hasChanged = false;
        await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    watchers.close();
  }
}

interface Watched {
  readonly watcher: FSWatcher;
  /** A folder that was replaced by another of its name is watched anew. */
  readonly inode: number;
  /** Names that matter; all of them when undefined. */
  names: Set<string> | undefined;
}

class Watchers {
  hasChanged = false;
  readonly #folders = new Map<string, Watched>();
  #wake: () => void = () => {};

  wake(): void {
    this.#wake();
  }

  woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  watch(places: readonly WatchedPlace[]): void {
    const wanted = new Map<string, Set<string> | undefined>();
    for (const { path, kind } of places) {
      if (kind === 'folder') for (const folder of foldersBelow(path)) wanted.set(folder, undefined);
      addAncestor(path, wanted);
    }
    for (const [folder, { watcher }] of this.#folders) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const [folder, names] of wanted) this.#watchFolder(folder, names);
  }

  close(): void {
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #watchFolder(folder: string, names: Set<string> | undefined): void {
    const inode = lstatSync(folder, { throwIfNoEntry: false })?.ino;
    const known = this.#folders.get(folder);
    if (known !== undefined && known.inode === inode) {
      known.names = names;
      return;
    }
    known?.watcher.close();
    this.#folders.delete(folder);
    if (inode === undefined) return;
    try {
      const watcher = watch(folder, (_event, name) => this.#noticed(folder, name));
      // A folder that is removed while it is watched: what contains it tells.
      watcher.on('error', () => this.#noticed(folder, null));
      this.#folders.set(folder, { watcher, inode, names });
    } catch (cause) {
      if (isGone(cause)) return;
      throw new TieupError('TIEUP_E_STORAGE', `${JSON.stringify(folder)} cannot be watched for changes`, {
        hint: 'close programs that watch many folders, or raise fs.inotify.max_user_watches and max_user_instances',
        cause,
      });
    }
  }

  #noticed(folder: string, name: string | null): void {
    const names = this.#folders.get(folder)?.names;
    if (name !== null && (name.startsWith('.') || (names !== undefined && !names.has(name)))) return;
    this.hasChanged = true;
    this.#wake();
  }
}

/** The folder itself, where there is one, and all below it. */
function foldersBelow(folder: string): readonly string[] {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  const found = [folder];
  for (const entry of entriesOf(folder)) {
    if (entry.isDirectory() && !entry.name.startsWith('.')) found.push(...foldersBelow(join(folder, entry.name)));
  }
  return found;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    // Removed just now, or nobody may look into it: there is nothing to watch.
    if (isGone(cause)) return [];
    throw cause;
  }
}

function isGone(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && ['ENOENT', 'ENOTDIR', 'EACCES'].includes(String(cause.code));
}

/** The nearest folder above that is there tells when the place comes, goes or is replaced. */
function addAncestor(path: string, wanted: Map<string, Set<string> | undefined>): void {
  let name = basename(path);
  let folder = dirname(path);
  while (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true && dirname(folder) !== folder) {
    name = basename(folder);
    folder = dirname(folder);
  }
  if (!wanted.has(folder)) wanted.set(folder, new Set([name]));
  else wanted.get(folder)?.add(name);
}
