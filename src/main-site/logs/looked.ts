/**
 * What lay in a partner's outbox when it was looked at last, in `.tieup/logs/<partner>/looked.json`. An export that is there now and
 * was not there then was made since: whatever times the partner writes into it, what had happened by then must be in it.
 *
 * Of an export that comes as a file nobody knows when it was made: it is held against nothing of this.
 */
import { z } from 'zod';
import { isTieupError } from '../../errors.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import { sha256 } from '../../protocol/digest.ts';
import { MAX_RECEIPT_NOTE, OUTBOX_EXPORT, OUTBOX_RECEIPT } from '../../protocol/exchange.ts';
import { instant } from '../../protocol/instant.ts';
import { MAX_EXPORT_NOTE } from '../../protocol/log-export.ts';
import { claimedText } from '../../protocol/note.ts';
import type { MainSite } from '../main-site.ts';
import { readCommitments } from './commitments.ts';
import type { LogExchange } from './fetch-part.ts';
import { logPath, type Pins, readState, type TreeName, writeState } from './log-records.ts';

export interface Looked {
  /** Before anything was read, by our own clock. */
  readonly at: string;
  readonly epoch: number;
  /** The largest trees that were known to be signed then. */
  readonly committed: Readonly<Record<TreeName, number>>;
  /** Digest of the receipt, and when it was there first; null when there was none. */
  readonly receipt: { readonly digest: string; readonly since: string } | null;
  /** Digest of the text of the export's statement; null when there was none. */
  readonly export: string | null;
}

const count = z.int().min(0);
const schema: z.ZodType<Looked> = z.strictObject({
  at: z.string(),
  epoch: z.int().min(1),
  committed: z.strictObject({ T: count, O: count }),
  receipt: z.strictObject({ digest: z.string(), since: z.string() }).nullable(),
  export: z.string().nullable(),
});

/** Undefined when nobody has looked yet. */
export async function readLooked(site: MainSite, partner: string): Promise<Looked | undefined> {
  return readState(site, looksAt(partner), schema);
}

/** Called when all of it was taken in. */
export async function keepLooked(site: MainSite, partner: string, looked: Looked): Promise<void> {
  await writeState(site, looksAt(partner), looked);
}

/** The checkpoints are kept already. The export is read last: what is older than another export is then known to be. */
export async function lookNow(
  site: MainSite,
  partner: string,
  exchange: LogExchange,
  pins: Pins,
  before: Looked | undefined,
): Promise<Looked> {
  const at = instant(site.clock.now());
  const largest = async (log: TreeName): Promise<number> =>
    (await readCommitments(site, partner, log, pins)).at(-1)?.size ?? pins[log].size;
  const committed = { T: await largest('T'), O: await largest('O') };
  const digest = await receiptDigest(exchange);
  const since = before?.receipt?.digest === digest ? before?.receipt?.since : undefined;
  const note = await readIfThere(exchange, OUTBOX_EXPORT, MAX_EXPORT_NOTE);
  return {
    at,
    epoch: pins.epoch,
    committed,
    receipt: digest === undefined ? null : { digest, since: since ?? at },
    export: note === undefined ? null : sha256(claimedText(note)),
  };
}

/** Of the receipt that lies in the outbox now; undefined when there is none that could be one. */
export async function receiptDigest(exchange: LogExchange): Promise<string | undefined> {
  try {
    const note = await readIfThere(exchange, OUTBOX_RECEIPT, MAX_RECEIPT_NOTE);
    return note && sha256(note);
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_TOO_LARGE')) return undefined;
    throw error;
  }
}

function looksAt(partner: string): string {
  return logPath(partner, 'looked.json');
}
