/**
 * Takes one export in: nothing of it counts before all of it is verified, and what counts is decided by one write, that of the pins.
 *
 *   statement → held against the pins → files fetched once → every record against the root → kept → pins (commit point)
 */
import type { Partnership } from '../../config/partnership.ts';
import { TieupError } from '../../errors.ts';
import type { HitImport, HitStore } from '../../io/hit-store.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import { foldBeside } from '../../logs/fold-thread.ts';
import { gunzipped } from '../../logs/gunzipped.ts';
import { base64 } from '../../protocol/base64.ts';
import { sha256 } from '../../protocol/digest.ts';
import { OUTBOX_EXPORT, partPath } from '../../protocol/exchange.ts';
import { instant } from '../../protocol/instant.ts';
import { type ExportedTree, type LogExport, MAX_EXPORT_NOTE } from '../../protocol/log-export.ts';
import { type VerifiedPart, verifyPart } from '../../protocol/log-part.ts';
import { claimedText } from '../../protocol/note.ts';
import type { MainSite } from '../main-site.ts';
import { CanaryWatch, readCanaries, writeCanaries } from './canaries.ts';
import { assertCommitted, committedSizes, dropCommitments, readCommitments } from './commitments.ts';
import { clearIncoming, fetchPart, incomingPath, type LogExchange } from './fetch-part.ts';
import { comingAgain, judgeSeam, SeamWatch } from './epoch-seam.ts';
import { exportFindings, isAhead } from './export-findings.ts';
import { addFindings, type KeptFinding } from './findings.ts';
import { keepRefused } from './keep-refused.ts';
import type { Looked } from './looked.ts';
import {
  dropUnpinned,
  epochPath,
  headOf,
  keptPartPath,
  logPath,
  type Pins,
  type PinnedTree,
  TREES,
  type TreeName,
  writePins,
} from './log-records.ts';
import { logKey, type OpenedExport, openStatement, standingOf } from './open-statement.ts';
import { judgeShown, LateDays, lateFindings, ShownSample } from './shown-hits.ts';
import { keepSwitches, readSwitches } from './switches.ts';
import { RecordTaker } from './take-records.ts';

export type TakenExport =
  /** Nothing was exported yet, in this epoch. */
  | { readonly kind: 'none'; readonly pins: Pins }
  | { readonly kind: 'unchanged'; readonly pins: Pins }
  /** The partner has not seen the last cosignature; its next export goes on from there. */
  | { readonly kind: 'behind'; readonly pins: Pins }
  | {
      readonly kind: 'pulled';
      readonly pins: Pins;
      readonly findings: readonly KeptFinding[];
      /** Hits of it that are put aside, to be committed now that it is pinned. */
      readonly hits: readonly AsideHits[];
      readonly before: Pins;
      /** What was in the outbox before this export was made, where that is known. */
      readonly since: Looked | undefined;
      /** Whether every new record of log T was shown. */
      readonly isShown: boolean;
    };

/** A partner may export while its last export is being fetched, but not always: one that shows another note at each look ends. */
const MAX_ATTEMPTS = 3;

export interface AsideHits {
  readonly log: TreeName;
  readonly from: number;
  readonly size: number;
  readonly import: HitImport;
}

/** What an export is held against. */
export interface Known {
  readonly pins: Pins;
  /** Where verified records go; undefined when none are imported now. */
  readonly hits: HitStore | undefined;
  /** What was in the outbox before; undefined where it says nothing about this export. */
  readonly looked: Looked | undefined;
}

export async function takeExport(
  site: MainSite,
  partnership: Partnership,
  exchange: LogExchange,
  { pins, hits, looked }: Known,
): Promise<TakenExport> {
  for (let attempt = 1; ; attempt += 1) {
    const note = await readIfThere(exchange, OUTBOX_EXPORT, MAX_EXPORT_NOTE);
    // The last export of an epoch that is over may lie there until there is one of this.
    if (note === undefined || sha256(claimedText(note)) === pins.leftover) return { kind: 'none', pins };
    try {
      return await takeStated(site, partnership, exchange, { pins, hits, looked }, note);
    } catch (error) {
      // The partner exported again while its last export was being fetched, and took the old files away: nothing is wrong with that.
      const now = await readIfThere(exchange, OUTBOX_EXPORT, MAX_EXPORT_NOTE);
      const isAnother = now !== undefined && Buffer.compare(now, note) !== 0;
      if (error instanceof TieupError && isAnother && attempt < MAX_ATTEMPTS) continue;
      throw await keepRefused(site, partnership.id, await evidenceOf(site, partnership, note, pins), error);
    }
  }
}

async function takeStated(
  site: MainSite,
  partnership: Partnership,
  exchange: LogExchange,
  { pins, hits, looked }: Known,
  note: Uint8Array,
): Promise<TakenExport> {
  const partner = partnership.id;
  const opened = openStatement(note, partnership, pins);
  const standing = standingOf(partner, opened, pins);
  if (standing === 'known') return { kind: 'unchanged', pins };
  const { seq, epoch } = opened.statement;
  if (standing === 'behind') {
    await site.files.write(epochPath(partner, epoch, `statements/${seq}.note`), note);
    const seen = { ...pins, seen: { seq, digest: opened.digest } };
    await writePins(site, partner, seen);
    // Signed anew: a partner that was told to begin from the start passes over the cosignature that it knows.
    for (const log of TREES) await site.files.remove(logPath(partner, `${log}.cosigned`));
    return { kind: 'behind', pins: seen };
  }
  const taken = await verifyTrees(site, partnership, exchange, opened.statement, pins, hits);
  // It was not there when the outbox was looked at last, so it was made since.
  const since = looked?.export === opened.digest ? undefined : looked;
  try {
    const seam = await judgeSeam(site, partner, pins, opened.statement, taken.seams);
    const after = { ...pinsAfter(site, partnership, opened, pins, taken, since), again: seam.again };
    await keep(site, partner, opened, note, taken);
    const switches = await readSwitches(site, partner, epoch, opened.statement.T.from);
    const found = [
      ...exportFindings(site, partnership, opened.statement, { pins, since, ...taken }),
      ...seam.findings,
      ...lateFindings(opened.statement, pins, taken.late),
      ...(await judgeShown(site, partnership, epoch, [...switches, ...taken.taker.switches], taken.sample)),
    ];
    const findings = await addFindings(site, partner, found);
    await writePins(site, partner, after);
    await clearIncoming(site, partner);
    await dropCommitments(site, partner, after, taken.compared);
    return { kind: 'pulled', pins: after, findings, hits: taken.hits, before: pins, since, isShown: isShown(taken) };
  } catch (error) {
    for (const each of taken.hits) await each.import.discard();
    throw error;
  }
}

/** A log that was verified to its signed root, and the copy that was verified. */
interface VerifiedTree extends VerifiedPart {
  readonly copy: string;
}

interface Taken {
  readonly trees: ReadonlyMap<TreeName, VerifiedTree>;
  readonly taker: RecordTaker;
  readonly watch: CanaryWatch;
  readonly hits: readonly AsideHits[];
  readonly seams: ReadonlyMap<TreeName, SeamWatch>;
  readonly sample: ShownSample;
  readonly late: LateDays;
  /** Checkpoints of log T that were signed before, by size: those with a root to be held against, and the others. */
  readonly compared: ReadonlySet<number>;
  readonly uncompared: readonly number[];
}

async function verifyTrees(
  site: MainSite,
  partnership: Partnership,
  exchange: LogExchange,
  statement: LogExport,
  pins: Pins,
  hits: HitStore | undefined,
): Promise<Taken> {
  const partner = partnership.id;
  const watch = new CanaryWatch(await readCanaries(site, partner), pins);
  const trees = new Map<TreeName, VerifiedTree>();
  const aside: AsideHits[] = [];
  const seams = new Map<TreeName, SeamWatch>();
  const [sample, late] = [new ShownSample(site), new LateDays(pins)];
  let taker = new RecordTaker({});
  let [compared, uncompared]: [ReadonlySet<number>, readonly number[]] = [new Set(), []];
  try {
    for (const log of TREES) {
      const { file, size, root, from } = statement[log];
      if (file === null) continue;
      const copy = await fetchPart(site, partner, exchange, file, partPath(file.digest));
      const target = { partner, log, epoch: statement.epoch, from, size };
      const { seam } = pins;
      // What comes again is told from what is new at the end only: until then nothing of it is imported.
      const hitImport = comingAgain(seam, log) > 0 ? undefined : await hits?.begin(target);
      if (hitImport !== undefined) aside.push({ log, from, size, import: hitImport });
      const commitments = await readCommitments(site, partner, log, pins);
      const follower =
        seam === null ? undefined : new SeamWatch(log === 'T' ? seam.live : null, comingAgain(seam, log));
      if (follower !== undefined) seams.set(log, follower);
      const others = [...(follower === undefined ? [] : [follower]), ...(log === 'T' ? [sample, late] : [])];
      const records = new RecordTaker({ canaries: watch, hits: hitImport, others });
      if (log === 'T') taker = records;
      const part = await verifyPart(
        gunzipped(site.files.stream(copy, file.length), file.rawLength),
        {
          keys: [logKey(partnership)],
          origin: { host: new URL(partnership.url).host, partner, log, epoch: statement.epoch },
          after: headOf(pins[log]),
          until: { size, root },
        },
        records.take,
        { sizes: committedSizes(commitments), plant: foldBeside(await site.folding()) },
      );
      const met = assertCommitted(partner, log, commitments, part.passed, { size, root });
      if (log === 'T') {
        compared = met;
        uncompared = committedSizes(commitments).filter((each) => each <= size && !met.has(each));
      }
      assertDisclosedAsSaid(partner, log, statement, part);
      trees.set(log, { ...part, copy });
    }
    assertCounts(partner, statement, trees, pins);
    return { trees, taker, watch, hits: aside, seams, sample, late, compared, uncompared };
  } catch (error) {
    for (const each of aside) await each.import.discard();
    throw error;
  }
}

function assertDisclosedAsSaid(partner: string, log: TreeName, statement: LogExport, { withheld }: VerifiedPart): void {
  if (statement[log].disclosed !== 'whole' || withheld === 0) return;
  throw refused(partner, `log ${log} is said to be whole, but ${withheld} of its records are withheld`);
}

/** The classes of disclosed records must add up to the counts that were signed. */
function assertCounts(partner: string, statement: LogExport, verified: Taken['trees'], pins: Pins): void {
  const { lines } = statement;
  for (const [log, classes] of [
    ['T', ['T', 'S', 'G']],
    ['O', ['O', 'X']],
  ] as const) {
    const part = verified.get(log);
    for (const each of classes) {
      const said = lines[each] - pins.lines[each];
      const found = part?.classes[each] ?? 0;
      const isFit = part === undefined ? said === 0 : part.withheld === 0 ? found === said : found <= said;
      if (isFit) continue;
      throw refused(partner, `its statement counts ${said} new records of class ${each}, and log ${log} has ${found}`);
    }
  }
}

async function keep(
  site: MainSite,
  partner: string,
  { statement }: OpenedExport,
  note: Uint8Array,
  { trees, taker, watch }: Taken,
): Promise<void> {
  const { epoch, seq, T } = statement;
  for (const [log, { copy, from, checkpoint }] of trees) {
    await dropUnpinned(site, partner, epoch, log, from);
    const place = keptPartPath(partner, epoch, log, { from, size: checkpoint.size });
    await site.files.makeFolder(place.slice(0, place.lastIndexOf('/')));
    await site.files.rename(copy, place);
  }
  await site.files.write(epochPath(partner, epoch, `statements/${seq}.note`), note);
  if (taker.switches.length > 0) await keepSwitches(site, partner, epoch, T.from, taker.switches);
  if (watch.canaries.length > 0) await writeCanaries(site, partner, watch.canaries);
}

function pinsAfter(
  site: MainSite,
  { keys }: Partnership,
  { statement, digest }: OpenedExport,
  pins: Pins,
  taken: Taken,
  since: Looked | undefined,
): Pins {
  const { epoch, seq, lines, T, O } = statement;
  const pinnedTree = (log: TreeName, { size, root }: ExportedTree): PinnedTree => {
    const note = taken.trees.get(log)?.checkpoint.note;
    const checkpoint = note === undefined ? pins[log].checkpoint : base64(note);
    return { size, root: Buffer.from(root).toString('hex'), checkpoint };
  };
  return {
    epoch,
    logKey: keys?.log ?? null,
    statement: { seq, digest },
    seen: { seq, digest },
    T: pinnedTree('T', T),
    O: pinnedTree('O', O),
    lines,
    statedAt: statement.time,
    // A clock that is far ahead says of no visit that it should be there by now.
    shownUntil: isShown(taken) && !isAhead(statement, site.clock) ? statement.time : pins.shownUntil,
    certainUntil: isShown(taken) && since !== undefined ? since.at : pins.certainUntil,
    seam: null,
    again: pins.again,
    leftover: pins.leftover,
    pulledAt: instant(site.clock.now()),
  };
}

function isShown({ trees }: Taken): boolean {
  return (trees.get('T')?.withheld ?? 0) === 0;
}

/** What contradicts something is evidence only beside it: what was seen before, and the checkpoints that were pinned. */
async function evidenceOf(site: MainSite, partnership: Partnership, note: Uint8Array, pins: Pins) {
  const partner = partnership.id;
  const notes: Record<string, Uint8Array> = { 'export.note': note };
  if (pins.seen !== null) {
    const path = epochPath(partner, pins.epoch, `statements/${pins.seen.seq}.note`);
    const before = await readIfThere(site.files, path, MAX_EXPORT_NOTE);
    if (before !== undefined) notes['export-before.note'] = before;
  }
  for (const log of TREES) {
    const { checkpoint } = pins[log];
    if (checkpoint !== null) notes[`${log}.checkpoint-before`] = Buffer.from(checkpoint, 'base64');
    const [committed] = await readCommitments(site, partner, log, pins);
    if (committed !== undefined) notes[`${log}.checkpoint-committed`] = committed.note;
  }
  const incoming = (await site.files.list(logPath(partner, 'incoming'))).map(({ name }) => name);
  const fetched = incoming.filter((name) => name.endsWith('.part.gz')).map((name) => name.slice(0, -'.part.gz'.length));
  return { notes, fetched: fetched.map((digest) => incomingPath(partner, digest)) };
}

function refused(partner: string, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the export of ${partner} is refused: ${why}`);
}
