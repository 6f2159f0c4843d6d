/** What a page is put together from, and how its slots are told from the rest. */
import { escapeAttribute } from './encode.ts';
import type { PlacedPart } from './fragment.ts';
import type { ResolvedAddress } from './markdown.ts';
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

/** The rest of an attribute in double quotes, and further ones, the last of which is left open. */
export function imageText({ address, attributes }: Extract<ResolvedAddress, { kind: 'image' }>): string {
  const others = Object.entries(attributes).map(([name, value]) => `" ${name}="${escapeAttribute(value)}`);
  return `${escapeAttribute(address)}${others.join('')}`;
}
