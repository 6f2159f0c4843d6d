/** Moves records that were committed but never cosigned into the trees of a new epoch: each once, in the order of the log. */
import { TieupError } from '../../errors.ts';
import { RecordWriter } from '../../logs/record-writer.ts';
import { type LineCounts, NO_LINES } from '../../logs/scanner.ts';
import { type LogRecord, ownPathOf, parseRecord, treeOf } from '../../protocol/log-record.ts';
import type { PartnerSite } from '../partner-site.ts';
import { segmentKeeper } from './keep-segments.ts';
import { type LogState, treeSize, type TreeName } from './log-state.ts';
import { recordIn } from './part-lines.ts';
import type { Pins } from './pins.ts';
import { linesOf, stretchesOf } from './segments.ts';

interface KeptRecord {
  readonly record: LogRecord;
  /** Its line. */
  readonly bytes: Uint8Array;
}

const BATCH_BYTES = 2 * 1024 * 1024;
const TAB = 0x09;

/**
 * The state of the new epoch, whose records are flushed. Its first record says again what was live when the old epoch was cosigned
 * last: every hit is judged by the switch before it.
 */
export async function carryOver(
  site: PartnerSite,
  old: LogState,
  pins: Pins['pins'],
  epoch: number,
): Promise<LogState & { readonly carried: number }> {
  const empty = { epoch, counts: NO_LINES, frontiers: { T: [], O: [] } };
  const keeper = segmentKeeper(site, empty);
  const writers = { T: new RecordWriter('T', 0, BATCH_BYTES), O: new RecordWriter('O', 0, BATCH_BYTES) };
  let counts: LineCounts = NO_LINES;
  const append = async ({ record, bytes }: KeptRecord): Promise<void> => {
    const isLine = record.class !== 'S' && record.class !== 'G';
    counts = { ...counts, lines: counts.lines + Number(isLine), [record.class]: counts[record.class] + 1 };
    const writer = writers[treeOf(record.class)];
    writer.open();
    writer.plain(String(counts.lines));
    writer.raw(bytes, bytes.indexOf(TAB), bytes.length);
    const full = writer.close();
    if (full !== undefined) await keeper.keep([full]);
  };
  let carried = 0;
  try {
    const live = await lastSwitch(site, old.epoch, pins.T.size);
    for (const each of live) await append(each);
    for await (const each of inOrder(site, old, pins)) {
      await append(each);
      carried += 1;
    }
    for (const writer of [writers.T, writers.O]) {
      const rest = writer.take();
      if (rest !== undefined) await keeper.keep([rest]);
    }
    await keeper.flush();
  } finally {
    await keeper.close();
  }
  // Without a switch the next commit begins with one.
  const publication = counts.S === 0 ? null : old.publication;
  return { ...old, epoch, counts, publication, frontiers: keeper.frontiers(), carried };
}

/** By their numbers; a switch or gap has the number of the line before it. */
async function* inOrder(site: PartnerSite, old: LogState, pins: Pins['pins']): AsyncIterable<KeptRecord> {
  const [ofT, ofO] = [records(site, old, 'T', pins), records(site, old, 'O', pins)];
  let [t, o] = [await ofT.next(), await ofO.next()];
  for (;;) {
    if (o.done !== true && (t.done === true || o.value.record.seq <= t.value.record.seq)) {
      yield o.value;
      o = await ofO.next();
    } else if (t.done !== true) {
      yield t.value;
      t = await ofT.next();
    } else return;
  }
}

async function* records(
  site: PartnerSite,
  { epoch, counts }: LogState,
  tree: TreeName,
  pins: Pins['pins'],
): AsyncGenerator<KeptRecord, void, undefined> {
  for (const stretch of await stretchesOf(site, epoch, tree, pins[tree].size, treeSize(counts, tree))) {
    const lines = await linesOf(site, stretch);
    if (lines === undefined) {
      throw new TieupError('TIEUP_E_VERIFY', `records of log ${tree} were dropped before they were cosigned`, {
        hint: 'restore the state folder from a backup',
      });
    }
    for (const line of lines) yield kept(line);
  }
}

/** The last switch before record `size` of T, and the partner's own paths that it names; empty when there was none, or it was dropped. */
async function lastSwitch(site: PartnerSite, epoch: number, size: number): Promise<readonly KeptRecord[]> {
  const found: KeptRecord[] = [];
  for (const stretch of (await stretchesOf(site, epoch, 'T', 0, size)).toReversed()) {
    for (const line of ((await linesOf(site, stretch)) ?? []).toReversed()) {
      const each = kept(line);
      if (each.record.class !== 'S') continue;
      found.unshift(each);
      // What is the partner's own follows the switch that it belongs to.
      if (ownPathOf(each.record) === undefined) return found;
    }
  }
  return [];
}

function kept(line: Uint8Array): KeptRecord {
  const bytes = recordIn(line);
  return { record: parseRecord(bytes), bytes };
}
