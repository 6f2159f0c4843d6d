/** Opens the main site's kit and lays it out in `kit/` of a new partner site, beside its own pages and never among them. */
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { NewFile } from '../io/new-files.ts';
import type { Invitation } from '../protocol/invitation.ts';
import { openKit, type KitFile } from '../protocol/kit.ts';

export const KIT_FOLDER = 'kit';

const opened: unique symbol = Symbol('opened');

/** A kit that {@link openKitOf} has verified; nothing else makes one. */
export interface OpenedKit {
  readonly files: readonly KitFile[];
  readonly [opened]: true;
}

/**
 * Checks a kit against its invitation and makes nothing.
 * @throws TIEUP_E_VERIFY when a byte is altered, missing or too much, or the invitation names no kit; TIEUP_E_UNSAFE_PATH.
 */
export function openKitOf(invitation: Invitation, bytes: Uint8Array): OpenedKit {
  if (invitation.kit === undefined) {
    throw new TieupError('TIEUP_E_VERIFY', 'the invitation names no kit, so nobody vouches for this one', {
      hint: 'join without it, or ask the main site for a new invitation',
    });
  }
  return { files: openKit(bytes, invitation.kit), [opened]: true };
}

/**
 * The files to write; those that an interrupted `join` left are there already.
 * @throws TIEUP_E_EXISTS with every path at which something else stands; TIEUP_E_UNSAFE_PATH at a link.
 */
export async function planKit(files: FileTree, kit: OpenedKit): Promise<readonly NewFile[]> {
  const missing: NewFile[] = [];
  const taken: string[] = [];
  for (const { path, bytes } of kit.files) {
    const place = `${KIT_FOLDER}/${path}`;
    const there = await files.stat(place);
    if (there === undefined) missing.push({ path: place, content: bytes });
    else if (!(there.kind === 'file' && (await holds(files, place, bytes)))) taken.push(place);
  }
  if (taken.length === 0) return missing;
  throw new TieupError('TIEUP_E_EXISTS', `${taken.length === 1 ? 'a file is' : 'files are'} in the way of the kit`, {
    problems: taken.map((file) => ({ file, message: 'exists already, with other content' })),
    hint: 'move these away; nothing was made',
  });
}

async function holds(files: FileTree, path: string, bytes: Uint8Array): Promise<boolean> {
  const stat = await files.stat(path);
  if (stat?.length !== bytes.length) return false;
  return Buffer.compare(await files.read(path, bytes.length), bytes) === 0;
}
