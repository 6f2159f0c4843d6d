/**
 * Hits in Parquet files, written by DuckDB: records are put aside as text, a million at a time, and converted in DuckDB's own threads
 * while the next ones come. Nothing gets its name before everything is converted.
 */
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TieupError } from '../errors.ts';
import type { HitImport, HitStore, HitTarget } from './hit-store.ts';

/** Records in one file. What a file holds must not depend on the speed of the machine, or an import again would not replace it. */
const PIECE = 1_000_000;
const BUFFER = 1024 * 1024;
/** Days that are written to at the same time; logs are nearly in the order of time. */
const OPEN_DAYS = 8;
/** A log of more days than these is not one. */
const MAX_PIECES = 10_000;
/** Of text that waits to be converted: the reader is held up before it gets far ahead. */
const WAITING = 2;

const COLUMNS = {
  seq: 'BIGINT',
  time: 'TIMESTAMP',
  zone: 'VARCHAR',
  host: 'VARCHAR',
  class: 'VARCHAR',
  page: 'VARCHAR',
  method: 'VARCHAR',
  path: 'VARCHAR',
  query: 'VARCHAR',
  protocol: 'VARCHAR',
  status: 'SMALLINT',
  bytes: 'BIGINT',
  referrer: 'VARCHAR',
  agent: 'VARCHAR',
  ip: 'VARCHAR',
  visitor: 'VARCHAR',
  user: 'VARCHAR',
  duration: 'BIGINT',
  bot: 'VARCHAR',
  signals: 'VARCHAR',
};

/** @param folder absolute; @returns undefined where DuckDB, an optional dependency, is not installed. */
export async function duckdbHits(folder: string): Promise<HitStore | undefined> {
  const duckdb = await import('@duckdb/node-api').catch(() => undefined);
  if (duckdb === undefined) return undefined;
  const instance = await duckdb.DuckDBInstance.create(':memory:', {
    // Beside the thread that verifies: with two, DuckDB takes a third more of the machine for the same file.
    threads: '1',
    memory_limit: '384MB',
    temp_directory: join(folder, '.spill'),
  });
  return new DuckdbHits(folder, instance);
}

class DuckdbHits implements HitStore {
  readonly #folder: string;
  readonly #instance: DuckDBInstance;

  constructor(folder: string, instance: DuckDBInstance) {
    this.#folder = folder;
    this.#instance = instance;
  }

  async begin(target: HitTarget): Promise<HitImport> {
    const { partner, log, epoch, from, size } = target;
    const own = `.staging-${partner}-${log}-`;
    const staging = join(this.#folder, `${own}${epoch}-${from}-${size}`);
    await mkdir(this.#folder, { recursive: true });
    // Of imports that were killed: whoever imports for a partner holds its lock, and takes one log after the other.
    for (const name of await readdir(this.#folder)) {
      if (name.startsWith(own)) await rm(join(this.#folder, name), { recursive: true, force: true });
    }
    await mkdir(staging);
    return new ParquetImport(target, this.#folder, staging, await this.#instance.connect());
  }

  async close(): Promise<void> {
    this.#instance.closeSync();
  }
}

interface Piece {
  readonly day: string;
  /** From 1 on. */
  readonly number: number;
  readonly path: string;
  /** Taken away when the piece is cut off. */
  buffer: Buffer;
  filled: number;
  records: number;
  /** To be written, in their order; they are used again then. */
  readonly full: { readonly buffer: Buffer; readonly length: number }[];
  file: Promise<FileHandle> | undefined;
}

class ParquetImport implements HitImport {
  readonly #target: HitTarget;
  readonly #folder: string;
  readonly #staging: string;
  readonly #connection: DuckDBConnection;
  /** By day, the one written to last at the end. */
  readonly #open = new Map<string, Piece>();
  readonly #numbers = new Map<string, number>();
  #last: Piece | undefined;
  readonly #spare: Buffer[] = [];
  readonly #cut: Piece[] = [];
  readonly #converted: Piece[] = [];
  #waiting = 0;
  #conversion: Promise<void> = Promise.resolve();
  #pieces = 0;

  constructor(target: HitTarget, folder: string, staging: string, connection: DuckDBConnection) {
    this.#target = target;
    this.#folder = folder;
    this.#staging = staging;
    this.#connection = connection;
  }

  add(day: string, bytes: Uint8Array, start: number, end: number): void {
    const piece = this.#pieceOf(day);
    if (piece.filled + end - start > BUFFER) this.#fill(piece);
    piece.buffer.set(bytes.subarray(start, end), piece.filled);
    piece.filled += end - start;
    piece.records += 1;
    if (piece.records === PIECE) this.#cutOff(piece);
  }

  async settle(): Promise<void> {
    for (const piece of this.#open.values()) if (piece.full.length > 0) await this.#write(piece);
    for (const piece of this.#cut.splice(0)) {
      await this.#write(piece);
      await (await piece.file)?.close();
      piece.file = undefined;
      this.#waiting += 1;
      this.#conversion = this.#conversion.then(() => this.#convert(piece));
      // Told when it is awaited, at the latest by commit.
      this.#conversion.catch(() => {});
    }
    if (this.#waiting > WAITING) await this.#conversion;
  }

  async commit(): Promise<number> {
    for (const piece of this.#open.values()) this.#cutOff(piece);
    await this.settle();
    await this.#conversion;
    const { partner, log, epoch, from, size } = this.#target;
    let records = 0;
    for (const { day, number, path, records: count } of this.#converted) {
      const place = join(this.#folder, `partner=${partner}`, `day=${day}`, `log=${log}`);
      await mkdir(place, { recursive: true });
      const suffix = number === 1 ? '' : `.${number}`;
      await rename(parquetOf(path), join(place, `${epoch}-${from}-${size}${suffix}.parquet`));
      await flushFolder(place);
      records += count;
    }
    await this.discard();
    return records;
  }

  async discard(): Promise<void> {
    await this.#conversion.catch(() => {});
    for (const piece of [...this.#open.values(), ...this.#cut]) await (await piece.file)?.close();
    this.#open.clear();
    this.#cut.length = 0;
    this.#connection.closeSync();
    await rm(this.#staging, { recursive: true, force: true });
  }

  #pieceOf(day: string): Piece {
    if (this.#last?.day === day) return this.#last;
    const known = this.#open.get(day);
    if (known !== undefined) {
      this.#open.delete(day);
      this.#open.set(day, known);
      this.#last = known;
      return known;
    }
    const [oldest] = this.#open.values();
    if (oldest !== undefined && this.#open.size === OPEN_DAYS) this.#cutOff(oldest);
    if ((this.#pieces += 1) > MAX_PIECES) {
      throw new TieupError('TIEUP_E_FAILED', `the exported log jumps between more than ${MAX_PIECES} days`);
    }
    const number = (this.#numbers.get(day) ?? 0) + 1;
    this.#numbers.set(day, number);
    const piece: Piece = {
      day,
      number,
      path: join(this.#staging, `${day}.${number}`),
      buffer: this.#spare.pop() ?? Buffer.allocUnsafe(BUFFER),
      filled: 0,
      records: 0,
      full: [],
      file: undefined,
    };
    this.#open.set(day, piece);
    this.#last = piece;
    return piece;
  }

  #fill(piece: Piece): void {
    piece.full.push({ buffer: piece.buffer, length: piece.filled });
    piece.buffer = this.#spare.pop() ?? Buffer.allocUnsafe(BUFFER);
    piece.filled = 0;
  }

  async #write(piece: Piece): Promise<void> {
    const file = await (piece.file ??= open(piece.path, 'w'));
    for (const { buffer, length } of piece.full.splice(0)) {
      for (let at = 0; at < length;) at += (await file.write(buffer, at, length - at)).bytesWritten;
      this.#spare.push(buffer);
    }
  }

  #cutOff(piece: Piece): void {
    this.#open.delete(piece.day);
    if (this.#last === piece) this.#last = undefined;
    piece.full.push({ buffer: piece.buffer, length: piece.filled });
    piece.buffer = NOTHING;
    this.#cut.push(piece);
  }

  async #convert(piece: Piece): Promise<void> {
    const { path, records } = piece;
    const columns = Object.entries(COLUMNS).map(([name, type]) => `'${name}': '${type}'`);
    const source = `read_csv(${quoted(path)}, delim='\t', header=false, quote='', escape='', nullstr='-', auto_detect=false,
      new_line='\\n', max_line_size=65536, columns={${columns.join(', ')}})`;
    try {
      const { rowsChanged } = await this.#connection.run(
        `COPY (FROM ${source}) TO ${quoted(parquetOf(path))} (FORMAT parquet, COMPRESSION zstd)`,
      );
      if (rowsChanged !== records) throw new Error(`${rowsChanged} of ${records} records were written`);
      const made = await open(parquetOf(path), 'r+');
      await made.sync();
      await made.close();
    } catch (cause) {
      throw new TieupError('TIEUP_E_FAILED', 'the records could not be written as Parquet', { cause });
    } finally {
      await rm(path, { force: true });
    }
    this.#waiting -= 1;
    this.#converted.push(piece);
  }
}

const NOTHING = Buffer.alloc(0);

function parquetOf(path: string): string {
  return `${path}.parquet`;
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "''")}'`;
}

/** Windows has no such thing. */
async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}
