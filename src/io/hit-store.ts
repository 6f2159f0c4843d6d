/**
 * Where verified records of access logs go to be queried: one Parquet file for every day of every export,
 * `hits/partner=<id>/day=<YYYY-MM-DD>/log=<T|O>/<epoch>-<from>-<size>.parquet`, and `….2.parquet` and so on for what does not fit into one.
 *
 * Columns are the 20 fields of `tieup-log/1` by name, spelt as in the record, NULL for a lone dash; seq, bytes and duration BIGINT,
 * status SMALLINT, time TIMESTAMP (UTC). Records without a time are of the day 1970-01-01 when no record before them has one.
 */
export interface HitStore {
  /** Takes the records of one exported log aside. */
  begin(target: HitTarget): Promise<HitImport>;
  close(): Promise<void>;
}

export interface HitTarget {
  readonly partner: string;
  readonly log: 'T' | 'O';
  readonly epoch: number;
  /** The export is of these records of the log. */
  readonly from: number;
  readonly size: number;
}

/** Nothing can be queried before the commit; the same export again replaces its own files. */
export interface HitImport {
  /** Copies the record `bytes[start, end)`, which ends with a line feed, to be of `day`. */
  add(day: string, bytes: Uint8Array, start: number, end: number): void;
  /** To be awaited after every batch: keeps memory bounded. */
  settle(): Promise<void>;
  /** @returns how many records can be queried now. */
  commit(): Promise<number>;
  /** Forgets what was added; fine after a commit. */
  discard(): Promise<void>;
}
