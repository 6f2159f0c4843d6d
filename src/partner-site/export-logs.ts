/**
 * Exports the access logs with a certificate that all of them, or the part that is disclosed, is unaltered.
 *
 *   commit → what the main site has cosigned → records from there on (all, some, or only counted) → files → statement (commit point)
 *          → answer to a demanded sample → small files merged, old records dropped
 *
 * Run by cron at the prescribed time. What leaves was anonymised before it was committed to, and nothing leaves that the
 * configuration or the command line does not disclose. An export that says nothing new writes nothing.
 */
import type { LogsConfig } from '../config/partner-logs.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';
import { signCheckpointWith } from '../protocol/checkpoint.ts';
import { OUTBOX_EXPORT } from '../protocol/exchange.ts';
import { instant } from '../protocol/instant.ts';
import {
  EXPORT_TYPE,
  type ExportedTree,
  type LogExport,
  MAX_EXPORT_NOTE,
  parseExport,
  renderExport,
} from '../protocol/log-export.ts';
import { renderPartHead } from '../protocol/log-part-header.ts';
import type { LogRecord } from '../protocol/log-record.ts';
import { openNote, signNoteWith } from '../protocol/note.ts';
import { type Answer, answerDemand } from './logs/answer.ts';
import { commitLocked, type Committed, requireLogs, withLogLock } from './commit-logs.ts';
import { compactLogs } from './logs/compact.ts';
import { markDay } from './logs/day-marks.ts';
import {
  forgetExports,
  keepExport,
  type PastExport,
  pastExports,
  type SaidExport,
  shownExport,
} from './logs/exports.ts';
import { type LogState, originOf, TREES, treeSize, type TreeName } from './logs/log-state.ts';
import { forgetPins, type Pins, updatePins } from './logs/pins.ts';
import { stretchesOf } from './logs/segments.ts';
import { partMembers, type Selection } from './logs/part-lines.ts';
import { isPartWhole, removeParts, writePart } from './logs/write-part.ts';
import { ownKey, ownSigner } from './own-keys.ts';
import type { PartnerSite } from './partner-site.ts';

export interface ExportRequest {
  readonly acceptGap: boolean;
  /** From record 0 on, whatever was cosigned: for a main site that has lost what it knew. */
  readonly fromStart?: boolean;
  /** How long to wait while another tieup is at the logs; not at all by default. */
  readonly waitMinutes?: number | undefined;
  /** What is disclosed of each log, instead of what tieup.yaml says. */
  readonly disclose: Partial<Readonly<Record<TreeName, Selection>>>;
}

export interface Exported {
  readonly committed: Committed;
  /** Undefined when the statement in the outbox says all there is to say. */
  readonly statement: LogExport | undefined;
  /** How many records a filter chose of each log; undefined where there was no filter. */
  readonly chosen: Partial<Readonly<Record<TreeName, number>>>;
  /** To the main site's demand for a sample. */
  readonly answer: Answer;
  /** What in the inbox was passed over, and why. */
  readonly complaints: readonly string[];
}

/** @throws as {@link commitLogs}; TIEUP_E_DRIFT when the main site has cosigned more than this site knows of. */
export async function exportLogs(site: PartnerSite, request: ExportRequest): Promise<Exported> {
  const config = requireLogs(site);
  return withLogLock(
    site,
    async () => {
      const { state, ...committed } = await commitLocked(site, request);
      const past = await pastExports(site);
      if (request.fromStart === true) await forgetPins(site, state.epoch);
      const pins = await updatePins(site, state, past);
      const { disclose, chosen } = counting(request.disclose);
      const statement = await exportNew(site, { state, committed, config, past, pins }, disclose);
      const answer = await answerDemand(site, state, config.audit.perDay);
      await compactLogs(site, state, pins, config.keepDays);
      return { committed, statement, chosen, answer, complaints: pins.complaints };
    },
    request.waitMinutes,
  );
}

/** The same choice, which counts what it chooses while it is used. */
function counting(disclose: ExportRequest['disclose']): Pick<Exported, 'chosen'> & Pick<ExportRequest, 'disclose'> {
  const chosen: Partial<Record<TreeName, number>> = {};
  const counted: Partial<Record<TreeName, Selection>> = { ...disclose };
  for (const log of TREES) {
    const selection = disclose[log];
    if (selection?.kind !== 'records') continue;
    chosen[log] = 0;
    const isWanted = (record: LogRecord, index: number): boolean => {
      const isChosen = selection.isWanted(record, index);
      chosen[log] = (chosen[log] ?? 0) + Number(isChosen);
      return isChosen;
    };
    counted[log] = { kind: 'records', isWanted };
  }
  return { disclose: counted, chosen };
}

interface ExportMatter {
  readonly state: LogState;
  readonly committed: Committed;
  readonly config: LogsConfig;
  readonly past: readonly PastExport[];
  readonly pins: Pins;
}

/** Undefined when it would say nothing that was not said. */
async function exportNew(
  site: PartnerSite,
  matter: ExportMatter,
  disclose: ExportRequest['disclose'],
): Promise<LogExport | undefined> {
  const { state, config, past, pins } = matter;
  const plan = planExport(state, pins, config, disclose);
  // A filter comes from a person, who wants to see what it does.
  const isFiltered = TREES.some((log) => plan.selections[log].kind === 'records');
  const last = past.at(-1);
  if (!isFiltered && last !== undefined && plan.content === last.content && (await isShown(site, last)))
    return undefined;

  const tree = (log: TreeName) => exportTree(site, matter, log, plan.selections[log]);
  const trees = { T: await tree('T'), O: await tree('O') };
  const statement = statementOf(site, state, trees, config, await lastSaid(site, last));
  const text = renderExport(statement);
  await keepExport(site, { ...pastOf(state, statement), statement: sha256(text), content: plan.content });
  await markDay(site, state);
  await site.exchange.write(OUTBOX_EXPORT, await signNoteWith(text, [await ownSigner(site, 'log')]));
  await removeParts(site, new Set(TREES.flatMap((log) => trees[log].file?.digest ?? [])));
  await forgetExports(site, past, pins);
  return statement;
}

/** The outbox may know of a later one than a state that was lost or set back. */
async function lastSaid(site: PartnerSite, last: SaidExport | undefined): Promise<SaidExport | undefined> {
  const shown = await shownExport(site);
  return shown !== undefined && shown.seq > (last?.seq ?? 0) ? shown : last;
}

interface ExportPlan {
  readonly selections: Readonly<Record<TreeName, Selection>>;
  /** SHA-256 of what makes this export differ from another one. */
  readonly content: string;
}

function planExport(state: LogState, pins: Pins, config: LogsConfig, wanted: ExportRequest['disclose']): ExportPlan {
  const selections = selectionsOf(config, wanted);
  const kinds = TREES.map((log) => selections[log].kind);
  const { epoch, counts, frontiers } = state;
  const { privacy, sources, hosts } = config;
  const content = JSON.stringify([epoch, counts, frontiers, pins.pins, kinds, privacy, sources, hosts]);
  return { selections, content: sha256(content) };
}

/** What is disclosed of each log: what was asked for, otherwise what tieup.yaml says. */
export function selectionsOf(
  { export: disclosure }: LogsConfig,
  wanted: ExportRequest['disclose'],
): Readonly<Record<TreeName, Selection>> {
  const of = (log: TreeName): Selection =>
    wanted[log] ?? (disclosure[log] === 'whole' ? { kind: 'whole' } : { kind: 'counted' });
  return { T: of('T'), O: of('O') };
}

async function exportTree(
  site: PartnerSite,
  { state: { epoch }, committed, pins }: ExportMatter,
  log: TreeName,
  selection: Selection,
): Promise<ExportedTree> {
  const head = committed.heads[log];
  const { size: from, frontier } = pins.pins[log];
  if (from === head.size) return { ...head, disclosed: 'none', from, file: null };
  const note = await signCheckpointWith({ origin: originOf(site, log, epoch), ...head }, await ownSigner(site, 'log'));
  const stretches = await stretchesOf(site, epoch, log, from, head.size);
  const start = renderPartHead(
    note,
    from,
    frontier.map((hex) => Buffer.from(hex, 'hex')),
  );
  const file = await writePart(site, partMembers(site, start, stretches, selection));
  return { ...head, disclosed: selection.kind === 'whole' ? 'whole' : 'part', from, file };
}

function statementOf(
  site: PartnerSite,
  { epoch, counts }: LogState,
  trees: Readonly<Record<TreeName, ExportedTree>>,
  { privacy, sources, hosts }: LogsConfig,
  last: SaidExport | undefined,
): LogExport {
  const { T, O, X, S, G } = counts;
  return {
    partner: site.config.partner,
    seq: (last?.seq ?? 0) + 1,
    previous: last?.statement ?? null,
    epoch,
    lines: { T, O, X, S, G },
    ...trees,
    settings: sha256(JSON.stringify({ privacy, sources, hosts })),
    time: instant(site.clock.now()),
  };
}

function pastOf(
  { epoch, counts, frontiers }: LogState,
  statement: LogExport,
): Pick<PastExport, 'seq' | 'epoch' | 'trees'> {
  const { seq } = statement;
  const tree = (log: TreeName) => ({
    from: statement[log].from,
    size: treeSize(counts, log),
    whole: statement[log].disclosed !== 'part',
    frontier: frontiers[log],
  });
  return { seq, epoch, trees: { T: tree('T'), O: tree('O') } };
}

/** True when the outbox holds the statement of `last` and the files that it names: a crash or a hand may have changed that. */
async function isShown(site: PartnerSite, last: PastExport): Promise<boolean> {
  const note = await readIfThere(site.exchange, OUTBOX_EXPORT, MAX_EXPORT_NOTE);
  if (note === undefined) return false;
  try {
    const { text } = openNote(note, [await ownKey(site, 'log')], { type: EXPORT_TYPE });
    if (sha256(text) !== last.statement) return false;
    const statement = parseExport(text);
    for (const log of TREES) if (!(await isPartWhole(site, statement[log].file))) return false;
    return true;
  } catch {
    return false;
  }
}
