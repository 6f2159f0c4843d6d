/** A partner's log as it is exported, made with the library, for tests that change what must not be changed. */
import { createHash } from 'node:crypto';
import { type LogOrigin, signCheckpoint, type TreeHead } from '../../src/protocol/checkpoint.ts';
import { WithheldRun } from '../../src/protocol/log-part-gap.ts';
import { renderPartHead } from '../../src/protocol/log-part-header.ts';
import { sealDisclosed, startDisclosed } from '../../src/protocol/log-part-line.ts';
import { type LogRecord, renderRecord } from '../../src/protocol/log-record.ts';
import { digestOf, Frontier, leafHash } from '../../src/protocol/merkle.ts';
import { type NoteSigner, noteSigner } from '../../src/protocol/note.ts';
import { verifierKey } from '../../src/protocol/vkey.ts';

export const logSigner: NoteSigner = noteSigner('harbour/log', new Uint8Array(32).fill(3));
export const logKey = verifierKey(logSigner.name, logSigner.publicKey);
export const origin: LogOrigin = { host: 'harbour.example', partner: 'harbour', log: 'T', epoch: 1 };

/** A hit on a tie-up page. */
export function hit(seq: number, changes: Partial<LogRecord> = {}): LogRecord {
  return {
    seq,
    time: '2026-11-23T22:00:00Z',
    zone: '+0500',
    host: 'harbour.example',
    class: 'T',
    page: 'with-main/story.html',
    method: 'GET',
    path: '/with-main/story.html',
    query: '',
    protocol: 'HTTP/1.1',
    status: 200,
    bytes: 5120,
    referrer: 'https://search.example',
    agent: 'Mozilla/5.0',
    ip: '203.0.113.0',
    visitor: 'f00dcafe',
    user: '',
    duration: 1200,
    bot: '',
    signals: [],
    ...changes,
  };
}

export interface SealedRecord {
  readonly salt: Uint8Array;
  readonly record: Uint8Array;
}

/** Records with salts that are the same in every run. */
export function sealed(lines: readonly string[]): readonly SealedRecord[] {
  return lines.map((line, index) => ({
    salt: createHash('sha256').update(`salt ${index}`).digest().subarray(0, 16),
    record: Buffer.from(line),
  }));
}

/** `count` hits, sealed. */
export function hits(count: number): readonly SealedRecord[] {
  return sealed(Array.from({ length: count }, (_, index) => renderRecord(hit(index + 1))));
}

export function leavesOf(records: readonly SealedRecord[]): readonly Uint8Array[] {
  return records.map(({ salt, record }) => leafHash(Buffer.concat([salt, record])));
}

export function treeOfRecords(records: readonly SealedRecord[]): Frontier {
  const tree = new Frontier();
  for (const leaf of leavesOf(records)) tree.appendLeaves(leaf);
  return tree;
}

export function headOf(records: readonly SealedRecord[]): TreeHead {
  return { size: records.length, root: treeOfRecords(records).root() };
}

export interface PartOptions {
  readonly from?: number;
  /** Which records are disclosed; all when not given. */
  readonly discloses?: (index: number) => boolean;
  readonly origin?: LogOrigin;
  readonly signer?: NoteSigner;
}

/** The signed checkpoint over all records. */
export function noteOf(records: readonly SealedRecord[], options: PartOptions = {}): Uint8Array {
  return signCheckpoint({ origin: options.origin ?? origin, ...headOf(records) }, options.signer ?? logSigner);
}

/** The bytes of a part. */
export function partOf(records: readonly SealedRecord[], options: PartOptions = {}): Buffer {
  const { from = 0, discloses = () => true } = options;
  const parts: Uint8Array[] = [
    Buffer.from(renderPartHead(noteOf(records, options), from, treeOfRecords(records.slice(0, from)).hashes())),
  ];
  const leaves = leavesOf(records);
  let run = new WithheldRun(from);
  for (const [index, { salt, record }] of records.entries()) {
    if (index < from) continue;
    if (!discloses(index)) {
      run.add(digestOf(leaves[index] ?? new Uint8Array(0)));
      continue;
    }
    parts.push(Buffer.from(run.render()));
    run = new WithheldRun(index + 1);
    const line = Buffer.alloc(64 + record.length);
    const recordAt = startDisclosed(line, 0, index);
    line.set(record, recordAt);
    sealDisclosed(line, Uint32Array.of(recordAt, recordAt + record.length), 1, salt, Buffer.alloc(32));
    parts.push(line.subarray(0, recordAt + record.length + 1));
  }
  return Buffer.concat([...parts, Buffer.from(run.render())]);
}

/** `bytes` in chunks of `length`. */
export function* inChunks(bytes: Uint8Array, length = bytes.length): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}
