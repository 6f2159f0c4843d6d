/**
 * Asks to see records of log O that were only counted, at places which nobody could know before, and checks what is shown:
 *
 *     <epoch>/audits/<digest of the demand>/    demand.note, answer.note, answer.part.gz
 *     audit.json                                the demand that is not answered yet, and up to where log O was asked about
 *
 * The demand is made after the tree is pinned, so the partner cannot choose what to show.
 */
import { z } from 'zod';
import type { Partnership } from '../../config/partnership.ts';
import { TieupError } from '../../errors.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import { gunzipped } from '../../logs/gunzipped.ts';
import { siteHosts } from '../../logs/site-hosts.ts';
import { sha256 } from '../../protocol/digest.ts';
import { INBOX_DEMAND, OUTBOX_ANSWER, OUTBOX_ANSWER_PART } from '../../protocol/exchange.ts';
import { instant } from '../../protocol/instant.ts';
import { LOG_ANSWER_TYPE, type LogAnswer, MAX_LOG_ANSWER_NOTE, parseLogAnswer } from '../../protocol/log-answer.ts';
import { demandedIndexes, type LogDemand, parseDemand, renderDemand } from '../../protocol/log-demand.ts';
import { MAX_PART_LINE, verifyPart } from '../../protocol/log-part.ts';
import { claimedText, type NoteSigner, openNote, signNote } from '../../protocol/note.ts';
import type { MainSite } from '../main-site.ts';
import { holds } from './cosigned.ts';
import { fetchPart, incomingPath, type LogExchange } from './fetch-part.ts';
import { addFindings, type KeptFinding, type LogFinding } from './findings.ts';
import { type Judgement, judgeRecords, type OpenedRecord } from './judge-records.ts';
import { keepRefused } from './keep-refused.ts';
import { epochPath, firstPins, headOf, logPath, type Pins, readState, writeState } from './log-records.ts';
import { logKey } from './open-statement.ts';
import { filesAfter, readSwitches } from './switches.ts';
import { recordOf } from './take-records.ts';

/** What the partner was asked for. */
interface AuditState {
  /** Null when nothing is asked. */
  readonly open: OpenDemand | null;
  /** Log O was asked about when it had so many records. */
  readonly asked: { readonly epoch: number; readonly size: number } | null;
}

interface OpenDemand {
  /** The signed note, base64. */
  readonly note: string;
  /** Number of the export after which it was asked. */
  readonly seq: number;
}

export interface Audited {
  readonly findings: readonly KeptFinding[];
  /** Records that could not be judged, and why. */
  readonly unjudged: readonly string[];
  /** Records that were shown as demanded. */
  readonly shown: number;
  /** Records that are demanded now. */
  readonly demanded: number;
}

const schema: z.ZodType<AuditState> = z.strictObject({
  open: z.strictObject({ note: z.string(), seq: z.int().min(0) }).nullable(),
  asked: z.strictObject({ epoch: z.int().min(1), size: z.int().min(0) }).nullable(),
});

/** An export may have been made before the demand was there; the one after it answers. */
const EXPORTS_TO_ANSWER = 2;
/** Hashes in an answer for every record that it shows. */
const MAX_HASHES = 128;
const HASH_LINE = 96;

/** Checks the answer to the last demand, and makes the next one when log O has grown. */
export async function audit(
  site: MainSite,
  partnership: Partnership,
  exchange: LogExchange,
  pins: Pins,
  signer: NoteSigner,
): Promise<Audited> {
  const before = (await readState(site, auditPath(partnership.id), schema)) ?? { open: null, asked: null };
  const checked = await checkOpenDemand(site, partnership, exchange, before, pins);
  const findings = await addFindings(site, partnership.id, checked.findings);
  const open = checked.isOver ? await nextDemand(site, partnership, before, pins, signer) : before.open;
  const asked = open === null || open === before.open ? before.asked : { epoch: pins.epoch, size: pins.O.size };
  // Remembered before it is shown: a demand that was shown and forgotten would be drawn anew until it suits somebody.
  if (open !== before.open) await writeState(site, auditPath(partnership.id), { open, asked });
  const { unjudged, shown } = checked;
  if (open === null) return { findings, unjudged, shown, demanded: 0 };
  const note = Buffer.from(open.note, 'base64');
  if (!(await holds(exchange, INBOX_DEMAND, note))) await exchange.write(INBOX_DEMAND, note);
  return { findings, unjudged, shown, demanded: demandedIndexes(demandIn(open)).length };
}

interface Checked extends Judgement {
  /** Whether there is nothing to wait for any more. */
  readonly isOver: boolean;
  readonly shown: number;
}

async function checkOpenDemand(
  site: MainSite,
  partnership: Partnership,
  exchange: LogExchange,
  { open }: AuditState,
  pins: Pins,
): Promise<Checked> {
  if (open === null) return { isOver: true, findings: [], unjudged: [], shown: 0 };
  const demand = demandIn(open);
  const answer = await readAnswer(site, partnership, exchange, open);
  if (answer.kind === 'answered') return { isOver: true, ...answer };
  const ignored = (why: string): LogFinding => ({
    kind: 'unanswered',
    epoch: demand.epoch,
    message: `${demandedIndexes(demand).length} records of log O that were demanded at ${demand.time} were not shown: ${why}`,
    records: demandedIndexes(demand),
  });
  const faults = answer.kind === 'refused' ? [answer.finding] : [];
  if (demand.epoch !== pins.epoch) {
    return { isOver: true, findings: [...faults, ignored('a new epoch began')], unjudged: [], shown: 0 };
  }
  const exports = (pins.seen?.seq ?? 0) - open.seq;
  if (exports < EXPORTS_TO_ANSWER) return { isOver: false, findings: faults, unjudged: [], shown: 0 };
  return { isOver: true, findings: [...faults, ignored(`${exports} exports came since`)], unjudged: [], shown: 0 };
}

type Answer =
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly finding: LogFinding }
  | ({ readonly kind: 'answered'; readonly shown: number } & Judgement);

async function readAnswer(
  site: MainSite,
  partnership: Partnership,
  exchange: LogExchange,
  open: OpenDemand,
): Promise<Answer> {
  const partner = partnership.id;
  const note = await readIfThere(exchange, OUTBOX_ANSWER, MAX_LOG_ANSWER_NOTE);
  if (note === undefined) return { kind: 'none' };
  const demand = demandIn(open);
  let fetched: string[] = [];
  try {
    const answer = openAnswer(note, partnership);
    // To an earlier demand.
    if (answer.demand !== sha256(renderDemand(demand))) return { kind: 'none' };
    fetched = [incomingPath(partner, answer.file.digest)];
    const copy = await fetchAnswer(site, partner, exchange, answer, demand);
    const records = await openRecords(site, partnership, copy, answer, demand);
    await keepAnswer(site, partner, demand, { open, note, copy });
    // A demand is of a tree that was pinned, and its switches with it.
    const switches = await readSwitches(site, partner, demand.epoch, Number.POSITIVE_INFINITY);
    const filesOf = filesAfter(site, partner, partnership.url);
    const hosts = siteHosts(partnership.url, partnership.logs.hosts);
    return {
      kind: 'answered',
      shown: records.length,
      ...(await judgeRecords(records, { epoch: demand.epoch, switches, hosts, filesOf })),
    };
  } catch (error) {
    const told = await keepRefused(site, partner, { notes: { 'answer.note': note }, fetched }, error);
    if (!(told instanceof TieupError) || told === error) throw told;
    const message = `the answer to the demand of ${demand.time} is refused: ${told.message}`;
    return { kind: 'refused', finding: { kind: 'wrong-answer', epoch: demand.epoch, message, records: [] } };
  }
}

function openAnswer(note: Uint8Array, partnership: Partnership): LogAnswer {
  const answer = parseLogAnswer(openNote(note, [logKey(partnership)], { type: LOG_ANSWER_TYPE }).text);
  if (answer.partner === partnership.id) return answer;
  throw refused(`it is of the partner ${JSON.stringify(answer.partner)}`);
}

/** What is demanded fits into so many bytes, with all the hashes around it. */
async function fetchAnswer(
  site: MainSite,
  partner: string,
  exchange: LogExchange,
  { file }: LogAnswer,
  demand: LogDemand,
): Promise<string> {
  const limit = (demand.count + 1) * (MAX_PART_LINE + MAX_HASHES * HASH_LINE);
  if (file.length > limit || file.rawLength > limit)
    throw refused(`it is larger than any answer: ${file.rawLength} bytes`);
  return fetchPart(site, partner, exchange, file, OUTBOX_ANSWER_PART);
}

async function openRecords(
  site: MainSite,
  partnership: Partnership,
  copy: string,
  { file }: LogAnswer,
  { epoch, tree, ...demand }: LogDemand,
): Promise<readonly OpenedRecord[]> {
  const records: OpenedRecord[] = [];
  await verifyPart(
    gunzipped(site.files.stream(copy, file.length), file.rawLength),
    {
      keys: [logKey(partnership)],
      origin: { host: new URL(partnership.url).host, partner: partnership.id, log: 'O', epoch },
      after: headOf(firstPins(epoch, null).O),
      until: tree,
    },
    (batch) => {
      for (let record = 0; record < batch.count; record += 1) records.push(recordOf(batch, record));
    },
  );
  const wanted = demandedIndexes({ epoch, tree, ...demand });
  const shown = new Set(records.map(({ index }) => index));
  const missing = wanted.filter((index) => !shown.has(index));
  if (missing.length > 0)
    throw refused(`it does not show ${missing.length} of the ${wanted.length} records that were demanded`);
  if (shown.size !== wanted.length) throw refused('it shows records that were not demanded');
  return records;
}

async function keepAnswer(
  site: MainSite,
  partner: string,
  { epoch, ...demand }: LogDemand,
  { open, note, copy }: { readonly open: OpenDemand; readonly note: Uint8Array; readonly copy: string },
): Promise<void> {
  const place = epochPath(partner, epoch, `audits/${sha256(renderDemand({ epoch, ...demand }))}`);
  await site.files.write(`${place}/demand.note`, Buffer.from(open.note, 'base64'));
  await site.files.write(`${place}/answer.note`, note);
  await site.files.rename(copy, `${place}/answer.part.gz`);
}

async function nextDemand(
  site: MainSite,
  partnership: Partnership,
  { asked }: AuditState,
  pins: Pins,
  signer: NoteSigner,
): Promise<OpenDemand | null> {
  // What was asked about before may be older than the partner keeps it, and would leave what is new ever smaller a chance.
  const from = asked === null || asked.epoch !== pins.epoch ? 0 : asked.size;
  const count = partnership.logs.audit;
  if (from === pins.O.size || count === 0) return null;
  const demand: LogDemand = {
    partner: partnership.id,
    epoch: pins.epoch,
    tree: headOf(pins.O),
    from,
    nonce: Buffer.from(site.random(32)).toString('hex'),
    count,
    time: instant(site.clock.now()),
  };
  const note = signNote(renderDemand(demand), [signer]);
  return { note: Buffer.from(note).toString('base64'), seq: pins.seen?.seq ?? 0 };
}

/** Of a note that this machine has signed itself. */
function demandIn({ note }: OpenDemand): LogDemand {
  return parseDemand(claimedText(Buffer.from(note, 'base64')));
}

function auditPath(partner: string): string {
  return logPath(partner, 'audit.json');
}

function refused(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the answer to the demand is refused: ${why}`);
}
