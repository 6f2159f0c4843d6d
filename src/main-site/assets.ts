/**
 * The bytes of assets, for whoever judges or sends them. They were read before, when the site was compiled: one that was edited
 * since must not be signed for.
 */
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { sha256, sha256Stream } from '../protocol/digest.ts';
import type { SharedChunks } from '../protocol/pack.ts';
import type { MainSite } from './main-site.ts';
import { MAX_ASSET } from './read-assets.ts';

export interface Assets {
  /** Kept for who asks next, the packer after the judge and the next partner. @param path below the folder of assets. @throws TIEUP_E_DRIFT */
  read(path: string, digest: string): Promise<Uint8Array>;
  /** @throws TIEUP_E_DRIFT at its end */
  stream(path: string, digest: string): AsyncIterable<Uint8Array>;
  /** What packs of assets were compressed to, for the next partner who is sent the same. */
  readonly chunks: SharedChunks;
}

/** Bytes of assets that are kept. */
const KEPT = 32 * 1024 * 1024;

/** Compressed chunks of assets that are kept, a megabyte or less each. */
const KEPT_CHUNKS = 16;

const opened = new WeakMap<FileTree, Assets>();

/** The same one for everybody who works on this site. */
export function assetsOf({ files, config }: Pick<MainSite, 'files' | 'config'>): Assets {
  const assets = opened.get(files) ?? openAssets(files, config.folders.assets);
  opened.set(files, assets);
  return assets;
}

function openAssets(files: FileTree, folder: string): Assets {
  /** By digest; those that were not asked for the longest come first. */
  const kept = new Map<string, Uint8Array>();
  let keptLength = 0;
  const keep = (digest: string, bytes: Uint8Array): void => {
    if (bytes.length > KEPT / 8) return;
    kept.set(digest, bytes);
    keptLength += bytes.length;
    for (const [oldest, { length }] of kept) {
      if (keptLength <= KEPT) return;
      kept.delete(oldest);
      keptLength -= length;
    }
  };
  const chunks = new Map<string, Promise<Uint8Array>>();
  const edited = (path: string): TieupError =>
    new TieupError('TIEUP_E_DRIFT', `${folder}/${path} changed while it was being pushed`, {
      hint: 'nothing of this release can be seen; push again when nobody edits it',
    });
  return {
    read: async (path, digest) => {
      const known = kept.get(digest);
      if (known !== undefined) {
        kept.delete(digest);
        kept.set(digest, known);
        return known;
      }
      const bytes = await files.read(`${folder}/${path}`, MAX_ASSET);
      if (sha256(bytes) !== digest) throw edited(path);
      if (!kept.has(digest)) keep(digest, bytes);
      return bytes;
    },
    stream: async function* stream(path, digest) {
      const hash = sha256Stream();
      for await (const chunk of files.stream(`${folder}/${path}`, MAX_ASSET)) {
        hash.update(chunk);
        yield chunk;
      }
      if (hash.digest() !== digest) throw edited(path);
    },
    chunks: {
      get: (key) => chunks.get(key),
      set(key, chunk) {
        chunks.set(key, chunk);
        for (const oldest of chunks.keys()) {
          if (chunks.size <= KEPT_CHUNKS) break;
          chunks.delete(oldest);
        }
      },
    },
  };
}
