/** Looking at a tree of any owner: what is there, and what its bytes are. Follows no link, touches nothing. */
import { isTieupError } from '../errors.ts';
import type { FileEntry, FileStat, FileTree } from '../io/file-tree.ts';
import { forEachFile } from '../io/together.ts';
import type { Bytes } from '../merge/plan.ts';
import { sha256, sha256Stream } from '../protocol/digest.ts';
import { MAX_FILE_LENGTH } from '../protocol/release.ts';
import { within } from './ports.ts';

export interface Seen {
  /** From the folder that was asked for. */
  readonly path: string;
  /** `unnamable`: the name has a backslash or is not UTF-8, so that no tree can open it. */
  readonly kind: 'file' | 'folder' | 'link' | 'other' | 'unnamable';
  readonly length: number;
  readonly mode: number | undefined;
  /** ISO 8601 UTC. */
  readonly modified: string;
}

/** Everything below `base`, folders before what is in them; nothing when `base` is absent. */
export async function lookAround(tree: FileTree, base: string): Promise<readonly Seen[]> {
  const found: Seen[] = [];
  for (let level: readonly string[] = ['']; level.length > 0;) {
    const inside = new Map<string, readonly FileEntry[]>();
    await forEachFile([tree], level, async (folder) => inside.set(folder, await tree.list(within(base, folder))));
    const below: string[] = [];
    for (const folder of level) {
      for (const { name, kind, length, mode, modified } of inside.get(folder) ?? []) {
        const path = within(folder, name);
        const namable = !name.includes('\\') && !name.includes('\uFFFD');
        found.push({ path, kind: namable ? kind : 'unnamable', length, mode, modified });
        if (namable && kind === 'folder') below.push(path);
      }
    }
    level = below;
  }
  return found;
}

/** Up to this, one read and one hash call are faster than a stream. */
const SMALL = 1024 * 1024;

/** Length and SHA-256 of each of many regular files, paths below `base`; the order in which they are told is any. */
export async function identifyEach<File extends { readonly path: string; readonly length: number }>(
  tree: FileTree,
  base: string,
  files: Iterable<File>,
  tell: (file: File, bytes: Bytes) => void,
): Promise<void> {
  // Memory of its own for each would be most of the work.
  const rooms: Uint8Array[] = [];
  await forEachFile([tree], files, async (file) => {
    const room = rooms.pop() ?? new Uint8Array(SMALL);
    tell(file, await identify(tree, within(base, file.path), file.length, room));
    rooms.push(room);
  });
}

/** Length and SHA-256 of the regular file at `path`. */
async function identify(tree: FileTree, path: string, length: number, room?: Uint8Array): Promise<Bytes> {
  if (length <= SMALL) {
    const bytes = await tree.read(path, SMALL, room);
    return { length: bytes.length, digest: sha256(bytes) };
  }
  const hash = sha256Stream();
  let seen = 0;
  for await (const chunk of tree.stream(path, MAX_FILE_LENGTH)) {
    hash.update(chunk);
    seen += chunk.length;
  }
  return { length: seen, digest: hash.digest() };
}

/** Like {@link identify}, also for a link: its bytes are then its text behind an arrow. */
export async function identifyOwn(
  tree: FileTree,
  path: string,
  { kind, length }: Pick<Seen, 'kind' | 'length'>,
): Promise<Bytes> {
  return kind === 'link' ? linkBytes(await tree.readLink(path)) : identify(tree, path, length);
}

/** What stands in for the bytes of a link, so that links can be compared like files. */
export function linkBytes(target: string): Bytes {
  const text = new TextEncoder().encode(`-> ${target}`);
  return { length: text.length, digest: sha256(text) };
}

/** lstat; undefined also when a link is on the way, behind which nothing is of interest. */
export async function statHere(tree: FileTree, path: string): Promise<FileStat | undefined> {
  try {
    return await tree.stat(path);
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_UNSAFE_PATH')) return undefined;
    throw error;
  }
}

/** What is at `path` now: the bytes of a file, `nothing`, or `something` that is no file or lies behind a link. */
export async function whatIsAt(tree: FileTree, path: string): Promise<Bytes | 'nothing' | 'something'> {
  try {
    const stat = await tree.stat(path);
    if (stat === undefined) return 'nothing';
    return stat.kind === 'file' ? await identify(tree, path, stat.length) : 'something';
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_UNSAFE_PATH')) return 'something';
    if (isTieupError(error, 'TIEUP_E_NOT_FOUND')) return 'nothing';
    throw error;
  }
}

export function sameBytes(a: Bytes | 'nothing' | 'something', b: Bytes | null): boolean {
  if (b === null) return a === 'nothing';
  return typeof a === 'object' && a.length === b.length && a.digest === b.digest;
}
