/**
 * The one port through which tieup touches a tree of files, its own or a partner's: local folder, SFTP server, memory.
 *
 * Obligations of every adapter, checked by test/contract/file-tree.contract.ts:
 * - Paths are relative, `/`-separated, well-formed Unicode without empty, `.` or `..` components, NUL or backslash;
 *   anything else is TIEUP_E_UNSAFE_PATH before any i/o. The empty path names the root, where that makes sense (`list`,
 *   `stat`, `makeFolder`).
 * - No link is followed: when a component on the way is a symbolic link, or the last one is where a file or folder is
 *   wanted, the operation is TIEUP_E_UNSAFE_PATH. `replaceLink`, `readLink`, `stat`, `list`, `remove` and `rename` act on a
 *   last component that is a link itself.
 * - What is there but is not of the kind that is wanted: TIEUP_E_UNSAFE_PATH when reading or removing, TIEUP_E_EXISTS when
 *   it is in the way of a write. Below a file there is nothing: absent when reading, TIEUP_E_EXISTS when writing.
 * - A root that does not exist is an empty folder; the first write makes it.
 * - Errors are TieupErrors with the cause attached: NOT_FOUND, EXISTS, UNSAFE_PATH, TOO_LARGE, STORAGE, CONNECTION. An
 *   error of the caller's own content iterable passes through as it is.
 * - An operation that failed has left no temporary file behind, as far as the connection allows. After a crash some may
 *   remain: `list` shows them with `{ temporary: true }`, so that whoever holds the lock can remove them.
 * - Operations may run concurrently unless they touch the same path.
 */
export interface FileTree {
  /** Where this tree is, for messages: a folder, or `sftp://user@host:port/path`. */
  readonly label: string;

  /** What is at `path` itself (lstat), or undefined when nothing is. */
  stat(path: string): Promise<FileStat | undefined>;

  /** The direct children sorted by name in byte order, temporary files of tieup's own left out; empty when the folder is absent. */
  list(path: string, options?: ListOptions): Promise<readonly FileEntry[]>;

  /**
   * The whole regular file.
   * @param room for who reads many files and keeps none: an adapter may read into it, and the bytes are good until the next
   *   read with the same room
   * @throws TIEUP_E_TOO_LARGE when it has more than `maxLength` bytes, before reading more than that
   */
  read(path: string, maxLength: number, room?: Uint8Array): Promise<Uint8Array>;

  /** The regular file in chunks. @throws TIEUP_E_TOO_LARGE before more than `maxLength` bytes would be given out. */
  stream(path: string, maxLength: number): AsyncIterable<Uint8Array>;

  /**
   * Replaces or creates a regular file as a whole: temporary file beside, content, fsync, rename, fsync of the folder.
   * Missing folders are made. Readers see the old file or the new one.
   */
  write(path: string, content: FileContent, options?: WriteOptions): Promise<void>;

  /**
   * The first half of `write`: everything that takes time. The file is as it was until `commit`, which over a network is one
   * round trip. A staged file that is neither committed nor discarded leaves a temporary file.
   * @param content unchanged until then
   */
  stage(path: string, content: Uint8Array, options?: StageOptions): Promise<StagedFile>;

  /**
   * Creates a regular file that must not exist; made durable. Missing folders are made. A crash half-way can leave it
   * incomplete, so it is for content which its reader checks, such as locks. @throws TIEUP_E_EXISTS whatever is there.
   */
  create(path: string, content: Uint8Array, options?: WriteOptions): Promise<void>;

  /** Makes a folder and its missing parents; fine when it exists. */
  makeFolder(path: string): Promise<void>;

  /**
   * Moves a file, link or folder, durably; a file or link at `to` is replaced atomically by a file or link. The parent of
   * `to` must exist. Over SFTP without `posix-rename@openssh.com` a replaced name is absent for one round trip.
   * @throws TIEUP_E_EXISTS when a folder is at `to`, or anything is there and `from` is a folder.
   */
  rename(from: string, to: string): Promise<void>;

  /**
   * A second name for the regular file `from`; the parent of `to` must exist; flushed by `sync`.
   * @throws TIEUP_E_STORAGE where hard links are not possible: copy instead. @throws TIEUP_E_EXISTS.
   */
  hardLink(from: string, to: string): Promise<void>;

  /**
   * Points the link `path` at `target` in one atomic step, durably; replaces a link, @throws TIEUP_E_EXISTS for anything
   * else there. The parent must exist. The text is stored as it is: it may point anywhere and at nothing.
   */
  replaceLink(path: string, target: string): Promise<void>;

  /** The text of the link at `path`. @throws TIEUP_E_NOT_FOUND, TIEUP_E_UNSAFE_PATH when it is no link. */
  readLink(path: string): Promise<string>;

  /** Removes a file or a link; fine when absent; flushed by `sync`. */
  remove(path: string): Promise<void>;

  /** Removes an empty folder; false when it is absent or not empty. */
  removeFolder(path: string): Promise<boolean>;

  /** Flushes files that were written with `durable: false`, linked or removed, then the folders they are in, up to the root. */
  sync(paths: readonly string[]): Promise<void>;

  /** The shortest time that an answer has taken so far; 0 where nothing lies in between. */
  roundTripMs(): number;

  /** Ends connections; the tree is not used afterwards. */
  close(): Promise<void>;
}

export type FileKind = 'file' | 'folder' | 'link' | 'other';

export interface FileStat {
  readonly kind: FileKind;
  /** Bytes; 0 unless a regular file. */
  readonly length: number;
  /** Permission bits, e.g. 0o644; undefined where the tree has none. */
  readonly mode: number | undefined;
  /** ISO 8601 UTC; {@link NO_TIME} where the server does not tell it. */
  readonly modified: string;
}

/** As if it was written in 1970. */
export const NO_TIME = new Date(0).toISOString();

/** Whether a file is what it was, as far as two looks at it tell: false also where the server tells no times. */
export function isAsBefore(before: FileStat | undefined, now: FileStat | undefined): boolean {
  if (before === undefined || now === undefined) return before === now;
  return before.modified !== NO_TIME && before.modified === now.modified && before.length === now.length;
}

export interface FileEntry extends FileStat {
  /** The last component only. */
  readonly name: string;
}

export type FileContent = Uint8Array | AsyncIterable<Uint8Array>;

export interface StagedFile {
  /** The second half of `write`. */
  commit(): Promise<void>;
  /** Takes back what was staged; fine when that cannot be done any more. */
  discard(): Promise<void>;
}

export interface WriteOptions {
  /** Permission bits; 0o644 unless given. */
  readonly mode?: number;
  /** false: the caller flushes with `sync` later. Durable unless given. */
  readonly durable?: boolean;
}

export interface StageOptions extends WriteOptions {
  /** Letters and digits in the temporary file's name, by which what a connection that was cut leaves is found again. */
  readonly tag?: string;
  /**
   * A temporary file of the same folder that may hold the beginning of the content, and that nobody writes any more. An adapter
   * may take it over and send the rest alone, once it has seen that the beginning is right, or may leave it alone.
   */
  readonly from?: string | undefined;
  /** true: what somebody else has put at the path meanwhile stays, and `commit` @throws TIEUP_E_EXISTS. Of bytes alone. */
  readonly isNew?: boolean;
}

export interface ListOptions {
  /** true: temporary files that a crashed tieup left are listed as well. */
  readonly temporary?: boolean;
}
