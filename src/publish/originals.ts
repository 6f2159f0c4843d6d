/** Reading originals while they are being published; they are the partner's and may change at any time. */
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { Bytes } from '../merge/plan.ts';
import { MAX_FILE_LENGTH } from '../protocol/release.ts';
import { statHere } from './look.ts';
import { checked } from './objects.ts';

/** The original page at `path`, which must be what was planned. @throws TIEUP_E_DRIFT when it is not. */
export function readOriginal(original: FileTree, path: string, planned: Bytes): AsyncIterable<Uint8Array> {
  return checked(original.stream(path, MAX_FILE_LENGTH), planned, () => changedOriginal(path));
}

/** The permission bits of a file, without those that change who runs it. */
export async function permissions(tree: FileTree, path: string): Promise<number> {
  return ((await statHere(tree, path))?.mode ?? 0o644) & 0o777;
}

function changedOriginal(path: string): TieupError {
  return new TieupError(
    'TIEUP_E_DRIFT',
    `the original page ${JSON.stringify(path)} changed while it was being published`,
    {
      hint: 'try again once nobody is editing the original folder',
    },
  );
}
