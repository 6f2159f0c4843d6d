/**
 * Begins the logs anew, by the word of the manager: after the log key was replaced, or the state was lost.
 *
 *   accept key opened → where the last epoch was cosigned → what was never cosigned moves over → statement signed → kept
 *   → state of the new epoch (commit point) → statement shown
 *
 * What the main site has cosigned stays what it is and is counted once. With the state at hand nothing is lost either: records that
 * were committed but never cosigned go into the new trees, or a partner that wants a lower fee would begin an epoch every day.
 */
import { isTieupError, TieupError } from '../errors.ts';
import { createScanner, NO_LINES } from '../logs/scanner.ts';
import type { TreeHead } from '../protocol/checkpoint.ts';
import { instant } from '../protocol/instant.ts';
import { type LogEpoch, renderEpoch } from '../protocol/log-epoch.ts';
import { Frontier } from '../protocol/merkle.ts';
import { signNoteWith } from '../protocol/note.ts';
import { logVkey, requireLogs, withLogLock } from './commit-logs.ts';
import { carryOver } from './logs/carry-over.ts';
import { keepEpoch, keptEpoch, showEpoch } from './logs/epoch-note.ts';
import { pastExports } from './logs/exports.ts';
import { segmentKeeper } from './logs/keep-segments.ts';
import { firstState, type LogState, readLogState, TREES, type TreeName, writeLogState } from './logs/log-state.ts';
import { lookAtCosigned, readPins, updatePins } from './logs/pins.ts';
import { readSources } from './logs/read-sources.ts';
import { removeUncommitted } from './logs/segments.ts';
import { forgottenTree, signedEpoch } from './logs/set-back.ts';
import { readSwitches } from './logs/switches.ts';
import { ownSigner } from './own-keys.ts';
import type { PartnerSite } from './partner-site.ts';

export interface EpochRequest {
  /** In the manager's words, for the main site. */
  readonly reason: string;
  /** Only when the state was lost: every line that is in the log files, or only those to come. */
  readonly lost?: 'from-start' | 'from-now' | undefined;
}

export interface BegunEpoch {
  readonly epoch: number;
  readonly previous: LogEpoch['previous'];
  /** Records that were committed and not cosigned, and are in the new epoch now. */
  readonly carried: number;
}

/**
 * @throws TIEUP_E_KEY, TIEUP_E_PASSWORD without the accept key; TIEUP_E_USAGE when it must be said where to begin, or must not;
 * nothing was changed then.
 */
export async function newEpoch(site: PartnerSite, request: EpochRequest): Promise<BegunEpoch> {
  requireLogs(site);
  return withLogLock(site, () => newEpochLocked(site, request));
}

/** What {@link newEpoch} does, for who holds the lock of the logs already. */
export async function newEpochLocked(site: PartnerSite, { reason, lost }: EpochRequest): Promise<BegunEpoch> {
  const accept = await ownSigner(site, 'accept');
  const known = await knownState(site);
  if (known !== undefined && lost !== undefined) {
    throw new TieupError('TIEUP_E_USAGE', 'the state of the logs is there: reading goes on where it was', {
      hint: 'leave --from-start and --from-now out',
    });
  }
  const last = known?.epoch ?? Math.max(await signedEpoch(site), (await readStateOrNone(site))?.epoch ?? 0);
  if (last === 0) {
    throw new TieupError('TIEUP_E_USAGE', 'the logs have no epoch yet', {
      hint: 'the first one begins by itself: tieup logs commit',
    });
  }
  if (known === undefined && lost === undefined) {
    throw new TieupError(
      'TIEUP_E_USAGE',
      'the state of the logs was lost or set back, so it is not known what was read',
      {
        hint: 'say --from-now to read only what comes from now on, or --from-start to read every line that is in the log files: lines that were exported before are then there twice, which the main site will see',
      },
    );
  }
  const epoch = last + 1;
  await removeUncommitted(site, { epoch, counts: NO_LINES });
  const { follows, previous } = await lastCosigned(site, known, last);
  const key = await logVkey(site);
  const begun =
    known === undefined
      ? await beginWithoutState(site, firstState(epoch, key, site.clock), lost === 'from-now' ? reason : undefined)
      : await carryOver(site, known, (await readPins(site, known.epoch)).pins, epoch);
  const statement = {
    partner: site.config.partner,
    epoch,
    log: key,
    follows,
    previous,
    reason,
    time: instant(site.clock.now()),
  };
  await keepEpoch(site, epoch, await signNoteWith(renderEpoch(statement), [accept]));
  const { carried, ...rest } = begun;
  await writeLogState(site, { ...rest, epoch, key });
  await showEpoch(site, epoch);
  return { epoch, previous, carried };
}

/** The state, when it says all that this site has signed and the main site has cosigned. */
async function knownState(site: PartnerSite): Promise<LogState | undefined> {
  const state = await readStateOrNone(site);
  if (state === undefined || (await forgottenTree(site, state)) !== undefined) return undefined;
  try {
    await updatePins(site, state, await pastExports(site));
    return state;
  } catch (error) {
    if (!isTieupError(error, 'TIEUP_E_DRIFT')) throw error;
    return undefined;
  }
}

async function readStateOrNone(site: PartnerSite): Promise<LogState | undefined> {
  try {
    return await readLogState(site);
  } catch (error) {
    if (!isTieupError(error, 'TIEUP_E_VERIFY')) throw error;
    return undefined;
  }
}

async function pinnedHeads(site: PartnerSite, state: LogState): Promise<LogEpoch['previous']> {
  const { pins } = await readPins(site, state.epoch);
  const head = (log: TreeName): TreeHead | null => {
    const { size, frontier } = pins[log];
    if (size === 0) return null;
    return {
      size,
      root: Frontier.of(
        size,
        frontier.map((hex) => Buffer.from(hex, 'hex')),
      ).root(),
    };
  };
  return { T: head('T'), O: head('O') };
}

type LastCosigned = Pick<LogEpoch, 'follows' | 'previous'>;

/** An epoch in which nothing was cosigned follows what the one before it followed: the main site may not have seen it at all. */
async function lastCosigned(site: PartnerSite, known: LogState | undefined, last: number): Promise<LastCosigned> {
  if (known === undefined) return cosignedInInbox(site, last);
  const previous = await pinnedHeads(site, known);
  const before = previous.T === null && previous.O === null ? await keptEpoch(site, last) : undefined;
  return before ?? { follows: last, previous };
}

/** Without a state the inbox alone says what was cosigned. */
async function cosignedInInbox(site: PartnerSite, last: number): Promise<LastCosigned> {
  const found = { T: await lookAtCosigned(site, 'T'), O: await lookAtCosigned(site, 'O') };
  const epochs = TREES.map((log) => found[log]).flatMap((each) => (each.kind === 'cosigned' ? [each.epoch] : []));
  const follows = Math.max(0, ...epochs.filter((epoch) => epoch <= last)) || last;
  const head = (log: TreeName): TreeHead | null => {
    const each = found[log];
    return each.kind === 'cosigned' && each.epoch === follows ? { size: each.size, root: each.root } : null;
  };
  return { follows, previous: { T: head('T'), O: head('O') } };
}

/** @param gap passes all lines over that there are, and says why in a record; undefined reads them with the next commit */
async function beginWithoutState(
  site: PartnerSite,
  empty: LogState,
  gap: string | undefined,
): Promise<LogState & { carried: number }> {
  if (gap === undefined) return { ...empty, carried: 0 };
  const wanted = requireLogs(site).sources;
  const unheard = createScanner({ saltOfDay: () => undefined });
  const switches = await readSwitches(site);
  const nowhere = async (): Promise<void> => undefined;
  const { sources } = await readSources(site, wanted, unheard, {
    before: [],
    switches,
    acceptGap: true,
    take: nowhere,
  });
  const scanner = createScanner({ saltOfDay: () => undefined });
  for (const { files } of wanted) scanner.gap(instant(site.clock.now()), files, gap);
  const keeper = segmentKeeper(site, empty);
  try {
    await keeper.keep(scanner.flush());
    await keeper.flush();
  } finally {
    await keeper.close();
  }
  return { ...empty, counts: scanner.counts, frontiers: keeper.frontiers(), sources, carried: 0 };
}
