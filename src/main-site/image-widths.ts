/** Pictures of pages in smaller widths, made once and kept by the digest of what they were made of. */
import type { ImageWidth } from '../content/source.ts';
import { isTieupError, TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { ImageSizer } from '../io/image-sizer.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';

const FOLDER = '.tieup/cache/images';
const MAX_PICTURE = 64 * 1024 * 1024;
const DIGEST_LENGTH = 64;

export interface Picture {
  /** From the site's folder. */
  readonly file: string;
  readonly digest: string;
  /** Pixels. */
  readonly width: number;
}

/** @throws TIEUP_E_CONTENT when the picture cannot be read. */
export async function imageWidths(
  files: FileTree,
  sizer: ImageSizer,
  picture: Picture,
  widths: readonly number[],
): Promise<readonly ImageWidth[]> {
  const made: ImageWidth[] = [];
  for (const width of [...new Set(widths)].toSorted((a, b) => a - b)) {
    // Enlarging makes a file larger and no picture better.
    if (width >= picture.width) continue;
    const path = `${FOLDER}/${picture.digest}-${width}-${sizer.version.replaceAll(/[^\w.-]/g, '_')}`;
    const bytes = (await kept(files, path)) ?? (await make(files, sizer, picture, width));
    made.push({ width, bytes });
    if ((await files.stat(path)) === undefined) await keep(files, path, bytes);
  }
  return made;
}

async function make(files: FileTree, sizer: ImageSizer, { file, digest }: Picture, width: number): Promise<Uint8Array> {
  const bytes = await files.read(file, MAX_PICTURE);
  if (sha256(bytes) !== digest) {
    throw new TieupError('TIEUP_E_DRIFT', `${file} changed while it was being read`, { hint: 'run the command again' });
  }
  try {
    return await sizer.resize(bytes, width);
  } catch (cause) {
    if (!isTieupError(cause, 'TIEUP_E_CONTENT')) throw cause;
    throw new TieupError('TIEUP_E_CONTENT', `${file}: ${cause.message}`, {
      cause,
      problems: [{ file, message: cause.message }],
    });
  }
}

/** What was kept is a digest of its bytes, then the bytes; anything else is made anew. */
async function kept(files: FileTree, path: string): Promise<Uint8Array | undefined> {
  const found = await readIfThere(files, path, MAX_PICTURE + DIGEST_LENGTH);
  if (found === undefined) return undefined;
  const bytes = found.subarray(DIGEST_LENGTH);
  if (new TextDecoder().decode(found.subarray(0, DIGEST_LENGTH)) === sha256(bytes)) return bytes;
  await files.remove(path);
  return undefined;
}

async function keep(files: FileTree, path: string, bytes: Uint8Array): Promise<void> {
  await files.write(path, Buffer.concat([Buffer.from(sha256(bytes)), bytes]), { durable: false });
}
