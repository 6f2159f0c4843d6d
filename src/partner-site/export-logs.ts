/**
 * Exports the access logs with a certificate that all of them, or the part that is disclosed, is unaltered.
 *
 *   commit → what the main site has cosigned → records from there on (all, some, or only counted) → files → statement (commit point)
 *
 * Run by cron at the prescribed time. What leaves was anonymised before it was committed to, and nothing leaves that the
 * configuration or the command line does not disclose. An export that says nothing new writes nothing.
 */
import type { LogsConfig } from '../config/partner-logs.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';
import { signCheckpoint } from '../protocol/checkpoint.ts';
import { OUTBOX_EXPORT } from '../protocol/exchange.ts';
import { instant } from '../protocol/instant.ts';
import {
  EXPORT_TYPE,
  type ExportedTree,
  type LogExport,
  MAX_EXPORT_NOTE,
  renderExport,
} from '../protocol/log-export.ts';
import { renderPartHead } from '../protocol/log-part-header.ts';
import { openNote, signNote } from '../protocol/note.ts';
import { commitLocked, type Committed, originOf, requireLogs, withLogLock } from './commit-logs.ts';
import { forgetExports, keepExport, type PastExport, pastExports, type Pins, readPins } from './logs/exports.ts';
import {
  firstState,
  type LogState,
  readLogState,
  segmentsOf,
  TREES,
  treeSize,
  type TreeName,
} from './logs/log-state.ts';
import { partMembers, type Selection } from './logs/part-lines.ts';
import { removeParts, writePart } from './logs/write-part.ts';
import { ownKey, ownSigner } from './own-keys.ts';
import type { PartnerSite } from './partner-site.ts';

export interface ExportRequest {
  readonly acceptGap: boolean;
  /** What is disclosed of each log, instead of what tieup.yaml says. */
  readonly disclose: Partial<Readonly<Record<TreeName, Selection>>>;
}

export interface Exported {
  readonly committed: Committed;
  /** Undefined when the statement in the outbox says all there is to say. */
  readonly statement: LogExport | undefined;
}

/** @throws as {@link commitLogs}; TIEUP_E_DRIFT when the main site has cosigned more than this site knows of. */
export async function exportLogs(site: PartnerSite, request: ExportRequest): Promise<Exported> {
  return withLogLock(site, async () => {
    const committed = await commitLocked(site, request);
    const state = (await readLogState(site)) ?? firstState(1);
    const past = await pastExports(site);
    const pins = await readPins(site, state, past);
    const config = requireLogs(site);
    const last = past.at(-1);
    const plan = planExport(state, pins, config, request.disclose);
    // A filter comes from a person, who wants to see what it does.
    const isFiltered = TREES.some((log) => plan.selections[log].kind === 'records');
    if (!isFiltered && last !== undefined && plan.content === last.content && (await isShown(site, last))) {
      return { committed, statement: undefined };
    }

    const tree = (log: TreeName) => exportTree(site, state, log, { committed, pins, selection: plan.selections[log] });
    const trees = { T: await tree('T'), O: await tree('O') };
    const statement = statementOf(site, state, trees, config, last);
    const text = renderExport(statement);
    await keepExport(site, { ...pastOf(state, statement), statement: sha256(text), content: plan.content });
    await site.exchange.write(OUTBOX_EXPORT, signNote(text, [await ownSigner(site, 'log')]));
    await removeParts(site, new Set(TREES.flatMap((log) => trees[log].file?.digest ?? [])));
    await forgetExports(site, [...past], pins);
    return { committed, statement };
  });
}

interface ExportPlan {
  readonly selections: Readonly<Record<TreeName, Selection>>;
  /** SHA-256 of what makes this export differ from another one. */
  readonly content: string;
}

function planExport(
  state: LogState,
  pins: Pins,
  { export: disclosure, privacy, sources }: LogsConfig,
  wanted: ExportRequest['disclose'],
): ExportPlan {
  const selectionOf = (log: TreeName): Selection =>
    wanted[log] ?? (disclosure[log] === 'whole' ? { kind: 'whole' } : { kind: 'counted' });
  const selections = { T: selectionOf('T'), O: selectionOf('O') };
  const kinds = TREES.map((log) => selections[log].kind);
  const content = JSON.stringify([state.epoch, state.counts, state.frontiers, pins, kinds, privacy, sources]);
  return { selections, content: sha256(content) };
}

async function exportTree(
  site: PartnerSite,
  { epoch }: LogState,
  log: TreeName,
  { committed, pins, selection }: { readonly committed: Committed; readonly pins: Pins; readonly selection: Selection },
): Promise<ExportedTree> {
  const head = committed.heads[log];
  const { size: from, frontier } = pins[log];
  if (from === head.size) return { ...head, disclosed: 'none', from, file: null };
  const note = signCheckpoint({ origin: originOf(site, log, epoch), ...head }, await ownSigner(site, 'log'));
  const segments = await segmentsOf(site, epoch, log, from, head.size);
  const start = renderPartHead(
    note,
    from,
    frontier.map((hex) => Buffer.from(hex, 'hex')),
  );
  const file = await writePart(site, partMembers(site, start, segments, selection));
  return { ...head, disclosed: selection.kind === 'whole' ? 'whole' : 'part', from, file };
}

function statementOf(
  site: PartnerSite,
  { epoch, counts }: LogState,
  trees: Readonly<Record<TreeName, ExportedTree>>,
  { privacy, sources }: LogsConfig,
  last: PastExport | undefined,
): LogExport {
  const { T, O, X, S, G } = counts;
  return {
    partner: site.config.partner,
    seq: (last?.seq ?? 0) + 1,
    previous: last?.statement ?? null,
    epoch,
    lines: { T, O, X, S, G },
    ...trees,
    settings: sha256(JSON.stringify({ privacy, sources })),
    time: instant(site.clock.now()),
  };
}

function pastOf(
  { epoch, counts, frontiers }: LogState,
  { seq }: LogExport,
): Pick<PastExport, 'seq' | 'epoch' | 'trees'> {
  const tree = (log: TreeName) => ({ size: treeSize(counts, log), frontier: frontiers[log] });
  return { seq, epoch, trees: { T: tree('T'), O: tree('O') } };
}

/** True when the outbox holds the statement of `last`: a crash may have kept it from there. */
async function isShown(site: PartnerSite, last: PastExport): Promise<boolean> {
  const note = await readIfThere(site.exchange, OUTBOX_EXPORT, MAX_EXPORT_NOTE);
  if (note === undefined) return false;
  try {
    return sha256(openNote(note, [await ownKey(site, 'log')], { type: EXPORT_TYPE }).text) === last.statement;
  } catch {
    return false;
  }
}
