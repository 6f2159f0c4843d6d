/** A log file as it lies there now. No more of its content is read than is asked for, and what is asked for again only once. */
import { isTieupError } from '../../errors.ts';
import type { LogFile } from '../../io/log-files.ts';
import { sha256 } from '../../protocol/digest.ts';
import { isSameInode, type KnownFile, MARK, type Stretch, stretchOf } from './known-file.ts';
import { bytesFrom, content, isCompressed } from './log-content.ts';

export class FoundFile {
  readonly file: LogFile;
  #size: Promise<number> | undefined;
  #first: Promise<Uint8Array> | undefined;
  readonly #heads = new Map<number, string>();

  constructor(file: LogFile) {
    this.file = file;
  }

  /** Uncompressed bytes. @throws TIEUP_E_STORAGE when it is compressed, and damaged or not complete. */
  size(): Promise<number> {
    this.#size ??= sizeOf(this.file);
    return this.#size;
  }

  /** Its first bytes, at most {@link MARK}. */
  first(): Promise<Uint8Array> {
    this.#first ??= bytesFrom(this.file, 0, MARK);
    return this.#first;
  }

  async isDamaged(): Promise<boolean> {
    try {
      await this.size();
      return false;
    } catch (error) {
      if (isTieupError(error, 'TIEUP_E_STORAGE') && isCompressed(this.file.path)) return true;
      throw error;
    }
  }

  /** True when it begins with what was read of `known`. Of an empty file nothing but the inode is known. */
  async continues(known: KnownFile): Promise<boolean> {
    if (known.offset === 0) return isSameInode(known, this.file);
    return (await this.beginsLike(known.head)) && this.#holds(known.offset, known.tail);
  }

  /** True when these are its first bytes. */
  async beginsLike({ length, sha256: digest }: Stretch): Promise<boolean> {
    const first = await this.first();
    if (first.length < length) return false;
    // Most of what is known has a head of one length.
    const head = this.#heads.get(length) ?? sha256(first.subarray(0, length));
    this.#heads.set(length, head);
    return head === digest;
  }

  /** True when it may be `plain` once it is complete. Of one name are also files of before and after compression was switched on. */
  async mayBecome(plain: FoundFile): Promise<boolean> {
    try {
      const first = await this.first();
      return Buffer.compare(first, (await plain.first()).subarray(0, first.length)) === 0;
    } catch (error) {
      if (isTieupError(error, 'TIEUP_E_STORAGE')) return true;
      throw error;
    }
  }

  /** True when all that it holds, if anything, is the beginning of `other`: then it is a copy of it, complete or not. */
  async isBeginningOf(other: FoundFile): Promise<boolean> {
    const first = await this.first();
    if (first.length === 0 || Buffer.compare(first, (await other.first()).subarray(0, first.length)) !== 0)
      return false;
    const size = await this.size();
    if (size > (await other.size())) return false;
    const length = Math.min(MARK, size);
    return other.#holds(size, stretchOf(await bytesFrom(this.file, size - length, length)));
  }

  /** What is known of it when it was read up to `offset`. */
  async marksAt(offset: number): Promise<Pick<KnownFile, 'head' | 'tail'>> {
    const length = Math.min(MARK, offset);
    return {
      head: stretchOf((await this.first()).subarray(0, length)),
      tail: stretchOf(await bytesFrom(this.file, offset - length, length)),
    };
  }

  async #holds(end: number, { length, sha256: digest }: Stretch): Promise<boolean> {
    const bytes = await bytesFrom(this.file, end - length, length);
    return bytes.length === length && sha256(bytes) === digest;
  }
}

async function sizeOf(file: LogFile): Promise<number> {
  if (!isCompressed(file.path)) return file.length;
  let size = 0;
  for await (const chunk of content(file, 0)) size += chunk.length;
  return size;
}
