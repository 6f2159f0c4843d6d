/**
 * Packs: many content-addressed objects in one file, `inbox/packs/<sha256>.pack` (design, section 6).
 *
 * `TIEUPPK1`, u32 chunks, u32 objects; per chunk u8 codec, u64 stored, u64 raw; per object SHA-256, u32 chunk, u64 offset,
 * u64 length, ascending and unique by digest; then the chunks' stored bytes. Big-endian. Objects tile the chunks, and the file
 * ends with its last chunk. Objects are compressed in groups: pages of one site share most of their frame.
 */
import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import { TieupError } from '../errors.ts';

export interface PackObject {
  /** SHA-256, lower-case hex. */
  readonly digest: string;
  readonly bytes: Uint8Array;
  /** It is compressed in itself, as pictures are: another attempt would cost time and save nothing. */
  readonly isDense?: boolean;
  /** Packs for others hold it as well: it is put together with others of that kind. */
  readonly isShared?: boolean;
}

/** Chunks of shared objects as they were compressed, by the digests of what is in them. */
export interface SharedChunks {
  get(digests: string): Promise<Uint8Array> | undefined;
  set(digests: string, compressed: Promise<Uint8Array>): void;
}

export interface PackChunk {
  readonly codec: 'stored' | 'gzip';
  /** Bytes in the pack. */
  readonly stored: number;
  /** Bytes after decoding. */
  readonly raw: number;
}

export interface PackEntry {
  readonly digest: string;
  readonly chunk: number;
  /** From the start of the decoded chunk. */
  readonly offset: number;
  readonly length: number;
}

export interface PackIndex {
  readonly chunks: readonly PackChunk[];
  readonly entries: readonly PackEntry[];
}

const MAGIC = Buffer.from('TIEUPPK1');
/** Bytes of magic and the two counts. */
export const PACK_HEAD_LENGTH = 16;
const CHUNK_LENGTH = 17;
const ENTRY_LENGTH = 52;
const MAX_CHUNKS = 2 ** 16;
const MAX_OBJECTS = 2 ** 20;
/** A chunk is decoded in memory; objects of 16 MiB and more travel outside packs. */
const MAX_CHUNK_RAW = 64 * 1024 * 1024;
/** Large enough to compress well, small enough to be decoded in memory and compressed beside its siblings. */
const CHUNK_TARGET = 4 * 1024 * 1024;

/** Of HTML the next level makes 4 % less and takes 30 % more time. */
const LEVEL = constants.Z_BEST_SPEED + 3;

const CODECS = ['stored', 'gzip'] as const;

export interface PackOptions {
  /** False leaves the chunks as they are; true unless given. */
  readonly compress?: boolean;
  /** What packs before this one have compressed; what this one does is added. */
  readonly shared?: SharedChunks;
}

/** The bytes of a pack with `objects`; chunks are compressed concurrently. Equal objects yield equal packs. */
export async function buildPack(objects: Iterable<PackObject>, options: PackOptions = {}): Promise<Uint8Array> {
  const groups = groupObjects([...objects]);
  const chunks = await Promise.all(
    groups.map((group) =>
      encodeChunk(group, options.compress !== false && !group.isDense, group.isShared ? options.shared : undefined),
    ),
  );
  const entries = groups.flatMap(({ members }, chunk) => {
    let offset = 0;
    return members.map(({ digest, bytes }) => {
      const entry = { digest, chunk, offset, length: bytes.length };
      offset += bytes.length;
      return entry;
    });
  });
  entries.sort((a, b) => (a.digest < b.digest ? -1 : 1));
  return Buffer.concat([renderIndex({ chunks, entries }), ...chunks.flatMap(({ pieces }) => pieces)]);
}

interface Group {
  readonly isDense: boolean;
  readonly isShared: boolean;
  readonly members: PackObject[];
  length: number;
}

function groupObjects(objects: readonly PackObject[]): readonly Group[] {
  const groups: Group[] = [];
  const open = new Map<string, Group>();
  for (const object of objects) {
    const { bytes, isDense = false, isShared = false } = object;
    const kind = `${isDense} ${isShared}`;
    let group = open.get(kind);
    if (group === undefined || group.length + bytes.length > CHUNK_TARGET) {
      group = { isDense, isShared, members: [], length: 0 };
      open.set(kind, group);
      groups.push(group);
    }
    group.members.push(object);
    group.length += bytes.length;
  }
  return groups;
}

/** Of what is stored as it is no copy is made. */
async function encodeChunk(
  { members, length }: Group,
  compress: boolean,
  shared: SharedChunks | undefined,
): Promise<PackChunk & { readonly pieces: readonly Uint8Array[] }> {
  const pieces = members.map(({ bytes }) => bytes);
  const key = members.map(({ digest }) => digest).join(' ');
  const zip = (): Promise<Uint8Array> => {
    const zipping = promisify(gzip)(Buffer.concat(pieces), { level: LEVEL });
    shared?.set(key, zipping);
    return zipping;
  };
  const zipped = compress ? await (shared?.get(key) ?? zip()) : undefined;
  if (zipped === undefined || zipped.length >= length) return { codec: 'stored', stored: length, raw: length, pieces };
  return { codec: 'gzip', stored: zipped.length, raw: length, pieces: [zipped] };
}

function renderIndex({ chunks, entries }: PackIndex): Buffer {
  const bytes = Buffer.alloc(PACK_HEAD_LENGTH + chunks.length * CHUNK_LENGTH + entries.length * ENTRY_LENGTH);
  MAGIC.copy(bytes);
  bytes.writeUInt32BE(chunks.length, 8);
  bytes.writeUInt32BE(entries.length, 12);
  let at = PACK_HEAD_LENGTH;
  for (const { codec, stored, raw } of chunks) {
    bytes.writeUInt8(CODECS.indexOf(codec), at);
    bytes.writeBigUInt64BE(BigInt(stored), at + 1);
    bytes.writeBigUInt64BE(BigInt(raw), at + 9);
    at += CHUNK_LENGTH;
  }
  for (const { digest, chunk, offset, length } of entries) {
    bytes.write(digest, at, 'hex');
    bytes.writeUInt32BE(chunk, at + 32);
    bytes.writeBigUInt64BE(BigInt(offset), at + 36);
    bytes.writeBigUInt64BE(BigInt(length), at + 44);
    at += ENTRY_LENGTH;
  }
  return bytes;
}

/**
 * How long the index is, from the first {@link PACK_HEAD_LENGTH} bytes, so that the reader can bound what it holds.
 * @throws TIEUP_E_VERIFY when this is no pack or it claims too much.
 */
export function packIndexLength(head: Uint8Array): number {
  const { chunks, objects } = readCounts(head);
  return PACK_HEAD_LENGTH + chunks * CHUNK_LENGTH + objects * ENTRY_LENGTH;
}

/** How many objects the pack with this head names. @throws as {@link packIndexLength} */
export function packObjectCount(head: Uint8Array): number {
  return readCounts(head).objects;
}

function readCounts(head: Uint8Array): { readonly chunks: number; readonly objects: number } {
  const view = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (view.length < PACK_HEAD_LENGTH || !view.subarray(0, 8).equals(MAGIC))
    throw malformed('it does not start with TIEUPPK1');
  const chunks = view.readUInt32BE(8);
  const objects = view.readUInt32BE(12);
  if (chunks > MAX_CHUNKS || objects > MAX_OBJECTS) throw malformed('it claims too many chunks or objects');
  return { chunks, objects };
}

/**
 * Reads an index of exactly {@link packIndexLength} bytes.
 * @throws TIEUP_E_VERIFY when digests do not rise, objects do not tile the chunks, or `fileLength` is not where it ends.
 */
export function parsePackIndex(index: Uint8Array, fileLength: number): PackIndex {
  const view = Buffer.from(index.buffer, index.byteOffset, index.byteLength);
  if (view.length !== packIndexLength(view)) throw malformed('its index is truncated');
  const chunks: PackChunk[] = [];
  let at = PACK_HEAD_LENGTH;
  for (let left = view.readUInt32BE(8); left > 0; left -= 1, at += CHUNK_LENGTH) {
    const codec = CODECS[view.readUInt8(at)];
    if (codec === undefined) throw malformed(`codec ${view.readUInt8(at)} is unknown`);
    const chunk = { codec, stored: readLength(view, at + 1), raw: readLength(view, at + 9) };
    if (chunk.raw > MAX_CHUNK_RAW || chunk.stored > chunk.raw || (codec === 'stored' && chunk.stored !== chunk.raw))
      throw malformed('a chunk has an impossible length');
    chunks.push(chunk);
  }
  const entries: PackEntry[] = [];
  let previous = '';
  for (; at < view.length; at += ENTRY_LENGTH) {
    const digest = view.toString('hex', at, at + 32);
    if (digest <= previous) throw malformed('its objects are not in order');
    previous = digest;
    entries.push({
      digest,
      chunk: view.readUInt32BE(at + 32),
      offset: readLength(view, at + 36),
      length: readLength(view, at + 44),
    });
  }
  checkTiling(chunks, entries);
  const end = chunks.reduce((sum, { stored }) => sum + stored, view.length);
  if (end !== fileLength) throw malformed(`it has ${fileLength} bytes, but must have ${end}`);
  return { chunks, entries };
}

function checkTiling(chunks: readonly PackChunk[], entries: readonly PackEntry[]): void {
  const ends = chunks.map(() => 0);
  for (const entry of entries.toSorted((a, b) => a.chunk - b.chunk || a.offset - b.offset || a.length - b.length)) {
    if (ends[entry.chunk] !== entry.offset) throw malformed('its objects do not tile the chunks');
    ends[entry.chunk] = entry.offset + entry.length;
  }
  if (chunks.some(({ raw }, index) => ends[index] !== raw)) throw malformed('its objects do not tile the chunks');
}

function readLength(view: Buffer, at: number): number {
  const value = view.readBigUInt64BE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed('a length is too large');
  return Number(value);
}

/** The decoded bytes of one chunk, exactly `chunk.raw` of them; never allocates more. @throws TIEUP_E_VERIFY. */
export async function decodeChunk(chunk: PackChunk, stored: Uint8Array): Promise<Uint8Array> {
  if (stored.length !== chunk.stored) throw malformed('a chunk is truncated');
  if (chunk.codec === 'stored') return stored;
  let raw: Uint8Array;
  try {
    raw = await promisify(gunzip)(stored, { maxOutputLength: Math.max(chunk.raw, 1) });
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', 'a pack is malformed: a chunk cannot be decompressed', { cause });
  }
  if (raw.length !== chunk.raw) throw malformed('a chunk has another length than its index says');
  return raw;
}

function malformed(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `a pack is malformed: ${why}`);
}
