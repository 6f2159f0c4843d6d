/**
 * The history of a site: one JSON line an action, each with the SHA-256 of the line before it. There are two such chains: what goes
 * on by itself, of which the oldest lines are dropped, and what people did, of which none is.
 *
 * It is for the people of this side alone. What the chain shows is that no line was changed, left out or put in between by hand
 * or by a fault; whoever can write the files can also write a chain anew. What neither side can deny stands in signed notes.
 */
import { z } from 'zod';
import { DIGEST, sha256 } from './digest.ts';

export interface HistoryEvent {
  /** `push`, `decision`, `suspend`: one word, or two with a hyphen. */
  readonly action: string;
  readonly partner?: string | undefined;
  readonly release?: number | undefined;
  /** SHA-256 of what it was about: of a release, a decision, published files. */
  readonly digest?: string | undefined;
  /** For people; one line. */
  readonly detail?: string | undefined;
}

export interface HistoryEntry extends HistoryEvent {
  /** 1 for the first, without a gap. */
  readonly seq: number;
  /** SHA-256 of the line before, without its line feed; null for the first. */
  readonly previous: string | null;
  /** ISO 8601 UTC. */
  readonly time: string;
  /** `user@host`. */
  readonly who: string;
  /** Of what is never dropped: how many lines the other chain had. */
  readonly after?: number | undefined;
}

/** What goes on by itself, with every push and every answer: who fails again and again must not wash away what people did. */
const PASSING: ReadonlySet<string> = new Set([
  'push',
  'push-failed',
  'rollback-failed',
  'repair',
  'refresh',
  'publish',
  'publish-failed',
  'recover',
  'answer',
  'receipt',
]);

/** Whether a line is never dropped. */
export function isLasting({ action }: HistoryEvent): boolean {
  return !PASSING.has(action);
}

const MAX_DETAIL = 500;
const MAX_LINE = 8192;

const entrySchema: z.ZodType<HistoryEntry> = z.strictObject({
  seq: z.int().min(1),
  previous: z.string().regex(DIGEST).nullable(),
  time: z.string(),
  who: z.string(),
  action: z.string(),
  partner: z.string().optional(),
  release: z.int().min(0).optional(),
  digest: z.string().regex(DIGEST).optional(),
  detail: z.string().optional(),
  after: z.int().min(0).optional(),
});

/** Where a history ends. */
export interface HistoryEnd {
  readonly seq: number;
  readonly digest: string | null;
}

export const NO_HISTORY: HistoryEnd = { seq: 0, digest: null };

/** The next line, without its line feed, and where the history ends with it. */
export function renderEntry(
  end: HistoryEnd,
  event: HistoryEvent,
  by: { readonly time: string; readonly who: string; readonly after?: number },
): { readonly line: string; readonly end: HistoryEnd } {
  const { action, partner, release, digest, detail } = event;
  const entry: HistoryEntry = {
    seq: end.seq + 1,
    previous: end.digest,
    ...by,
    action,
    partner,
    release,
    digest,
    detail: detail?.replaceAll(/\p{C}+/gu, ' ').slice(0, MAX_DETAIL),
  };
  const line = JSON.stringify(entry);
  return { line, end: { seq: entry.seq, digest: sha256(line) } };
}

export interface History {
  /** The oldest first. */
  readonly entries: readonly HistoryEntry[];
  /** Where the chain is broken, in words; empty when it holds. */
  readonly faults: readonly string[];
}

/** Both chains as one history: a lasting line comes after as many of the others as there were. */
export function joinHistories(passing: History, lasting: History): History {
  const rest = [...lasting.entries];
  const entries: HistoryEntry[] = [];
  for (const entry of passing.entries) {
    while (rest[0] !== undefined && (rest[0].after ?? 0) < entry.seq) entries.push(...rest.splice(0, 1));
    entries.push(entry);
  }
  const faults = lasting.faults.map((fault) => `of what is kept for good, ${fault}`);
  return { entries: [...entries, ...rest], faults: [...passing.faults, ...faults] };
}

/** Reads lines, the oldest first, and follows the chain; what comes before the first of them was dropped with age. */
export function readHistory(lines: readonly string[]): History {
  const entries: HistoryEntry[] = [];
  const faults: string[] = [];
  let before: { readonly seq: number; readonly digest: string } | undefined;
  for (const line of lines) {
    const entry = parseEntry(line);
    const place = before === undefined ? 'the first line' : `the line after entry ${before.seq}`;
    if (entry === undefined) faults.push(`${place} is no entry`);
    else if (before === undefined ? (entry.seq === 1) !== (entry.previous === null) : entry.seq !== before.seq + 1)
      faults.push(`${place} is entry ${entry.seq}`);
    else if (before !== undefined && entry.previous !== before.digest)
      faults.push(`entry ${before.seq} is not the one that entry ${entry.seq} was written after`);
    if (entry !== undefined) entries.push(entry);
    before = { seq: entry?.seq ?? (before?.seq ?? 0) + 1, digest: sha256(line) };
  }
  return { entries, faults };
}

function parseEntry(line: string): HistoryEntry | undefined {
  if (line.length > MAX_LINE) return undefined;
  try {
    return entrySchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
