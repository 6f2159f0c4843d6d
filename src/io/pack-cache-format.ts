/**
 * What the two files of a {@link packCache} consist of. Integers are big-endian.
 *
 *   fragments.pack   `TIEUPFC1`, 16 bytes of the pack's own; then records, each appended whole:
 *                    `TIEUPREC`, key (32), u32 length, first 16 bytes of SHA-256(key ‖ bytes), bytes
 *   fragments.index  `TIEUPFI1`, the pack's 16 bytes, u48 bytes of the pack that are covered, u32 count;
 *                    entries of key (32), u48 offset of the bytes, u32 length, check (16); SHA-256 of all that
 *
 * The pack alone counts. The index saves reading it: one that is torn, or belongs to another pack, is made again.
 */
import { createHash } from 'node:crypto';

const PACK_MAGIC = Buffer.from('TIEUPFC1');
export const RECORD_MAGIC = Buffer.from('TIEUPREC');
const INDEX_MAGIC = Buffer.from('TIEUPFI1');
export const PACK_ID = 16;
const KEY_LENGTH = 32;
const CHECK_LENGTH = 16;
const DIGEST_LENGTH = 32;
export const PACK_HEAD = PACK_MAGIC.length + PACK_ID;
export const RECORD_HEAD = RECORD_MAGIC.length + KEY_LENGTH + 4 + CHECK_LENGTH;
const INDEX_HEAD = INDEX_MAGIC.length + PACK_ID + 6 + 4;
const INDEX_ENTRY = KEY_LENGTH + 6 + 4 + CHECK_LENGTH;

/** Where in a pack the bytes of a key lie. */
export interface PackEntry {
  readonly offset: number;
  readonly length: number;
  readonly check: Uint8Array;
}

/** By key, 64 hex digits. */
export type PackEntries = Map<string, PackEntry>;

export function packHead(id: Uint8Array): Buffer {
  return Buffer.concat([PACK_MAGIC, id], PACK_HEAD);
}

/** Hex of the pack's own bytes; undefined when it is no pack. */
export function packId(head: Buffer): string | undefined {
  if (head.length < PACK_HEAD || !head.subarray(0, PACK_MAGIC.length).equals(PACK_MAGIC)) return undefined;
  return head.toString('hex', PACK_MAGIC.length, PACK_HEAD);
}

export function checkOf(key: string, bytes: Uint8Array): Buffer {
  return createHash('sha256').update(key, 'hex').update(bytes).digest().subarray(0, CHECK_LENGTH);
}

export function encodeRecord(key: string, bytes: Uint8Array): Buffer {
  const record = Buffer.alloc(RECORD_HEAD + bytes.length);
  let at = RECORD_MAGIC.copy(record);
  at += record.write(key, at, 'hex');
  at = record.writeUInt32BE(bytes.length, at);
  at += checkOf(key, bytes).copy(record, at);
  record.set(bytes, at);
  return record;
}

/** @param head {@link RECORD_HEAD} bytes from `offset` of the pack on; undefined when no record starts there. */
export function decodeRecordHead(head: Buffer, offset: number): { key: string; entry: PackEntry } | undefined {
  if (head.length < RECORD_HEAD || !head.subarray(0, RECORD_MAGIC.length).equals(RECORD_MAGIC)) return undefined;
  const afterKey = RECORD_MAGIC.length + KEY_LENGTH;
  const key = head.toString('hex', RECORD_MAGIC.length, afterKey);
  const check = Buffer.from(head.subarray(afterKey + 4, RECORD_HEAD));
  return { key, entry: { offset: offset + RECORD_HEAD, length: head.readUInt32BE(afterKey), check } };
}

export function encodeIndex(id: string, covered: number, entries: PackEntries): Buffer {
  const index = Buffer.alloc(INDEX_HEAD + entries.size * INDEX_ENTRY + DIGEST_LENGTH);
  let at = INDEX_MAGIC.copy(index);
  at += index.write(id, at, 'hex');
  at = index.writeUIntBE(covered, at, 6);
  at = index.writeUInt32BE(entries.size, at);
  for (const [key, { offset, length, check }] of entries) {
    at += index.write(key, at, 'hex');
    at = index.writeUIntBE(offset, at, 6);
    at = index.writeUInt32BE(length, at);
    index.set(check, at);
    at += CHECK_LENGTH;
  }
  digestOf(index.subarray(0, at)).copy(index, at);
  return index;
}

/** @returns undefined when it is torn, altered, or the index of another pack. */
export function decodeIndex(index: Buffer, id: string): { covered: number; entries: PackEntries } | undefined {
  const end = index.length - DIGEST_LENGTH;
  if (end < INDEX_HEAD || !index.subarray(0, INDEX_MAGIC.length).equals(INDEX_MAGIC)) return undefined;
  if (!digestOf(index.subarray(0, end)).equals(index.subarray(end))) return undefined;
  let at = INDEX_MAGIC.length;
  if (index.toString('hex', at, at + PACK_ID) !== id) return undefined;
  at += PACK_ID;
  const covered = index.readUIntBE(at, 6);
  const count = index.readUInt32BE(at + 6);
  at += 10;
  if (end - at !== count * INDEX_ENTRY) return undefined;
  const entries: PackEntries = new Map();
  for (; at < end; at += INDEX_ENTRY) {
    const key = index.toString('hex', at, at + KEY_LENGTH);
    const offset = index.readUIntBE(at + KEY_LENGTH, 6);
    const length = index.readUInt32BE(at + KEY_LENGTH + 6);
    entries.set(key, { offset, length, check: index.subarray(at + KEY_LENGTH + 10, at + INDEX_ENTRY) });
  }
  return { covered, entries };
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
