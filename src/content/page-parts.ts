/** What a page is put together from, and how its slots are told from the rest. */
import type { PlacedPart } from './fragment.ts';
import type { Part, SlotHole } from './segment.ts';

export type PagePart = Part | PlacedPart;
export type Reference = Extract<PlacedPart, { kind: 'reference' }>;

export function isBlank(part: PagePart): boolean {
  if (part instanceof Uint8Array) return part.every((byte) => byte <= 0x20);
  return typeof part === 'string' && part.trim() === '';
}

export function isSlotStart(part: PagePart): part is SlotHole & { kind: 'slot-start' } {
  return typeof part === 'object' && 'kind' in part && part.kind === 'slot-start';
}

export function isSlotEnd(part: PagePart): part is SlotHole & { kind: 'slot-end' } {
  return typeof part === 'object' && 'kind' in part && part.kind === 'slot-end';
}
