/**
 * What happened to the partner's own files when the live tree was replaced by a new one (link mode).
 *
 * A tree that is no longer kept may go only with what tieup knows to be its own or to live on elsewhere. Its ledger names the
 * first; the second is written down by each publication that follows: every file which was put into the tree before it by hand
 * and moved along, and every edit which the manager let go. Bytes that are in neither were put there by somebody while nobody
 * looked, and stay.
 */
import type { Ledger, LedgerEntry } from '../merge/ledger.ts';
import type { Bytes, MergePlan } from '../merge/plan.ts';
import { isTieupError } from '../errors.ts';
import { publicationNumbers, readLedger, readSettled } from './records.ts';
import { sameBytes } from './look.ts';
import type { Ports } from './ports.ts';

/** What stood in the tree before where a file of tieup's now stands or stood, and was not as the ledger of that tree says. */
export function givenUp({ entries, removals }: MergePlan, ledger: Ledger): readonly LedgerEntry[] {
  return [...entries, ...removals].flatMap(({ path, before }) => {
    const known = ledger.entries.get(path) ?? null;
    return before === undefined || sameBytes(before, known) ? [] : [settledEntry(path, before)];
  });
}

export function settledEntry(path: string, { length, digest }: Bytes): LedgerEntry {
  return { path, length, digest, release: 0 };
}

/**
 * The bytes which may go with the tree of `publication`, by path: those of its ledger, and those that a later publication
 * settled. A damaged or lost list lets nothing go.
 */
export async function whatMayGo({ state }: Ports, publication: number): Promise<ReadonlyMap<string, readonly Bytes[]>> {
  const known = new Map<string, Bytes[]>();
  const add = async (reading: Promise<Iterable<LedgerEntry>>) => {
    try {
      for (const entry of await reading) {
        const versions = known.get(entry.path);
        if (versions === undefined) known.set(entry.path, [entry]);
        else versions.push(entry);
      }
    } catch (error) {
      if (!isTieupError(error, 'TIEUP_E_VERIFY')) throw error;
    }
  };
  await add(readLedger(state, publication).then(({ entries }) => entries.values()));
  for (const later of await publicationNumbers(state)) if (later >= publication) await add(readSettled(state, later));
  return known;
}
