/**
 * Checkpoints that a partner signs every few minutes, without exporting anything: `<epoch>/commitments/<log>-<size>.note`. Each pull
 * takes the newest one, and a later export has to pass through it. So what was committed to when somebody looked cannot be
 * changed before it is exported.
 */
import type { Partnership } from '../../config/partnership.ts';
import { isTieupError, TieupError } from '../../errors.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import {
  MAX_CHECKPOINT_NOTE,
  openCheckpoint,
  type OpenedCheckpoint,
  parseCheckpoint,
  type TreeHead,
} from '../../protocol/checkpoint.ts';
import { checkpointPath } from '../../protocol/exchange.ts';
import { sameHash } from '../../protocol/merkle.ts';
import { claimedText } from '../../protocol/note.ts';
import type { MainSite } from '../main-site.ts';
import type { LogExchange } from './fetch-part.ts';
import { keepRefused } from './keep-refused.ts';
import { epochPath, headOf, type Pins, TREES, type TreeName } from './log-records.ts';
import { logKey } from './open-statement.ts';

/** Of a log between two exports; of more, the newest takes the place of the one before it. */
const MAX_COMMITMENTS = 1000;

/**
 * Keeps the newest checkpoints of the outbox. One that is not there, or not signed as it must be, is nothing to hold anybody to.
 * @throws TIEUP_E_VERIFY when one contradicts what is pinned, or another one of the same size; both are kept as evidence.
 */
export async function keepCommitments(
  site: MainSite,
  partnership: Partnership,
  exchange: LogExchange,
  pins: Pins,
): Promise<void> {
  for (const log of TREES) {
    const note = await readIfThere(exchange, checkpointPath(log), MAX_CHECKPOINT_NOTE);
    const found = note && openedOr(note, partnership, log, pins.epoch);
    if (found === undefined || found.size < pins[log].size) continue;
    const path = notePath(partnership.id, pins, log, found.size);
    const before = await readIfThere(site.files, path, MAX_CHECKPOINT_NOTE);
    const pinned = found.size === pins[log].size ? headOf(pins[log]) : undefined;
    const known = pinned ?? (before && openedOr(before, partnership, log, pins.epoch));
    if (known !== undefined && !sameHash(known.root, found.root)) {
      const pinnedNote = Buffer.from(pins[log].checkpoint ?? '', 'base64');
      const notes = { [`${log}.checkpoint`]: found.note, [`${log}.checkpoint-before`]: before ?? pinnedNote };
      const refusal = forked(partnership.id, log, `has signed two roots for the first ${found.size} records`);
      throw await keepRefused(site, partnership.id, { notes, fetched: [] }, refusal);
    }
    if (known === undefined) await keepNewest(site, partnership.id, log, pins, { path, note: found.note });
  }
}

async function keepNewest(
  site: MainSite,
  partner: string,
  log: TreeName,
  pins: Pins,
  { path, note }: { readonly path: string; readonly note: Uint8Array },
): Promise<void> {
  const kept = await sizesKept(site, partner, log, pins);
  const last = kept.at(-1);
  await site.files.write(path, note);
  if (kept.length < MAX_COMMITMENTS || last === undefined) return;
  await site.files.remove(notePath(partner, pins, log, last));
}

/** Ascending, those that are pinned by now as well. */
async function sizesKept(site: MainSite, partner: string, log: TreeName, { epoch }: Pins): Promise<readonly number[]> {
  const names = (await site.files.list(epochPath(partner, epoch, 'commitments'))).map(({ name }) => name);
  return names
    .flatMap((name) => {
      const [, of, size] = /^([TO])-(\d+)\.note$/.exec(name) ?? [];
      return of === log ? [Number(size)] : [];
    })
    .toSorted((a, b) => a - b);
}

/** Those that are not pinned yet, ascending. */
export async function readCommitments(
  site: MainSite,
  partner: string,
  log: TreeName,
  pins: Pins,
): Promise<readonly OpenedCheckpoint[]> {
  const found: OpenedCheckpoint[] = [];
  for (const size of await sizesKept(site, partner, log, pins)) {
    if (size <= pins[log].size) continue;
    // Verified when it was kept, with the key of that time.
    const note = await site.files.read(notePath(partner, pins, log, size), MAX_CHECKPOINT_NOTE);
    const text = claimedText(note);
    found.push({ ...parseCheckpoint(text), note, text });
  }
  return found;
}

/**
 * Those that are pinned now have done their work. Those of log T that could not be held against anything stay for people to see.
 * @param passed the sizes of log T at which there was a root
 */
export async function dropCommitments(
  site: MainSite,
  partner: string,
  pins: Pins,
  passed: ReadonlySet<number>,
): Promise<void> {
  for (const log of TREES) {
    for (const size of await sizesKept(site, partner, log, pins)) {
      if (size > pins[log].size) break;
      const path = notePath(partner, pins, log, size);
      if (log === 'T' && !passed.has(size)) {
        const note = await site.files.read(path, MAX_CHECKPOINT_NOTE);
        await site.files.write(epochPath(partner, pins.epoch, `uncompared/${log}-${size}.note`), note);
      }
      await site.files.remove(path);
    }
  }
}

function notePath(partner: string, { epoch }: Pins, log: TreeName, size: number): string {
  return epochPath(partner, epoch, `commitments/${log}-${size}.note`);
}

/** The sizes whose roots have to be known when a log is verified, to hold them against what was committed to. */
export function committedSizes(commitments: readonly OpenedCheckpoint[]): readonly number[] {
  return commitments.map(({ size }) => size);
}

/**
 * Whether a verified log passed through the roots that were committed to. Within records that are withheld as one there is none to
 * be held against. @returns the sizes at which there was one
 * @throws TIEUP_E_VERIFY when what was committed to was changed since.
 */
export function assertCommitted(
  partner: string,
  log: TreeName,
  commitments: readonly OpenedCheckpoint[],
  passed: ReadonlyMap<number, Uint8Array>,
  until: TreeHead,
): ReadonlySet<number> {
  const compared = new Set<number>();
  for (const { size, root } of commitments) {
    const found = passed.get(size) ?? (size === until.size ? until.root : undefined);
    if (found === undefined) continue;
    if (!sameHash(root, found)) {
      const why = `had committed to other records: its first ${size} were changed before they were exported`;
      throw forked(partner, log, why);
    }
    compared.add(size);
  }
  return compared;
}

function openedOr(
  note: Uint8Array,
  partnership: Partnership,
  log: TreeName,
  epoch: number,
): OpenedCheckpoint | undefined {
  try {
    const opened = openCheckpoint(note, [logKey(partnership)]);
    return opened.origin.log === log && opened.origin.epoch === epoch ? opened : undefined;
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_VERIFY')) return undefined;
    throw error;
  }
}

function forked(partner: string, log: TreeName, why: string): TieupError {
  return new TieupError(
    'TIEUP_E_VERIFY',
    `log ${log} of ${partner} is refused: ${partner} ${why}; the history was forked`,
  );
}
