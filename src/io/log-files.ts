/**
 * The log files of a web server, which grow, are renamed, cut short, compressed and removed while somebody reads them.
 *
 * Obligations of every adapter, checked by test/contract/log-files.test.ts: an opened file stays the same file whatever
 * happens to its name; `length` is what it had when it was opened; nothing is ever written.
 */
export interface LogFiles {
  /**
   * Opens every regular file that `pattern` names; the caller closes them. In its last component `*` stands for any number of
   * characters and `?` for one. A file that vanishes meanwhile is passed over, and so is what is no regular file.
   * @throws TIEUP_E_STORAGE when a file may not be read; TIEUP_E_CONFIG when the pattern names more than {@link MAX_LOG_FILES}.
   */
  open(pattern: string): Promise<readonly LogFile[]>;
}

export interface LogFile extends LogFileState {
  readonly path: string;
  /** At most `length` bytes from `from` on; fewer only at the end of the file. */
  read(from: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** What tells one file from another, and one state of it from the next. */
export interface LogFileState {
  /** Device and inode, decimal: a file keeps them when it is renamed. */
  readonly device: string;
  readonly inode: string;
  /** Bytes on the disk. */
  readonly length: number;
  /** Milliseconds since 1970; compression keeps it. */
  readonly modifiedMs: number;
}

export const MAX_LOG_FILES = 5000;
