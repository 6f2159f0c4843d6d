/**
 * Visits that the main site made itself, looking like anybody's, in `.tieup/logs/<partner>/canaries.jsonl`: each must turn up in log T.
 * A partner that leaves out hits to pay less does not know which of them are missed.
 */
import { z } from 'zod';
import { TieupError } from '../../errors.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import type { LogRecord } from '../../protocol/log-record.ts';
import type { MainSite } from '../main-site.ts';
import type { LogFinding } from './findings.ts';
import { logPath, type Pins } from './log-records.ts';
import type { KnownSwitch } from './switches.ts';

export interface Canary {
  /** When it was sent. */
  readonly at: string;
  /** Published path of the page, as in the release. */
  readonly page: string;
  readonly agent: string;
  readonly referrer: string | null;
  /** What the partner's server answered. */
  readonly status: number;
  /** Whether the answer was the page of the release, to the byte; with the partner's slots in it, it never is. */
  readonly isOurs: boolean;
  /** Where it is in log T; null while it was not seen. */
  readonly found: { readonly epoch: number; readonly index: number } | null;
}

const schema: z.ZodType<Canary> = z.strictObject({
  at: z.string(),
  page: z.string(),
  agent: z.string(),
  referrer: z.string().nullable(),
  status: z.int(),
  isOurs: z.boolean().default(false),
  found: z.strictObject({ epoch: z.int().min(1), index: z.int().min(0) }).nullable(),
});

/** The partner's clock and ours may differ by so much. */
const SKEW_MS = 5 * 60 * 1000;
/** A web server may hold lines back before it writes them. */
const BUFFERED_MS = 60 * 60 * 1000;
const MAX_CANARIES = 64 * 1024 * 1024;
/** Nobody else may read them: what the partner knows of is no test. */
const SECRET = 0o600;

export async function readCanaries(site: MainSite, partner: string): Promise<readonly Canary[]> {
  const path = pathOf(partner);
  const bytes = await readIfThere(site.files, path, MAX_CANARIES);
  if (bytes === undefined) return [];
  const lines = new TextDecoder().decode(bytes).split('\n').slice(0, -1);
  try {
    return lines.map((line) => schema.parse(JSON.parse(line)));
  } catch (cause) {
    throw new TieupError('TIEUP_E_FAILED', `${path} is damaged`, { hint: 'restore it from a backup', cause });
  }
}

export async function writeCanaries(site: MainSite, partner: string, canaries: readonly Canary[]): Promise<void> {
  const text = canaries.map((each) => `${JSON.stringify(each)}\n`).join('');
  await site.files.write(pathOf(partner), Buffer.from(text), { mode: SECRET });
}

/** Looks for canaries among the records of log T that are verified now. */
export class CanaryWatch {
  readonly #epoch: number;
  readonly #canaries: Canary[];
  readonly #pages: ReadonlySet<string>;

  /** Those which were found in records that are not pinned count as not found: they are about to be read again. */
  constructor(canaries: readonly Canary[], pins: Pins) {
    this.#epoch = pins.epoch;
    this.#canaries = canaries.map((each) => (isPinned(each, pins) ? each : { ...each, found: null }));
    this.#pages = new Set(this.#canaries.filter(({ found }) => found === null).map(({ page }) => page));
  }

  isWatched(page: string): boolean {
    return this.#pages.has(page);
  }

  see(index: number, record: LogRecord): void {
    const at = this.#canaries.findIndex((canary) => canary.found === null && isOf(canary, record));
    const canary = this.#canaries[at];
    if (canary !== undefined) this.#canaries[at] = { ...canary, found: { epoch: this.#epoch, index } };
  }

  get canaries(): readonly Canary[] {
    return this.#canaries;
  }
}

function isOf({ at, page, agent, status, referrer }: Canary, record: LogRecord): boolean {
  return (
    record.page === page &&
    record.agent === agent &&
    record.method === 'GET' &&
    record.status === status &&
    isReferrer(record.referrer, referrer) &&
    Math.abs(Date.parse(record.time) - Date.parse(at)) <= SKEW_MS
  );
}

/** A partner may keep a referrer whole, its origin alone, or nothing of it. */
function isReferrer(written: string, sent: string | null): boolean {
  if (written === '' || sent === null) return written === '';
  return written === sent || written === new URL(sent).origin;
}

function isPinned({ found }: Canary, { epoch, T }: Pins): boolean {
  return found !== null && (found.epoch < epoch || (found.epoch === epoch && found.index < T.size));
}

/** How many visits of each month (`2026-11`) were the main site's own: they are deducted. */
export function deducted(canaries: readonly Canary[], pins: Pins): Readonly<Record<string, number>> {
  const months: Record<string, number> = {};
  for (const canary of canaries) {
    if (!isPinned(canary, pins)) continue;
    const month = canary.at.slice(0, 7);
    months[month] = (months[month] ?? 0) + 1;
  }
  return months;
}

/** Those that should have been in what was shown by now. @param switches of this epoch, in their order */
export function missingCanaries(
  canaries: readonly Canary[],
  pins: Pins,
  switches: readonly KnownSwitch[],
): readonly LogFinding[] {
  const { shownUntil, certainUntil, epoch } = pins;
  const until = Math.max(...[shownUntil, certainUntil].map((time) => (time === null ? -Infinity : Date.parse(time))));
  const missing = canaries.filter(
    (each) =>
      !isPinned(each, pins) && Date.parse(each.at) + BUFFERED_MS <= until && (each.isOurs || !isOwnAt(switches, each)),
  );
  // Findings that read alike are one: visits to a page within one second are told together, so that none is swallowed.
  const alike = new Map<string, Canary[]>();
  for (const each of missing) {
    const key = JSON.stringify([each.at, each.page, each.status]);
    alike.set(key, [...(alike.get(key) ?? []), each]);
  }
  return [...alike.values()].flatMap(([first, ...others]) =>
    first === undefined
      ? []
      : [{ kind: 'canary-missing', epoch, message: missedText(first, others.length + 1), records: [] }],
  );
}

/** Whether the partner had said, when the visit was made, that a page of its own answers there. */
function isOwnAt(switches: readonly KnownSwitch[], { page, at }: Canary): boolean {
  const time = Date.parse(at);
  return switches.some(({ own, time: since }, index) => {
    const until = switches[index + 1]?.time;
    const isInForce =
      Date.parse(since) - SKEW_MS <= time && (until === undefined || time <= Date.parse(until) + SKEW_MS);
    return isInForce && own.includes(page);
  });
}

function missedText({ at, page, status }: Canary, count: number): string {
  return count === 1
    ? `a visit to ${page} at ${at}, which was answered with ${status}, is not in log T`
    : `${count} visits to ${page} at ${at}, which were answered with ${status}, are not in log T`;
}

function pathOf(partner: string): string {
  return logPath(partner, 'canaries.jsonl');
}
