/**
 * Exports that a partner makes who holds its own log key and means no good: every signature is right, and anything else may be
 * wrong. Nothing here goes through the partner's own code.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { sha256 } from '../../src/protocol/digest.ts';
import { renderLogAnswer } from '../../src/protocol/log-answer.ts';
import { type LogDemand, parseDemand } from '../../src/protocol/log-demand.ts';
import { type LogEpoch, renderEpoch } from '../../src/protocol/log-epoch.ts';
import { type ExportedTree, type LogExport, renderExport } from '../../src/protocol/log-export.ts';
import {
  type LogRecord,
  type RecordClass,
  renderRecord,
  switchRecord,
  unparsedRecord,
} from '../../src/protocol/log-record.ts';
import { claimedText, type NoteSigner, noteSigner, signNote } from '../../src/protocol/note.ts';
import { headOf, hit, noteOf, partOf, sealed, type SealedRecord } from './exported-log.ts';
import type { PartnerFixture } from './partner-fixture.ts';

export type Log = 'T' | 'O';
const LOGS: readonly Log[] = ['T', 'O'];

/** What the partner claims to have in each log, from the beginning on. */
export type Claim = Readonly<Record<Log, readonly LogRecord[]>>;

export interface Forgery {
  readonly claim: Claim;
  /** How many records of each log the main site has cosigned. */
  readonly from?: Readonly<Record<Log, number>>;
  readonly seq?: number;
  readonly previous?: string | null;
  readonly epoch?: number;
  /** Whose log it is said to be, and where. */
  readonly partner?: string;
  readonly host?: string;
  /** Which log the files are of; each its own unless this crosses them. */
  readonly logOf?: (log: Log) => Log;
  /** Signs the statement; the partner's log key unless given. */
  readonly signer?: NoteSigner;
  /** Signs the checkpoints. */
  readonly checkpointSigner?: NoteSigner;
  /** Which records are shown; all unless given. */
  readonly discloses?: (log: Log, index: number) => boolean;
  /** Changes the text of a file before it is compressed and its digest is signed. */
  readonly text?: (log: Log, text: string) => string;
  /** Changes the compressed bytes before their digest is signed. */
  readonly bytes?: (log: Log, bytes: Buffer) => Uint8Array;
  /** Changes what lies there after its digest was signed; undefined leaves it away. */
  readonly file?: (log: Log, bytes: Uint8Array) => Uint8Array | undefined;
  /** Changes the statement before it is signed. */
  readonly statement?: (statement: LogExport) => LogExport;
  /** The same as text, for what no statement can say. */
  readonly statementText?: (text: string) => string;
  readonly time?: string;
}

export async function logSignerOf(shop: PartnerFixture): Promise<NoteSigner> {
  return noteSigner(`${shop.id}/log`, await shop.keys.load('log'));
}

/** Puts the export into the outbox; what its statement says. */
export async function forge(shop: PartnerFixture, forgery: Forgery): Promise<{ statement: LogExport; digest: string }> {
  const { claim, from = { T: 0, O: 0 }, epoch = 1, partner = shop.id } = forgery;
  const own = await logSignerOf(shop);
  const folder = outbox(shop);
  mkdirSync(folder, { recursive: true });
  const tree = (log: Log): ExportedTree => {
    const records = sealedLog(claim[log]);
    const head = headOf(records);
    if (from[log] === head.size) return { ...head, disclosed: 'none', from: from[log], file: null };
    const origin = { host: forgery.host ?? `${shop.id}.example`, partner, log: forgery.logOf?.(log) ?? log, epoch };
    const discloses = (index: number) => forgery.discloses?.(log, index) ?? true;
    const plain = partOf(records, {
      from: from[log],
      origin,
      signer: forgery.checkpointSigner ?? own,
      discloses,
    });
    const text = Buffer.from(forgery.text?.(log, plain.toString('latin1')) ?? plain.toString('latin1'), 'latin1');
    const compressed = gzipSync(text);
    const bytes = forgery.bytes?.(log, compressed) ?? compressed;
    const digest = sha256(bytes);
    const lying = forgery.file === undefined ? bytes : forgery.file(log, bytes);
    if (lying !== undefined) writeFileSync(join(folder, `${digest}.part.gz`), lying);
    const isWhole = records.slice(from[log]).every((_, index) => discloses(index + from[log]));
    const file = { digest, length: bytes.length, rawLength: text.length };
    return { ...head, disclosed: isWhole ? 'whole' : 'part', from: from[log], file };
  };
  const honest: LogExport = {
    partner,
    seq: forgery.seq ?? 1,
    previous: forgery.previous ?? null,
    epoch,
    lines: countsOf(claim),
    T: tree('T'),
    O: tree('O'),
    settings: sha256('settings'),
    time: forgery.time ?? '2026-11-24T00:00:00Z',
  };
  const statement = forgery.statement?.(honest) ?? honest;
  const text = forgery.statementText?.(renderExport(statement)) ?? renderExport(statement);
  writeFileSync(join(folder, 'export.note'), signNote(text, [forgery.signer ?? own]));
  return { statement, digest: sha256(text) };
}

export interface ForgedAnswer {
  /** Of log O, as many as were demanded of, or more. */
  readonly records: readonly LogRecord[];
  readonly discloses: (index: number, demanded: readonly number[]) => boolean;
  readonly demanded: readonly number[];
  readonly demand?: string;
  readonly signer?: NoteSigner;
}

/** What the main site demands, from the inbox. */
export function demandOf(shop: PartnerFixture): LogDemand {
  return parseDemand(claimedText(readFileSync(shop.path('exchange/inbox/logs/demand.note'))));
}

/** Answers the demand in the inbox. */
export async function answerDemand(shop: PartnerFixture, forged: ForgedAnswer): Promise<void> {
  const note = readFileSync(shop.path('exchange/inbox/logs/demand.note'));
  const demand = parseDemand(claimedText(note));
  const own = await logSignerOf(shop);
  const plain = partOf(sealedLog(forged.records).slice(0, demand.tree.size), {
    origin: { host: `${shop.id}.example`, partner: shop.id, log: 'O', epoch: demand.epoch },
    signer: own,
    discloses: (index) => forged.discloses(index, forged.demanded),
  });
  const bytes = gzipSync(plain);
  const text = renderLogAnswer({
    partner: shop.id,
    demand: forged.demand ?? sha256(claimedText(note)),
    file: { digest: sha256(bytes), length: bytes.length, rawLength: plain.length },
    time: '2026-11-24T06:00:00Z',
  });
  writeFileSync(join(outbox(shop), 'answer.part.gz'), bytes);
  writeFileSync(join(outbox(shop), 'answer.note'), signNote(text, [forged.signer ?? own]));
}

/** Signs a checkpoint of a log, as `tieup logs commit` does. */
export async function commitTo(shop: PartnerFixture, log: Log, records: readonly LogRecord[]): Promise<void> {
  mkdirSync(outbox(shop), { recursive: true });
  const origin = { host: `${shop.id}.example`, partner: shop.id, log, epoch: 1 };
  const note = noteOf(sealedLog(records), { origin, signer: await logSignerOf(shop) });
  writeFileSync(join(outbox(shop), `${log}.checkpoint`), note);
}

/** The manager's statement of a new epoch. */
export async function beginEpoch(shop: PartnerFixture, epoch: LogEpoch, signer?: NoteSigner): Promise<void> {
  mkdirSync(outbox(shop), { recursive: true });
  const accept = signer ?? noteSigner(`${shop.id}/accept`, await shop.keys.load('accept'));
  writeFileSync(join(outbox(shop), 'epoch.note'), signNote(renderEpoch(epoch), [accept]));
}

/** Hits on tie-up pages, numbered from `first` on. */
export function tieUpHits(count: number, first = 1, changes: Partial<LogRecord> = {}): readonly LogRecord[] {
  return Array.from({ length: count }, (_, index) => hit(first + index, changes));
}

export function ownHits(count: number, first: number, changes: Partial<LogRecord> = {}): readonly LogRecord[] {
  return tieUpHits(count, first, { class: 'O', page: '', path: '/about/us.html', ...changes });
}

export function liveSwitch(seq: number, release: string | null, time = '2026-11-23T12:00:00Z'): LogRecord {
  return switchRecord(seq, { time, publication: 1, release: release === null ? 0 : 1, releaseDigest: release });
}

export function unreadable(seq: number, line: string): LogRecord {
  return unparsedRecord(seq, line);
}

/** A record has the same salt in every export: the honest part of a lie has to fit. */
function sealedLog(records: readonly LogRecord[]): readonly SealedRecord[] {
  return sealed(records.map(renderRecord));
}

function countsOf(claim: Claim): LogExport['lines'] {
  const all = LOGS.flatMap((log) => claim[log]);
  const of = (wanted: RecordClass) => all.filter((record) => record.class === wanted).length;
  return { T: of('T'), O: of('O'), X: of('X'), S: of('S'), G: of('G') };
}

function outbox(shop: PartnerFixture): string {
  return shop.path('exchange/outbox/logs');
}
