/**
 * How large the trees were on which day, so that it is known how old a record is without reading it:
 *
 *     logs/days.json    a mark for each day on which something was exported, the first of that day
 */
import { z } from 'zod';
import { instant } from '../../protocol/instant.ts';
import { readJson, writeJson } from '../../publish/records.ts';
import type { PartnerSite } from '../partner-site.ts';
import { type LogState, treeSize } from './log-state.ts';

/** Records below these sizes were committed to on that day or before. */
export interface DayMark {
  /** `2026-11-23`, UTC. */
  readonly day: string;
  readonly epoch: number;
  readonly T: number;
  readonly O: number;
}

const FILE = 'logs/days.json';
/** Ten years. */
const MAX_MARKS = 3660;
const size = z.int().min(0);
const schema: z.ZodType<readonly DayMark[]> = z.array(
  z.strictObject({ day: z.string(), epoch: z.int().min(1), T: size, O: size }),
);

/** Ascending. */
export async function readMarks(site: PartnerSite): Promise<readonly DayMark[]> {
  return (await readJson(site.state, FILE, schema)) ?? [];
}

export async function markDay(site: PartnerSite, { epoch, counts }: LogState): Promise<void> {
  const day = instant(site.clock.now()).slice(0, 10);
  const marks = await readMarks(site);
  const last = marks.at(-1);
  if (last !== undefined && last.day >= day && last.epoch === epoch) return;
  const mark: DayMark = { day, epoch, T: treeSize(counts, 'T'), O: treeSize(counts, 'O') };
  await writeJson(site.state, FILE, [...marks.slice(1 - MAX_MARKS), mark]);
}
