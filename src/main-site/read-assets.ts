/** Reads the folder of assets: lengths and digests of all, the text of those that may refer to others. */
import type { AssetSource } from '../content/source.ts';
import type { FileTree } from '../io/file-tree.ts';
import { walkFiles } from '../io/walk.ts';
import { sha256, sha256Stream } from '../protocol/digest.ts';

export const MAX_ASSET = 2 ** 31 - 1;
/** Larger ones are data, whatever they are called. */
const MAX_TEXT = 4 * 1024 * 1024;
const TEXT = /\.(?:css|m?js|json|webmanifest|svg|xml|html?)$/i;

export async function readAssets(files: FileTree, folder: string): Promise<readonly AssetSource[]> {
  const assets: AssetSource[] = [];
  for await (const { path, length } of walkFiles(files, folder)) {
    const file = `${folder}/${path}`;
    if (TEXT.test(path) && length <= MAX_TEXT) {
      const bytes = await files.read(file, MAX_TEXT);
      assets.push({ path, length: bytes.length, digest: sha256(bytes), text: utf8(bytes) });
      continue;
    }
    const digest = sha256Stream();
    for await (const chunk of files.stream(file, MAX_ASSET)) digest.update(chunk);
    assets.push({ path, length, digest: digest.digest() });
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
