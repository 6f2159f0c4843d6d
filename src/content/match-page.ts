/** Compares the bytes of a page as somebody else has it with what it has to be, wherever its slots are filled or not. */
import type { PagePart } from './dissect.ts';

export type PageMatch =
  | { readonly kind: 'equal'; readonly slots: readonly FoundSlot[] }
  | {
      readonly kind: 'different';
      /** The part that was not found: `the main site's text`, or the name of a hole. */
      readonly part: string;
      /** Where it should have been, 1-based, in bytes from the start of the line. */
      readonly line: number;
      readonly column: number;
    };

export interface FoundSlot {
  readonly name: string;
  readonly isFilled: boolean;
  readonly bytes: Uint8Array;
}

/** Parts between two slots, which stand there as they are. */
interface Run {
  readonly parts: readonly PagePart[];
  readonly bytes: Buffer;
}

/**
 * Everything but slots has to be there, in order, from the first byte to the last. What stands between is in the slots: the
 * earliest place of each run leaves the most room for the next, so that nothing is missed.
 */
export function matchPage(parts: readonly PagePart[], given: Uint8Array): PageMatch {
  const page = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  const { runs, slots } = splitAtSlots(parts);
  const found: FoundSlot[] = [];
  let at = 0;
  for (const [index, run] of runs.entries()) {
    const slot = slots[index - 1];
    const isLast = index === runs.length - 1;
    const start = startOf(page, run, at, slot !== undefined, isLast);
    if (start === undefined) return difference(page, run, at);
    if (slot !== undefined) {
      const bytes = page.subarray(at, start);
      found.push({ name: slot.name, isFilled: !bytes.equals(slot.bytes), bytes });
    }
    at = start + run.bytes.length;
  }
  return { kind: 'equal', slots: found };
}

function startOf(page: Buffer, { bytes }: Run, at: number, afterSlot: boolean, isLast: boolean): number | undefined {
  const start = isLast ? page.length - bytes.length : afterSlot ? page.indexOf(bytes, at) : at;
  if (start < at || (!afterSlot && start !== at)) return undefined;
  return page.subarray(start, start + bytes.length).equals(bytes) ? start : undefined;
}

type SlotPart = Extract<PagePart, { kind: 'slot' }>;

function splitAtSlots(parts: readonly PagePart[]): {
  readonly runs: readonly Run[];
  readonly slots: readonly SlotPart[];
} {
  const runs: PagePart[][] = [[]];
  const slots: SlotPart[] = [];
  for (const part of parts) {
    if (part.kind !== 'slot') runs.at(-1)?.push(part);
    else {
      slots.push(part);
      runs.push([]);
    }
  }
  return { runs: runs.map((run) => ({ parts: run, bytes: Buffer.concat(run.map(({ bytes }) => bytes)) })), slots };
}

/** The first byte that is another one, as far as the run can be followed from where it could have begun. */
function difference(page: Buffer, { parts, bytes }: Run, at: number): PageMatch {
  let equal = 0;
  while (equal < bytes.length && page[at + equal] === bytes[equal]) equal += 1;
  let end = 0;
  const part = parts.find((each) => (end += each.bytes.length) > equal);
  const before = page.subarray(0, at + equal).toString('latin1');
  return {
    kind: 'different',
    part: part?.kind === 'hole' ? part.name : "the main site's text",
    line: before.split('\n').length,
    column: before.length - before.lastIndexOf('\n'),
  };
}
