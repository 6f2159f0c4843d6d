/** Where something stands in a text, as editors count. */
import type { Place } from './segment.ts';

/** @param offset in UTF-16 code units */
export function placeAt(file: string, text: string, offset: number): Place {
  const before = text.slice(0, offset);
  return { file, line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
