/** Reads the folder of assets: lengths and digests of all, the text of those that may refer to others. */
import { IMAGE_HEADER_LENGTH, readImageHeader } from '../content/image-header.ts';
import type { AssetSource } from '../content/source.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { ImageSizer } from '../io/image-sizer.ts';
import { sha256, sha256Stream } from '../protocol/digest.ts';
import { imageWidths } from './image-widths.ts';
import { ownFiles } from './own-files.ts';

export const MAX_ASSET = 2 ** 31 - 1;
/** Larger ones are data, whatever they are called. */
const MAX_TEXT = 4 * 1024 * 1024;
const TEXT = /\.(?:css|m?js|json|webmanifest|svg|xml|html?)$/i;

const IMAGE = /\.(?:png|jpe?g|gif|webp|avif)$/i;
/** Formats that can be made smaller and stay what they are. */
const RESIZED = /\.(?:png|jpe?g|webp|avif)$/i;

export interface Resizing {
  readonly sizer: ImageSizer;
  readonly widths: readonly number[];
  /** Names of the files that pages show. */
  readonly shown: ReadonlySet<string>;
}

/** @throws TIEUP_E_CONTENT when a picture that has to be made smaller cannot be read. */
export async function readAssets(
  files: FileTree,
  folder: string,
  resizing?: Resizing,
): Promise<readonly AssetSource[]> {
  const assets: AssetSource[] = [];
  for await (const { path, length } of ownFiles(files, folder)) {
    const file = `${folder}/${path}`;
    if (TEXT.test(path) && length <= MAX_TEXT) {
      const bytes = await files.read(file, MAX_TEXT);
      const size = path.toLowerCase().endsWith('.svg') ? readImageHeader(bytes)?.size : undefined;
      assets.push({ path, length: bytes.length, digest: sha256(bytes), text: utf8(bytes), size });
      continue;
    }
    const hash = sha256Stream();
    const start: Uint8Array[] = [];
    let kept = IMAGE.test(path) ? 0 : IMAGE_HEADER_LENGTH;
    for await (const chunk of files.stream(file, MAX_ASSET)) {
      hash.update(chunk);
      if (kept < IMAGE_HEADER_LENGTH) start.push(Uint8Array.from(chunk));
      kept += chunk.length;
    }
    const digest = hash.digest();
    const size = start.length === 0 ? undefined : readImageHeader(Buffer.concat(start))?.size;
    const resized =
      size !== undefined && RESIZED.test(path) && resizing?.shown.has(path.slice(path.lastIndexOf('/') + 1));
    const widths =
      resizing !== undefined && resized === true
        ? await imageWidths(files, resizing.sizer, { file, digest, width: size.width }, resizing.widths)
        : undefined;
    assets.push({ path, length, digest, size, widths });
  }
  return assets;
}

/** Undefined for bytes that are no UTF-8, which nobody can rewrite. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
