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

/** What stands in an attribute in double quotes; for a picture also further attributes, the last of which is left open. */
export function referenceText(resolved: Exclude<ResolvedAddress, { kind: 'page' }>, written: string): string {
  if (resolved.kind === 'keep') return escapeAttribute(written);
  const attributes = resolved.kind === 'image' ? Object.entries(resolved.attributes) : [];
  const further = attributes.map(([name, value]) => `" ${name}="${escapeAttribute(value)}`);
  return `${escapeAttribute(resolved.address)}${further.join('')}`;
}
