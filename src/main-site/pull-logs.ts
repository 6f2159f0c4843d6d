/**
 * Pulls the partners' access logs, believes nothing that is not proved, and answers with a cosignature.
 *
 *   statement → held against the pins → files fetched once → every record against the root → kept → pins (commit point) → cosigned
 *
 * The other half of partner-site/export-logs.ts. A partner that fails does not hold up the others. Interrupted anywhere and run
 * again, nothing is lost or counted twice: what is pinned is what was verified, and a file is named after what it holds.
 */
import pLimit from 'p-limit';
import type { Partnership } from '../config/partnership.ts';
import { isTieupError, TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { MAX_CHECKPOINT_NOTE, type OpenedCheckpoint } from '../protocol/checkpoint.ts';
import { cosign } from '../protocol/cosignature.ts';
import { cosignedPath, OUTBOX_EXPORT } from '../protocol/exchange.ts';
import { instant } from '../protocol/instant.ts';
import { MAX_EXPORT_NOTE, type LogExport } from '../protocol/log-export.ts';
import { verifyPart, type VerifiedPart } from '../protocol/log-part.ts';
import { noteSigner, type NoteSigner } from '../protocol/note.ts';
import { documentKeyName } from './invite.ts';
import { fetchPart } from './logs/fetch-part.ts';
import { gunzipped } from './logs/gunzipped.ts';
import { keepRefused } from './logs/keep-refused.ts';
import {
  headOf,
  keptPartPath,
  logPath,
  pinnedTree,
  type Pins,
  readPins,
  TREES,
  type TreeName,
  writePins,
} from './logs/log-records.ts';
import { logKey, type OpenedExport, openStatement, standingOf } from './logs/open-statement.ts';
import type { MainSite } from './main-site.ts';
import { takeInKeys } from './partner-key-change.ts';
import { documentKey } from './partner-keys.ts';
import { loadPartnerships } from './partnerships.ts';

export type PullResult =
  /** Nothing was exported yet. */
  | { readonly kind: 'none'; readonly partner: string }
  | { readonly kind: 'unchanged'; readonly partner: string; readonly pins: Pins }
  /** The partner has not seen the last cosignature; it is there again, and the next export follows it. */
  | { readonly kind: 'behind'; readonly partner: string; readonly pins: Pins }
  | {
      readonly kind: 'pulled';
      readonly partner: string;
      readonly pins: Pins;
      readonly added: Readonly<Record<TreeName, number>>;
    }
  | { readonly kind: 'failed'; readonly partner: string; readonly error: TieupError };

export async function pullLogs(
  site: MainSite,
  partners: readonly string[],
  concurrency: number,
): Promise<readonly PullResult[]> {
  const partnerships = (await loadPartnerships(site, partners)).filter(
    ({ keys }) => keys !== null || partners.length > 0,
  );
  const signer = noteSigner(documentKeyName(site), await site.keys.load(await documentKey(site.keys)));
  const limit = pLimit(concurrency);
  return Promise.all(partnerships.map((partnership) => limit(() => pullOrReport(site, partnership, signer))));
}

async function pullOrReport(site: MainSite, partnership: Partnership, signer: NoteSigner): Promise<PullResult> {
  const partner = partnership.id;
  try {
    const exchange = await site.connect(partnership);
    try {
      const { partnership: known } = await takeInKeys(site, partnership, exchange);
      return await pullFrom(site, known, exchange, signer);
    } finally {
      await exchange.close();
    }
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    return { kind: 'failed', partner, error };
  }
}

async function pullFrom(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
  signer: NoteSigner,
): Promise<PullResult> {
  const partner = partnership.id;
  const note = await readIfThere(exchange, OUTBOX_EXPORT, MAX_EXPORT_NOTE);
  if (note === undefined) return { kind: 'none', partner };
  const pins = await readPins(site, partner);
  try {
    const opened = openStatement(note, partnership);
    const standing = standingOf(partner, opened, pins);
    if (standing !== 'new') {
      await showCosigned(site, partner, exchange, TREES);
      return { kind: standing === 'known' ? 'unchanged' : 'behind', partner, pins };
    }
    const verified = await verifyTrees(site, partnership, exchange, opened.statement, pins);
    const after = pinsAfter(site, opened, pins);
    await keep(site, partner, opened, note, verified);
    await keepCosigned(site, partner, verified, signer);
    await writePins(site, partner, after);
    await showCosigned(site, partner, exchange, [...verified.keys()]);
    return {
      kind: 'pulled',
      partner,
      pins: after,
      added: { T: after.T.size - pins.T.size, O: after.O.size - pins.O.size },
    };
  } catch (error) {
    if (!isTieupError(error, 'TIEUP_E_VERIFY', 'TIEUP_E_ROLLBACK', 'TIEUP_E_TOO_LARGE')) throw error;
    throw await keepRefused(site, partner, note, error);
  }
}

/** A log that was verified to its signed root, and the copy that was verified. */
interface VerifiedTree extends VerifiedPart {
  readonly copy: string;
}

type VerifiedTrees = ReadonlyMap<TreeName, VerifiedTree>;

async function verifyTrees(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
  statement: LogExport,
  pins: Pins,
): Promise<VerifiedTrees> {
  const verified = new Map<TreeName, VerifiedTree>();
  for (const log of TREES) {
    const { file, size, root } = statement[log];
    if (file === null) continue;
    const copy = await fetchPart(site, partnership.id, exchange, file);
    const part = await verifyPart(gunzipped(site.files.stream(copy, file.length), file.rawLength), {
      keys: [logKey(partnership)],
      origin: { host: new URL(partnership.url).host, partner: partnership.id, log, epoch: statement.epoch },
      after: headOf(pins[log]),
      until: { size, root },
    });
    assertDisclosedAsSaid(partnership.id, log, statement, part);
    verified.set(log, { ...part, copy });
  }
  assertCounts(partnership.id, statement, verified, pins);
  return verified;
}

function assertDisclosedAsSaid(partner: string, log: TreeName, statement: LogExport, { withheld }: VerifiedPart): void {
  if (statement[log].disclosed !== 'whole' || withheld === 0) return;
  throw refused(partner, `log ${log} is said to be whole, but ${withheld} of its records are withheld`);
}

/** The classes of disclosed records must add up to the counts that were signed. */
function assertCounts(partner: string, statement: LogExport, verified: VerifiedTrees, pins: Pins): void {
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
  verified: VerifiedTrees,
): Promise<void> {
  for (const [log, { copy, from, checkpoint }] of verified) {
    const place = keptPartPath(partner, statement.epoch, log, { from, size: checkpoint.size });
    await site.files.makeFolder(place.slice(0, place.lastIndexOf('/')));
    await site.files.rename(copy, place);
  }
  await site.files.write(logPath(partner, `statements/${statement.seq}.note`), note);
}

function pinsAfter(site: MainSite, { statement, digest }: OpenedExport, pins: Pins): Pins {
  const { epoch, seq, lines, T, O } = statement;
  return {
    ...pins,
    epoch,
    statement: { seq, digest },
    T: pinnedTree(T),
    O: pinnedTree(O),
    lines,
    pulledAt: instant(site.clock.now()),
  };
}

async function keepCosigned(
  site: MainSite,
  partner: string,
  verified: ReadonlyMap<TreeName, { readonly checkpoint: OpenedCheckpoint }>,
  signer: NoteSigner,
): Promise<void> {
  const time = instant(site.clock.now());
  for (const [log, { checkpoint }] of verified) {
    await site.files.write(logPath(partner, `${log}.cosigned`), cosign(checkpoint.note, signer, time));
  }
}

/** Puts into the inbox what was cosigned last, unless it is there. */
async function showCosigned(
  site: MainSite,
  partner: string,
  exchange: FileTree,
  logs: readonly TreeName[],
): Promise<void> {
  for (const log of logs) {
    const note = await readIfThere(site.files, logPath(partner, `${log}.cosigned`), MAX_CHECKPOINT_NOTE);
    if (note === undefined) continue;
    const shown = await readIfThere(exchange, cosignedPath(log), MAX_CHECKPOINT_NOTE).catch(() => undefined);
    if (shown === undefined || Buffer.compare(shown, note) !== 0) await exchange.write(cosignedPath(log), note);
  }
}

function refused(partner: string, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the export of ${partner} is refused: ${why}`);
}
