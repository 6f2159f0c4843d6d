/**
 * How far a log file was read, and how it is known again under another name, compressed, or after it was cut short:
 * by its first bytes and by the last ones that were read of it.
 */
import { z } from 'zod';
import type { LogFile, LogFileState } from '../../io/log-files.ts';
import { sha256 } from '../../protocol/digest.ts';

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
  /** Of a copy that had less than was read of its log elsewhere: the digest of the last bytes that were read there. */
  readonly copyOf?: string | undefined;
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
  copyOf: z.string().optional(),
});

export const NO_MARKS: Pick<KnownFile, 'head' | 'tail'> = {
  head: stretchOf(new Uint8Array()),
  tail: stretchOf(new Uint8Array()),
};

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

/** The state of a file, to be kept. */
export function stateOf({
  path,
  device,
  inode,
  length,
  modifiedMs,
}: LogFile): LogFileState & { readonly path: string } {
  return { path, device, inode, length, modifiedMs };
}
