/**
 * A compiled text that knows nothing of the page and the site it stands in: constant HTML and what is left to be filled.
 *
 * Places are those of the text itself, and addresses are as they were written. So a fragment stays good as long as its
 * text does, wherever that moves and whatever pages come and go around it.
 */
import type { Problem } from '../errors.ts';
import type { HoleContext } from './encode.ts';
import type { NamedHole, Place, SlotHole } from './segment.ts';

export interface MarkdownFragment {
  readonly parts: readonly FragmentPart[];
  readonly problems: readonly TextProblem[];
}

/** Where something stands in a text; both 1-based, the column in UTF-16 code units. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

export interface TextProblem extends TextPlace {
  readonly message: string;
}

/** Bytes are UTF-8, as strings are once they have been stored. */
export type FragmentPart = string | Uint8Array | FragmentHole;

export type FragmentHole =
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly context: HoleContext;
      readonly follow?: boolean;
      readonly at: TextPlace;
    }
  | { readonly kind: 'slot-start'; readonly name: string; readonly at: TextPlace }
  | { readonly kind: 'slot-end'; readonly name: string }
  /** Stands for nothing: what the sanitiser took away there. */
  | { readonly kind: 'dropped'; readonly message: string; readonly at: TextPlace }
  /** The whole of an attribute in double quotes; to be escaped for it. */
  | { readonly kind: 'reference'; readonly address: string; readonly use: AddressUse; readonly at: TextPlace };

/** What a visitor follows, what the page shows, or `src` of a picture that has no size of its own. */
export type AddressUse = 'link' | 'source' | 'image';

/** A fragment's part in the file that its text comes from. */
export type PlacedPart =
  | string
  | Uint8Array
  | NamedHole
  | SlotHole
  | { readonly kind: 'reference'; readonly address: string; readonly use: AddressUse; readonly place: Place };

/**
 * @param place where a place of the text is in the file that it comes from
 * @param warnings what was dropped is added
 */
export function placeParts(
  parts: readonly FragmentPart[],
  place: (at: TextPlace) => Place,
  warnings: Problem[],
): readonly PlacedPart[] {
  return parts.flatMap((part): PlacedPart[] => {
    if (typeof part === 'string' || part instanceof Uint8Array || part.kind === 'slot-end') return [part];
    if (part.kind === 'dropped') {
      warnings.push({ ...place(part.at), message: part.message });
      return [];
    }
    const { at, ...rest } = part;
    return [{ ...rest, place: place(at) }];
  });
}
