/**
 * Keeps what is kept small: commits of every few minutes are merged into larger files, records that are old enough are dropped.
 *
 *   cosigned records only → small neighbours → merged lines → merged hashes (commit point) → small ones removed
 *
 * What is not cosigned is never touched. A crash at any step leaves a shelf that says the same as before; what it left over is
 * removed by the next run. Hashes stay, so that everything committed can still be counted and proved.
 */
import { gzipSync } from 'node:zlib';
import { HASH_LENGTH } from '../../protocol/merkle.ts';
import type { PartnerSite } from '../partner-site.ts';
import { type DayMark, readMarks } from './day-marks.ts';
import { type LogState, TREES, type TreeName } from './log-state.ts';
import type { Pins } from './pins.ts';
import { hashesPath, linesPath, rawLines, readShelf, type Segment } from './segments.ts';

/** Bytes of merged lines; what has half of it is large enough to stay. */
const ENOUGH = 4 * 1024 * 1024;
const DAY_MS = 86_400_000;

export async function compactLogs(site: PartnerSite, state: LogState, pins: Pins, keepDays: number): Promise<void> {
  const marks = await readMarks(site);
  const cut = new Date(site.clock.now().getTime() - keepDays * DAY_MS).toISOString().slice(0, 10);
  const old = marks.findLast(({ day }) => day <= cut);
  for (const tree of TREES) {
    await removeLeftOver(site, state.epoch, tree);
    await mergeSmall(site, state.epoch, tree, { size: pins.pins[tree].size, cuts: monthsOf(marks, state.epoch, tree) });
    const cosigned = tree === 'T' ? Math.min(pins.shownT, pins.pins.T.size) : pins.pins.O.size;
    if (old?.epoch === state.epoch) await dropLines(site, state.epoch, tree, Math.min(old[tree], cosigned));
    // Of an epoch that is over everything was cosigned, or moved to the next one.
    for (let epoch = 1; epoch < (old?.epoch ?? 1); epoch += 1) await dropLines(site, epoch, tree, Infinity);
  }
}

/** Records of one month are not merged with those of another, or they would grow old together. */
function monthsOf(marks: readonly DayMark[], epoch: number, tree: TreeName): readonly number[] {
  return marks
    .filter((mark, index) => mark.epoch === epoch && marks[index - 1]?.day.slice(0, 7) !== mark.day.slice(0, 7))
    .map((mark) => mark[tree]);
}

async function removeLeftOver(site: PartnerSite, epoch: number, tree: TreeName): Promise<void> {
  const { segments, strays } = await readShelf(site, epoch, tree);
  const removed: string[] = [];
  let covered = 0;
  for (const { next, hashes, lines } of segments) {
    if (next > covered) covered = next;
    // Hashes first: lines alone are a stray, hashes alone would look like records that were dropped.
    else removed.push(hashes, ...(lines === undefined ? [] : [lines.path]));
  }
  for (const { path, first, next } of strays) {
    if (segments.some((segment) => segment.first <= first && next <= segment.next)) removed.push(path);
  }
  await remove(site, removed);
}

async function mergeSmall(
  site: PartnerSite,
  epoch: number,
  tree: TreeName,
  { size, cuts }: { readonly size: number; readonly cuts: readonly number[] },
): Promise<void> {
  const { segments } = await readShelf(site, epoch, tree);
  for (const group of smallNeighbours(segments, size, cuts)) await merge(site, group);
}

/** Of segments that are cosigned as a whole, ascending; two or more each. */
export function smallNeighbours(
  segments: readonly Segment[],
  size: number,
  cuts: readonly number[],
): readonly (readonly Segment[])[] {
  const groups: Segment[][] = [];
  let group: Segment[] = [];
  let filled = 0;
  const close = () => {
    if (group.length > 1) groups.push(group);
    group = [];
    filled = 0;
  };
  for (const segment of segments) {
    const rawLength = segment.lines?.rawLength ?? Infinity;
    if (segment.next > size || rawLength > ENOUGH / 2 || cuts.includes(segment.first)) close();
    if (segment.next > size || rawLength > ENOUGH / 2) continue;
    if (filled + rawLength > ENOUGH) close();
    group.push(segment);
    filled += rawLength;
  }
  close();
  return groups;
}

async function merge(site: PartnerSite, group: readonly Segment[]): Promise<void> {
  const [first, last] = [group[0], group.at(-1)];
  if (first === undefined || last === undefined) return;
  const lines: Uint8Array[] = [];
  const hashes: Uint8Array[] = [];
  for (const segment of group) {
    if (segment.lines !== undefined) lines.push(await rawLines(site, segment.lines));
    hashes.push(await site.state.read(segment.hashes, (segment.next - segment.first) * HASH_LENGTH));
  }
  const raw = Buffer.concat(lines);
  const place = { epoch: first.epoch, tree: first.tree, first: first.first, next: last.next };
  await site.state.write(linesPath(place, raw.length), gzipSync(raw, { level: 6 }), { mode: 0o600 });
  await site.state.write(hashesPath(place), Buffer.concat(hashes), { mode: 0o600 });
  await remove(
    site,
    group.flatMap((each) => [each.hashes, ...(each.lines === undefined ? [] : [each.lines.path])]),
  );
}

/** Of the records before `before`; a file that has later ones too stays as it is. */
async function dropLines(site: PartnerSite, epoch: number, tree: TreeName, before: number): Promise<void> {
  const { segments } = await readShelf(site, epoch, tree);
  await remove(
    site,
    segments.flatMap(({ next, lines }) => (next <= before && lines !== undefined ? [lines.path] : [])),
  );
}

async function remove(site: PartnerSite, paths: readonly string[]): Promise<void> {
  for (const path of paths) await site.state.remove(path);
  if (paths.length > 0) await site.state.sync(paths);
}
