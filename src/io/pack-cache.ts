/**
 * A cache of small byte strings in two files of one folder: a pack that is only appended to, and its index.
 *
 * Safe to share, also between processes that run at the same time and with copies which a build server keeps: a record is
 * appended by one write, and every record is checked when it is read. Whatever is torn, altered or missing is as if it had never
 * been kept. Whoever may write here decides what pages say, as does who may write the pages: it is a cache, not evidence.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { openFolder, openOrMakeFolder, realRoot, type OpenFolder } from './folder-access.ts';
import {
  checkOf,
  decodeIndex,
  decodeRecordHead,
  encodeIndex,
  encodeRecord,
  PACK_HEAD,
  PACK_ID,
  packHead,
  packId,
  RECORD_HEAD,
  RECORD_MAGIC,
  type PackEntries,
  type PackEntry,
} from './pack-cache-format.ts';
import { errorCode, storageFault } from './storage-fault.ts';

/** Keys are 64 lower-case hex digits. */
export interface PackCache {
  /** The bytes as they were put, or undefined. */
  get(key: string): Uint8Array | undefined;
  put(key: string, bytes: Uint8Array): void;
  /** Appends what was put. A disk that is full or cannot be written keeps nothing, which is no error. @throws TIEUP_E_UNSAFE_PATH */
  flush(): void;
}

export interface PackCacheOptions {
  /** Bytes of a pack beyond which it is rewritten with half of them: what this run has used, then what is newest. */
  readonly maxBytes?: number;
}

const PACK = 'fragments.pack';
const INDEX = 'fragments.index';
const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
const MAX_INDEX = 256 * 1024 * 1024;
const SCAN_CHUNK = 1024 * 1024;
const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;

/** @param root folder that exists @param path components below it, made when something is kept */
export function packCache(root: string, path: readonly string[], options: PackCacheOptions = {}): PackCache {
  return new FolderPackCache(root, path, options.maxBytes ?? DEFAULT_MAX_BYTES);
}

class FolderPackCache implements PackCache {
  readonly #root: string;
  readonly #path: readonly string[];
  readonly #maxBytes: number;
  #entries: PackEntries = new Map();
  readonly #used = new Set<string>();
  readonly #pending = new Map<string, Uint8Array>();
  #fd: number | undefined;
  #id = '';
  /** Bytes of the pack whose records are in the entries. */
  #covered = 0;
  #opened = false;

  constructor(root: string, path: readonly string[], maxBytes: number) {
    this.#root = root;
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  get(key: string): Uint8Array | undefined {
    if (!this.#opened) this.#quietly(openFolder, (folder) => this.#open(folder));
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#fd === undefined) return undefined;
    const bytes = this.#readIfCan(entry);
    if (bytes === undefined || !checkOf(key, bytes).equals(entry.check)) return undefined;
    this.#used.add(key);
    return bytes;
  }

  put(key: string, bytes: Uint8Array): void {
    this.#pending.set(key, bytes);
  }

  flush(): void {
    if (this.#pending.size > 0) this.#quietly(makeFolder, (folder) => this.#flushIn(folder));
  }

  #flushIn(folder: OpenFolder): void {
    this.#open(folder);
    if (this.#fd === undefined) this.#create(folder);
    const records = [...this.#pending].map(([key, bytes]) => encodeRecord(key, bytes));
    // One write: with O_APPEND, what other processes append comes before it or after it.
    if (this.#fd !== undefined) writeSync(this.#fd, Buffer.concat(records));
    for (const key of this.#pending.keys()) this.#used.add(key);
    this.#pending.clear();
    this.#scan();
    if (this.#covered > this.#maxBytes) this.#compact(folder);
    replaceFile(folder, INDEX, encodeIndex(this.#id, this.#covered, this.#entries));
  }

  /** Opens what lies in the folder now: another process may have rewritten it. */
  #open(folder: OpenFolder): void {
    this.#opened = true;
    this.#close();
    const fd = openIfThere(folder.child(PACK), O_RDWR | O_APPEND | O_NOFOLLOW);
    if (fd === undefined) return;
    this.#fd = fd;
    const id = packId(this.#readAt(0, PACK_HEAD) ?? Buffer.alloc(0));
    if (id === undefined) {
      // Not of ours, or torn at its birth: a new one takes its place.
      this.#close();
      rmSync(folder.child(PACK), { force: true });
      return;
    }
    const index = readWhole(folder.child(INDEX), MAX_INDEX);
    const known = index && decodeIndex(index, id);
    const size = fstatSync(fd).size;
    const isCovered = known !== undefined && known.covered <= size;
    this.#id = id;
    this.#entries = isCovered ? known.entries : new Map();
    this.#covered = isCovered ? known.covered : PACK_HEAD;
    this.#scan();
  }

  #create(folder: OpenFolder): void {
    const id = randomBytes(PACK_ID);
    replaceFile(folder, PACK, packHead(id));
    this.#open(folder);
  }

  /** Takes in what has been appended, by whomever; passes over what is torn. */
  #scan(): void {
    if (this.#fd === undefined) return;
    const { size } = fstatSync(this.#fd);
    while (this.#covered + RECORD_HEAD <= size) {
      const found = decodeRecordHead(this.#readAt(this.#covered, RECORD_HEAD) ?? Buffer.alloc(0), this.#covered);
      const end = found === undefined ? Number.POSITIVE_INFINITY : found.entry.offset + found.entry.length;
      if (found !== undefined && this.#isEnd(end, size)) {
        this.#entries.set(found.key, found.entry);
        this.#covered = end;
        continue;
      }
      const next = this.#findRecord(this.#covered + 1, size);
      // The last record may still be on its way.
      if (next === undefined) return;
      this.#covered = next;
    }
  }

  /** A record that was cut off reaches into the one which was appended after it. */
  #isEnd(offset: number, size: number): boolean {
    const { length } = RECORD_MAGIC;
    return offset === size || (offset + length <= size && this.#readAt(offset, length)?.equals(RECORD_MAGIC) === true);
  }

  #findRecord(from: number, size: number): number | undefined {
    for (let offset = from; offset < size; offset += SCAN_CHUNK) {
      const length = Math.min(SCAN_CHUNK + RECORD_MAGIC.length - 1, size - offset);
      const at = this.#readAt(offset, length)?.indexOf(RECORD_MAGIC) ?? -1;
      if (at !== -1) return offset + at;
    }
    return undefined;
  }

  /** A new pack beside, then in its place. What others append to the old one meanwhile is lost, and compiled again. */
  #compact(folder: OpenFolder): void {
    const newestFirst = [...this.#entries].sort(([, a], [, b]) => b.offset - a.offset);
    const ordered = [
      ...newestFirst.filter(([key]) => this.#used.has(key)),
      ...newestFirst.filter(([key]) => !this.#used.has(key)),
    ];
    const kept: Buffer[] = [packHead(randomBytes(PACK_ID))];
    let length = PACK_HEAD;
    for (const [key, entry] of ordered) {
      if (length + RECORD_HEAD + entry.length > this.#maxBytes / 2) break;
      const bytes = this.#readAt(entry.offset, entry.length);
      if (bytes === undefined || !checkOf(key, bytes).equals(entry.check)) continue;
      kept.push(encodeRecord(key, bytes));
      length += RECORD_HEAD + entry.length;
    }
    replaceFile(folder, PACK, Buffer.concat(kept));
    this.#open(folder);
  }

  #readAt(offset: number, length: number): Buffer | undefined {
    if (this.#fd === undefined) return undefined;
    const bytes = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const count = readSync(this.#fd, bytes, filled, length - filled, offset + filled);
      if (count === 0) return undefined;
      filled += count;
    }
    return bytes;
  }

  #readIfCan({ offset, length }: PackEntry): Buffer | undefined {
    try {
      return this.#readAt(offset, length);
    } catch {
      return undefined;
    }
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#entries = new Map();
    this.#id = '';
    this.#covered = 0;
  }

  /** Without a cache everything is compiled, which is slow and right; a link in its place is somebody's doing. */
  #quietly(find: typeof openFolder, work: (folder: OpenFolder) => void): void {
    const path = this.#path.join('/');
    const place = { verb: 'use', path, label: this.#root };
    try {
      const real = realRoot(this.#root);
      if (real === undefined) return;
      const folder = find(real, this.#path, place);
      if (folder === undefined) return;
      try {
        work(folder);
      } finally {
        folder.close();
      }
    } catch (error) {
      const fault = storageFault(error, place);
      if (fault.code === 'TIEUP_E_UNSAFE_PATH') throw fault;
      this.#pending.clear();
    }
  }
}

const makeFolder: typeof openFolder = (root, components, place) =>
  openOrMakeFolder(root, components, place, { durable: false, beforeStep: () => undefined });

function openIfThere(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function readWhole(path: string, maxLength: number): Buffer | undefined {
  const fd = openIfThere(path, O_RDONLY | O_NOFOLLOW);
  if (fd === undefined) return undefined;
  try {
    const { size } = fstatSync(fd);
    if (size > maxLength) return undefined;
    const bytes = Buffer.alloc(size);
    return readSync(fd, bytes, 0, size, 0) === size ? bytes : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Whole or not at all for whoever reads it. Not flushed: what a power failure takes is compiled again. */
function replaceFile(folder: OpenFolder, name: string, bytes: Uint8Array): void {
  const beside = `${name}.${randomBytes(8).toString('hex')}`;
  try {
    const fd = openSync(folder.child(beside), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
    try {
      let written = 0;
      while (written < bytes.length) written += writeSync(fd, bytes, written);
    } finally {
      closeSync(fd);
    }
    renameSync(folder.child(beside), folder.child(name));
  } catch (error) {
    rmSync(folder.child(beside), { force: true });
    throw error;
  }
}
