/**
 * Commits to what the access logs say: from here on no line can be changed, dropped or added without a trace.
 *
 *   sources → files found again → lines → records (T, O, X) → salted leaves → kept → state (commit point) → checkpoints signed
 *
 * Run every few minutes by cron, and by every export. A crash at any step leaves the state as it was: the same lines are then
 * read again. Nothing is exported here; the checkpoints say how many records there are, and no more.
 */
import type { LogsConfig } from '../config/partner-logs.ts';
import { isTieupError, TieupError } from '../errors.ts';
import type { Lock } from '../io/lock.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { createScanner, type LineCounts, type Scanner } from '../logs/scanner.ts';
import { addOtherHosts, siteHosts } from '../logs/site-hosts.ts';
import {
  type LogOrigin,
  MAX_CHECKPOINT_NOTE,
  openCheckpoint,
  sameHead,
  signCheckpointWith,
  type TreeHead,
} from '../protocol/checkpoint.ts';
import { checkpointPath } from '../protocol/exchange.ts';
import { instant } from '../protocol/instant.ts';
import { renderVkey } from '../protocol/vkey.ts';
import { daySalts } from './logs/day-salts.ts';
import { segmentKeeper } from './logs/keep-segments.ts';
import {
  firstState,
  headsOf,
  type LogState,
  originOf,
  readLogState,
  TREES,
  type TreeName,
  writeLogState,
} from './logs/log-state.ts';
import { showEpoch } from './logs/epoch-note.ts';
import type { Take } from './logs/read-source.ts';
import { readSources } from './logs/read-sources.ts';
import { removeUncommitted } from './logs/segments.ts';
import { assertNotSetBack } from './logs/set-back.ts';
import { noteSwitch, readSwitches } from './logs/switches.ts';
import { ownKey, ownSigner } from './own-keys.ts';
import type { PartnerSite } from './partner-site.ts';
import { withLock } from './recover-site.ts';

const LOOK_AGAIN_MS = 5000;

export interface CommitRequest {
  /** Lines that were lost are noted as lost, instead of refusing to go on. */
  readonly acceptGap: boolean;
}

export interface Committed {
  readonly epoch: number;
  /** Since the epoch began, and by this run. */
  readonly counts: LineCounts;
  readonly added: LineCounts;
  /** The trees that the checkpoints are of. */
  readonly heads: Readonly<Record<TreeName, TreeHead>>;
  /** What somebody should look at, as sentences. */
  readonly warnings: readonly string[];
}

/** @throws TIEUP_E_CONFIG without `logs:` in tieup.yaml; TIEUP_E_STORAGE, TIEUP_E_DRIFT when logs cannot be read on. */
export async function commitLogs(site: PartnerSite, request: CommitRequest): Promise<Committed> {
  requireLogs(site);
  const { state: _, ...committed } = await withLogLock(site, () => commitLocked(site, request));
  return committed;
}

/** What {@link commitLogs} does, for who holds the lock of the logs already. */
export async function commitLocked(
  site: PartnerSite,
  request: CommitRequest,
): Promise<Committed & { state: LogState }> {
  const config = requireLogs(site);
  const before = (await readLogState(site)) ?? firstState(1, await logVkey(site), site.clock);
  await assertNotSetBack(site, before);
  assertSameKey(before, await logVkey(site));
  await noteMissedSwitch(site);
  await removeUncommitted(site, before);
  const { state: after, warnings } = await readNew(site, config, before, request);
  await writeLogState(site, after);
  await showEpoch(site, after.epoch);
  const heads = headsOf(after);
  await showCheckpoints(site, after.epoch, heads);
  return {
    epoch: after.epoch,
    counts: after.counts,
    added: difference(after.counts, before.counts),
    heads,
    warnings,
    state: after,
  };
}

/** The log key in use, as it stands in the state of an epoch. */
export async function logVkey(site: PartnerSite): Promise<string> {
  const { name, publicKey } = await ownKey(site, 'log');
  return renderVkey(name, publicKey);
}

/** Two keys in one epoch would let a thief of the old one go on. */
function assertSameKey({ epoch, key }: LogState, current: string): void {
  if (key === current) return;
  throw new TieupError(
    'TIEUP_E_DRIFT',
    `epoch ${epoch} of the logs was signed with a log key that was replaced since`,
    {
      hint: 'the manager begins a new epoch with tieup logs new-epoch --reason "the log key was replaced"',
    },
  );
}

/** @param waitMinutes how long to wait while another tieup is at the logs */
export async function withLogLock<T>(site: PartnerSite, work: () => Promise<T>, waitMinutes = 0): Promise<T> {
  const lock = await lockWithin(site, site.clock.now().getTime() + waitMinutes * 60_000);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function lockWithin(site: PartnerSite, end: number): Promise<Lock> {
  for (;;) {
    try {
      return await site.lockLogs();
    } catch (error) {
      if (!isTieupError(error, 'TIEUP_E_LOCKED') || site.clock.now().getTime() >= end) throw error;
    }
    await site.clock.sleep(LOOK_AGAIN_MS);
  }
}

/** @throws TIEUP_E_CONFIG when this site reads no logs. */
export function requireLogs(site: Pick<PartnerSite, 'config'>): LogsConfig {
  if (site.config.logs !== undefined) return site.config.logs;
  throw new TieupError('TIEUP_E_CONFIG', 'tieup.yaml does not say where the access logs are', {
    hint: 'add "logs: { sources: [{ files: /var/log/nginx/access.log* }] }"; tieup logs detect FILE tells the format',
  });
}

/** Whoever publishes notes a switch itself; while it is at work there is nothing to be noted for it. */
async function noteMissedSwitch(site: PartnerSite): Promise<void> {
  try {
    await withLock(site, () => noteSwitch(site, 'earlier'));
  } catch (error) {
    if (!isTieupError(error, 'TIEUP_E_LOCKED')) throw error;
  }
}

async function readNew(
  site: PartnerSite,
  { sources, privacy, hosts: others }: LogsConfig,
  before: LogState,
  { acceptGap }: CommitRequest,
): Promise<{ readonly state: LogState; readonly warnings: readonly string[] }> {
  const { counts, publication } = before;
  const hosts = siteHosts(site.config.url, others);
  const scanner = createScanner({ privacy, saltOfDay: await daySalts(site), counts, publication, hosts });
  const keeper = segmentKeeper(site, before);
  const switches = await readSwitches(site);
  try {
    const take: Take = (batches) => keeper.keep(batches);
    const after = await readSources(site, sources, scanner, { before: before.sources, switches, acceptGap, take });
    await keeper.keep(scanner.flush());
    await keeper.flush();
    const state = {
      ...before,
      time: instant(site.clock.now()),
      ...outcome(scanner),
      frontiers: keeper.frontiers(),
      otherHosts: addOtherHosts(before.otherHosts, scanner.otherHosts),
      sources: after.sources,
    };
    return { state, warnings: after.warnings };
  } finally {
    await keeper.close();
  }
}

function outcome({ counts, publication }: Scanner): Pick<LogState, 'counts' | 'publication'> {
  return { counts, publication };
}

/** Signs what is not signed yet. A checkpoint in the outbox that is not of ours is replaced. */
async function showCheckpoints(
  site: PartnerSite,
  epoch: number,
  heads: Readonly<Record<TreeName, TreeHead>>,
): Promise<void> {
  for (const log of TREES) {
    const checkpoint = { origin: originOf(site, log, epoch), ...heads[log] };
    if (await isShown(site, log, checkpoint)) continue;
    const note = await signCheckpointWith(checkpoint, await ownSigner(site, 'log'));
    await site.exchange.write(checkpointPath(log), note);
  }
}

async function isShown(site: PartnerSite, log: TreeName, wanted: TreeHead & { origin: LogOrigin }): Promise<boolean> {
  const note = await readIfThere(site.exchange, checkpointPath(log), MAX_CHECKPOINT_NOTE);
  if (note === undefined) return false;
  try {
    const shown = openCheckpoint(note, [await ownKey(site, 'log')]);
    return sameHead(shown, wanted) && shown.origin.epoch === wanted.origin.epoch;
  } catch {
    return false;
  }
}

function difference(after: LineCounts, before: LineCounts): LineCounts {
  return {
    lines: after.lines - before.lines,
    T: after.T - before.T,
    O: after.O - before.O,
    X: after.X - before.X,
    S: after.S - before.S,
    G: after.G - before.G,
  };
}
