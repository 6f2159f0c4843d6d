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
import { addFindings, type KeptFinding, type LogFinding } from './findings.ts';
import { keepRefused } from './keep-refused.ts';
import {
  dropUnpinned,
  epochPath,
  headOf,
  keptPartPath,
  logPath,
  type Pins,
  type PinnedTree,
  pinsSchema,
  readState,
  TREES,
  type TreeName,
  writePins,
} from './log-records.ts';
import { logKey, type OpenedExport, openStatement, standingOf } from './open-statement.ts';
import { keepSwitches } from './switches.ts';
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
    };

/** Paths that a finding names. */
const NAMED = 20;

/** A partner may export while its last export is being fetched, but not always: one that shows another note at each look ends. */
const MAX_ATTEMPTS = 3;

export interface AsideHits {
  readonly log: TreeName;
  readonly from: number;
  readonly size: number;
  readonly import: HitImport;
}

/** @param hits where verified records go; undefined when none are imported now. */
export async function takeExport(
  site: MainSite,
  partnership: Partnership,
  exchange: LogExchange,
  pins: Pins,
  hits: HitStore | undefined,
): Promise<TakenExport> {
  for (let attempt = 1; ; attempt += 1) {
    const note = await readIfThere(exchange, OUTBOX_EXPORT, MAX_EXPORT_NOTE);
    if (note === undefined || (await isOfPastEpoch(site, partnership.id, note, pins))) return { kind: 'none', pins };
    try {
      return await takeStated(site, partnership, exchange, pins, hits, note);
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
  pins: Pins,
  hits: HitStore | undefined,
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
  try {
    const after = pinsAfter(site, partnership, opened, pins, taken.trees);
    await keep(site, partner, opened, note, taken);
    const findings = await addFindings(site, partner, findingsOf(partnership, opened.statement, pins, taken));
    await writePins(site, partner, after);
    await clearIncoming(site, partner);
    await dropCommitments(site, partner, after);
    return { kind: 'pulled', pins: after, findings, hits: taken.hits };
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
  let taker = new RecordTaker(watch, undefined);
  try {
    for (const log of TREES) {
      const { file, size, root, from } = statement[log];
      if (file === null) continue;
      const copy = await fetchPart(site, partner, exchange, file, partPath(file.digest));
      const target = { partner, log, epoch: statement.epoch, from, size };
      const hitImport = await hits?.begin(target);
      if (hitImport !== undefined) aside.push({ log, from, size, import: hitImport });
      const commitments = await readCommitments(site, partnership, log, pins);
      const records = new RecordTaker(watch, hitImport);
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
      assertCommitted(partner, log, commitments, part.passed, { size, root });
      assertDisclosedAsSaid(partner, log, statement, part);
      trees.set(log, { ...part, copy });
    }
    assertCounts(partner, statement, trees, pins);
    return { trees, taker, watch, hits: aside };
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
  trees: Taken['trees'],
): Pins {
  const { epoch, seq, lines, T, O } = statement;
  const pinnedTree = (log: TreeName, { size, root }: ExportedTree): PinnedTree => {
    const note = trees.get(log)?.checkpoint.note;
    const checkpoint = note === undefined ? pins[log].checkpoint : base64(note);
    return { size, root: Buffer.from(root).toString('hex'), checkpoint };
  };
  const isShown = (trees.get('T')?.withheld ?? 0) === 0;
  return {
    epoch,
    logKey: keys?.log ?? null,
    statement: { seq, digest },
    seen: { seq, digest },
    T: pinnedTree('T', T),
    O: pinnedTree('O', O),
    lines,
    shownUntil: isShown ? statement.time : pins.shownUntil,
    pulledAt: instant(site.clock.now()),
  };
}

function findingsOf(
  { logs }: Partnership,
  { epoch, seq, lines }: LogExport,
  pins: Pins,
  { trees, taker }: Taken,
): readonly LogFinding[] {
  const findings: LogFinding[] = taker.gaps.map(({ index, record: { path, query, time } }) => ({
    kind: 'gap',
    epoch,
    message: `lines of ${JSON.stringify(path)} are lost at the partner (${time === '' ? 'at an unknown time' : time}: ${query})`,
    records: [index],
  }));
  for (const own of new Set(taker.switches.map((each) => each.own.join('\n')))) {
    if (own !== '') findings.push(leftOut(epoch, own.split('\n')));
  }
  const withheld = trees.get('T')?.withheld ?? 0;
  if (withheld > 0) {
    const message = `export ${seq} only counts ${withheld} records of log T: they cannot be billed`;
    findings.push({ kind: 'tie-up-withheld', epoch, message, records: [] });
  }
  const unreadable = lines.X - pins.lines.X;
  const read = lines.T + lines.O + lines.X - pins.lines.T - pins.lines.O - pins.lines.X;
  if (unreadable > Math.ceil((read * logs.maxUnreadablePercent) / 100)) {
    const message = `export ${seq} has ${unreadable} unreadable lines of ${read}, more than the ${logs.maxUnreadablePercent} % that are agreed`;
    findings.push({ kind: 'too-many-unreadable', epoch, message, records: [] });
  }
  return findings;
}

function leftOut(epoch: number, own: readonly string[]): LogFinding {
  const named = own.slice(0, NAMED).map((path) => JSON.stringify(path));
  const more = own.length > NAMED ? ` and ${own.length - NAMED} more` : '';
  const message = `hits at ${named.join(', ')}${more} count as the partner's own: by its account there is no tie-up page, or one of its own beside it`;
  return { kind: 'left-out', epoch, message, records: [] };
}

/** The last export of the epoch before may lie there until the partner exports in the new one. */
async function isOfPastEpoch(site: MainSite, partner: string, note: Uint8Array, { epoch }: Pins): Promise<boolean> {
  const digest = sha256(claimedText(note));
  for (let past = epoch - 1; past >= 1; past -= 1) {
    const pins = await readState(site, epochPath(partner, past, 'pins.json'), pinsSchema);
    if (pins !== undefined) return digest === pins.statement?.digest || digest === pins.seen?.digest;
  }
  return false;
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
    const [committed] = await readCommitments(site, partnership, log, pins);
    if (committed !== undefined) notes[`${log}.checkpoint-committed`] = committed.note;
  }
  const incoming = (await site.files.list(logPath(partner, 'incoming'))).map(({ name }) => name);
  const fetched = incoming.filter((name) => name.endsWith('.part.gz')).map((name) => name.slice(0, -'.part.gz'.length));
  return { notes, fetched: fetched.map((digest) => incomingPath(partner, digest)) };
}

function refused(partner: string, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the export of ${partner} is refused: ${why}`);
}
