/**
 * A new epoch of a partner's logs: only its manager can begin one, and the statement names what the main site had cosigned, so that
 * nothing that was cosigned can be made to have never been. What was committed to and not named has to come over; see epoch-seam.ts.
 */
import type { Partnership } from '../../config/partnership.ts';
import { isTieupError, TieupError } from '../../errors.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import { sameHead, type TreeHead } from '../../protocol/checkpoint.ts';
import { sha256 } from '../../protocol/digest.ts';
import { OUTBOX_EPOCH, OUTBOX_EXPORT } from '../../protocol/exchange.ts';
import { EPOCH_TYPE, type LogEpoch, MAX_EPOCH_NOTE, parseEpoch } from '../../protocol/log-epoch.ts';
import { MAX_EXPORT_NOTE, parseExport } from '../../protocol/log-export.ts';
import { claimedText, openNote } from '../../protocol/note.ts';
import { parseVkey } from '../../protocol/vkey.ts';
import type { MainSite } from '../main-site.ts';
import { seamAfter } from './epoch-seam.ts';
import { addFindings, type KeptFinding, type LogFinding } from './findings.ts';
import type { LogExchange } from './fetch-part.ts';
import { keepRefusedNote } from './keep-refused.ts';
import { epochPath, firstPins, headOf, keepPins, type Pins, type TreeName, writePins } from './log-records.ts';

export interface OpenedEpoch {
  readonly epoch: number;
  /** The epoch whose cosigned records it follows by the statement. */
  readonly follows: number;
  /** In the manager's words. */
  readonly reason: string | null;
  /** Records that were cosigned in the epoch before, and that the new one does not follow: it has to bring them over again. */
  readonly abandoned: Readonly<Record<TreeName, number>>;
}

export interface EpochStep {
  readonly pins: Pins;
  /** Undefined when the epoch goes on. */
  readonly opened: OpenedEpoch | undefined;
  readonly findings: readonly KeptFinding[];
}

/**
 * Takes in the manager's statement of a new epoch, when there is one.
 * @throws TIEUP_E_VERIFY when it is not the manager's, or contradicts what was cosigned: then the epoch before goes on.
 */
export async function enterEpoch(
  site: MainSite,
  partnership: Partnership,
  exchange: LogExchange,
  pins: Pins,
): Promise<EpochStep> {
  const note = await readIfThere(exchange, OUTBOX_EPOCH, MAX_EPOCH_NOTE);
  if (note === undefined || partnership.keys === null) return { pins, opened: undefined, findings: [] };
  try {
    const statement = openEpoch(note, partnership, partnership.keys);
    // That of the epoch which goes on, or of one before.
    if (statement.epoch <= pins.epoch) return { pins, opened: undefined, findings: [] };
    if (statement.log !== partnership.keys.log) {
      throw refused(partnership.id, 'its log key is not the one that the partner has stated as its own');
    }
    const opened = await holdAgainst(site, partnership.id, statement, pins);
    // An export of the epoch before may lie there until there is one of the new epoch: what is in it comes over.
    const leftover = await leftoverExport(exchange, statement.epoch);
    const named = {
      T: pins.T.size - opened.abandoned.T,
      O: pins.O.size - opened.abandoned.O,
    };
    const after: Pins = {
      ...firstPins(statement.epoch, statement.log),
      statedAt: pins.statedAt,
      seam: await seamAfter(site, partnership, pins, named, leftover),
      leftover: leftover === undefined ? null : sha256(claimedText(leftover)),
    };
    await keepPins(site, partnership.id, pins);
    await site.files.write(epochPath(partnership.id, statement.epoch, 'epoch.note'), note);
    const findings = await addFindings(site, partnership.id, findingsOf(opened, pins));
    await writePins(site, partnership.id, after);
    return { pins: after, opened, findings };
  } catch (error) {
    throw await keepRefusedNote(site, partnership.id, { 'epoch.note': note }, error);
  }
}

/** The export in the outbox when it says itself that it is of an epoch before; whether it is signed is another question. */
async function leftoverExport(exchange: LogExchange, epoch: number): Promise<Uint8Array | undefined> {
  const note = await readIfThere(exchange, OUTBOX_EXPORT, MAX_EXPORT_NOTE);
  try {
    return note !== undefined && parseExport(claimedText(note)).epoch < epoch ? note : undefined;
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_VERIFY')) return undefined;
    throw error;
  }
}

function openEpoch(
  note: Uint8Array,
  { id }: Partnership,
  keys: { readonly accept: string; readonly log: string },
): LogEpoch {
  const statement = parseEpoch(openNote(note, [parseVkey(keys.accept)], { type: EPOCH_TYPE }).text);
  if (statement.partner !== id) throw refused(id, `it is of the partner ${JSON.stringify(statement.partner)}`);
  return statement;
}

async function holdAgainst(
  site: MainSite,
  partner: string,
  { epoch, follows, previous, reason }: LogEpoch,
  pins: Pins,
): Promise<OpenedEpoch> {
  if (follows > pins.epoch && (previous.T !== null || previous.O !== null)) {
    const why = `it names what was cosigned in epoch ${follows}, but nothing was after epoch ${pins.epoch}`;
    throw refused(partner, why);
  }
  const isFollowing = follows === pins.epoch;
  const past = isFollowing ? await pastHeads(site, partner, pins) : [];
  const abandonedOf = (tree: TreeName): number => {
    const pinned = headOf(pins[tree]);
    // What was cosigned in an earlier epoch is no part of this one.
    const named = (isFollowing ? previous[tree] : null) ?? headOf(firstPins(1, null)[tree]);
    const isKnown = named.size === 0 || past.some((each) => sameHead(each[tree], named));
    if (named.size > pinned.size || !(isKnown || sameHead(named, pinned))) {
      throw refused(partner, `the ${named.size} records of log ${tree} that it follows are not what was cosigned`);
    }
    return pinned.size - named.size;
  };
  return { epoch, reason, follows, abandoned: { T: abandonedOf('T'), O: abandonedOf('O') } };
}

/** The trees of every statement that was pinned in this epoch. */
async function pastHeads(
  site: MainSite,
  partner: string,
  { epoch }: Pins,
): Promise<readonly Readonly<Record<TreeName, TreeHead>>[]> {
  const folder = epochPath(partner, epoch, 'statements');
  const heads = [];
  for (const { name } of await site.files.list(folder)) {
    // Verified when it was kept.
    const { T, O } = parseExport(claimedText(await site.files.read(`${folder}/${name}`, MAX_EXPORT_NOTE)));
    heads.push({ T, O });
  }
  return heads;
}

function findingsOf({ epoch, follows }: OpenedEpoch, { epoch: before }: Pins): readonly LogFinding[] {
  const skipped = epoch - before - 1;
  // Where it follows the last one that is known here, those between did not export and are not missed.
  if (skipped === 0 || follows <= before) return [];
  const message = `${skipped} epochs between ${before} and ${epoch} were begun and ended without an export`;
  return [{ kind: 'records-abandoned', epoch, message, records: [] }];
}

function refused(partner: string, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the new epoch of ${partner} is refused: ${why}`, {
    hint: 'ask the manager: the statement is made with tieup logs new-epoch',
  });
}
