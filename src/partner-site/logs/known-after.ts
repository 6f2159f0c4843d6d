/** What stays known of the files of a source when they were read. */
import type { LogFile } from '../../io/log-files.ts';
import { type KnownFile, NO_MARKS, stateOf } from './known-file.ts';
import type { SourceState } from './log-state.ts';
import type { Copy, ReadingPlan } from './plan-reading.ts';
import { inodeOf } from './rotation.ts';

/** Files that are gone and stay known: moved away for a while, or on a disk that was not there, they must not be read again. */
const MAX_GONE = 1000;
const LF = 0x0a;

/**
 * @param read what is known now of the files that are no copies, of all sources, by {@link inodeOf}
 * @param passedOver damaged files that the manager has accepted as lost
 */
export async function knownAfter(
  { before, untouched, copies, steps, current }: ReadingPlan,
  read: ReadonlyMap<string, KnownFile>,
  passedOver: readonly LogFile[],
): Promise<Pick<SourceState, 'known' | 'current'>> {
  const there = [...untouched];
  for (const file of passedOver) there.push({ ...stateOf(file), offset: 0, isWhole: true, ...NO_MARKS });
  for (const copy of copies) there.push(await ofCopy(copy, read.get(inodeOf(copy.original))));
  for (const { file } of steps) {
    const known = read.get(inodeOf(file));
    if (known !== undefined) there.push(known);
  }
  const goneOn = new Set([...steps, ...copies].map(({ known }) => known));
  const known = [
    ...stillGone(
      before.known.filter((each) => !goneOn.has(each)),
      there,
    ),
    ...there,
  ];
  const last = current === undefined ? -1 : known.findLastIndex((each) => inodeOf(each) === inodeOf(current));
  return { known, current: last === -1 ? null : last };
}

/** Read as far as its original, or all of it: one that is not complete yet goes on as what it is. */
async function ofCopy({ found }: Copy, original: KnownFile | undefined): Promise<KnownFile> {
  const [state, size] = [stateOf(found.file), await found.size()];
  if (original !== undefined && size >= original.offset) {
    const { offset, head, tail, directive } = original;
    return { ...state, offset, isWhole: size === offset, head, tail, directive };
  }
  const copy = { ...state, isWhole: true, directive: original?.directive, copyOf: original?.tail.sha256 };
  // The beginning of a line may be that of many logs.
  if (!(await found.first()).includes(LF)) return { ...copy, offset: 0, ...NO_MARKS };
  // A half line at its end is whole in the original.
  return { ...copy, offset: size, ...(await found.marksAt(size)) };
}

/** Those of which nothing is there that was read as far. */
function stillGone(before: readonly KnownFile[], there: readonly KnownFile[]): readonly KnownFile[] {
  const furthest = new Map<string, number>();
  for (const { head, offset } of there) furthest.set(head.sha256, Math.max(offset, furthest.get(head.sha256) ?? 0));
  return before
    .filter(({ head, offset }) => offset > (furthest.get(head.sha256) ?? 0))
    .toSorted((a, b) => a.modifiedMs - b.modifiedMs)
    .slice(-MAX_GONE);
}
