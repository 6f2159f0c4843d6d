/**
 * How far a log file was read, and how it is known again under another name, compressed, or after it was cut short:
 * by its first bytes and by the last ones that were read of it.
 */
import { z } from 'zod';
import type { LogFile, LogFileState } from '../../io/log-files.ts';
import { sha256, sha256Stream } from '../../protocol/digest.ts';
import { content, isCompressed } from './log-content.ts';

export interface KnownFile extends LogFileState {
  /** The path under which it was read last, for messages. */
  readonly path: string;
  /** Uncompressed bytes that were read, all of them whole lines. */
  readonly offset: number;
  /** True when nothing follows that: no half line either. */
  readonly isWhole: boolean;
  /** Its first bytes, at most {@link MARK}. */
  readonly head: Stretch;
  /** The last bytes that were read, at most {@link MARK}, the last line mostly; empty before the first. */
  readonly tail: Stretch;
  /** What the log says about its own fields, where that stands in the file and not in tieup.yaml. */
  readonly directive?: string | undefined;
}

/** Some bytes that are not kept. */
export interface Stretch {
  readonly length: number;
  readonly sha256: string;
}

/** Bytes by which a file is known again, at its start and where reading ended. */
export const MARK = 1024;

const stretch = z.strictObject({ length: z.int().min(0).max(MARK), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

export const knownFileSchema: z.ZodType<KnownFile> = z.strictObject({
  path: z.string(),
  device: z.string(),
  inode: z.string(),
  length: z.int().min(0),
  modifiedMs: z.number(),
  offset: z.int().min(0),
  isWhole: z.boolean(),
  head: stretch,
  tail: stretch,
  directive: z.string().optional(),
});

export function stretchOf(bytes: Uint8Array): Stretch {
  return { length: bytes.length, sha256: sha256(bytes) };
}

/** True when it is the same file by its inode; it may have other content since. */
export function isSameInode(a: LogFileState, b: LogFileState): boolean {
  return a.device === b.device && a.inode === b.inode;
}

/** True when it is the same file and nobody wrote to it since. */
export function isUntouched(known: LogFileState, file: LogFileState): boolean {
  return isSameInode(known, file) && known.length === file.length && known.modifiedMs === file.modifiedMs;
}

/** True when `file` begins with what was read of `known`; a compressed one is unpacked as far as that. */
export async function continues(file: LogFile, known: KnownFile): Promise<boolean> {
  const { head, tail, offset } = known;
  if (!isCompressed(file.path)) {
    if (file.length < offset) return false;
    if (!isStretch(await file.read(0, head.length), head)) return false;
    return isStretch(await file.read(offset - tail.length, tail.length), tail);
  }
  const [first, final] = [sha256Stream(), sha256Stream()];
  let passed = 0;
  for await (const chunk of content(file, 0)) {
    first.update(within(chunk, 0, head.length - passed));
    final.update(within(chunk, offset - tail.length - passed, offset - passed));
    const isHeadComplete = passed < head.length && passed + chunk.length >= head.length;
    passed += chunk.length;
    // Most files are told apart by their first bytes; the rest need not be unpacked.
    if (isHeadComplete && first.digest() !== head.sha256) return false;
    if (passed >= offset) return final.digest() === tail.sha256;
  }
  return false;
}

function within(chunk: Uint8Array, from: number, to: number): Uint8Array {
  return to <= 0 ? chunk.subarray(0, 0) : chunk.subarray(Math.max(0, from), to);
}

function isStretch(bytes: Uint8Array, { length, sha256: digest }: Stretch): boolean {
  return bytes.length === length && sha256(bytes) === digest;
}
