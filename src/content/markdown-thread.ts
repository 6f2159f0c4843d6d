/** The Markdown engine on a thread of its own; see io/threads.ts and compile-on-threads.ts. */
import { TieupError } from '../errors.ts';
import { packFragment, type FragmentParcel } from './fragment-parcel.ts';
import type { MarkdownSource } from './markdown.ts';
import { unifiedEngine } from './unified-engine.ts';

export function serve(): (message: unknown) => Promise<FragmentParcel> {
  return async (message) => {
    if (!isSource(message)) throw new TieupError('TIEUP_E_FAILED', 'the thread that reads Markdown was sent no text');
    return packFragment(await unifiedEngine.compile(message));
  };
}

// Messages come from compile-on-threads.ts in the same process; what is checked is that they are not mixed up.
function isSource(value: unknown): value is MarkdownSource {
  return typeof value === 'object' && value !== null && 'text' in value && 'idPrefix' in value;
}
