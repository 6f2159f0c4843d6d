/** A fragment on its way from the thread that compiled it. */
import { TieupError } from '../errors.ts';
import { decodeParts, encodeParts } from './fragment-code.ts';
import type { MarkdownFragment, TextProblem } from './fragment.ts';

/** `bytes` change sides; see io/threads.ts. */
export interface FragmentParcel {
  readonly message: { readonly bytes: Uint8Array<ArrayBuffer>; readonly problems: readonly TextProblem[] };
  readonly transfer: readonly ArrayBuffer[];
}

export function packFragment({ parts, problems }: MarkdownFragment): FragmentParcel {
  const bytes = encodeParts(parts);
  return { message: { bytes, problems }, transfer: [bytes.buffer] };
}

/** @throws TIEUP_E_FAILED when it is something else. */
export function unpackFragment(answer: unknown): MarkdownFragment {
  const parts = isAnswer(answer) ? decodeParts(answer.bytes) : undefined;
  if (parts === undefined || !isAnswer(answer)) {
    throw new TieupError('TIEUP_E_FAILED', 'the thread that reads Markdown gave no fragment');
  }
  return { parts, problems: answer.problems };
}

// The other side is of this process; what is checked is that answers are not mixed up.
function isAnswer(value: unknown): value is FragmentParcel['message'] {
  return typeof value === 'object' && value !== null && 'bytes' in value && 'problems' in value;
}
