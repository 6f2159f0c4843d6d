/** Addresses in a page's text: to other pages, to assets, or elsewhere. */
import type { Problem } from '../errors.ts';
import { collisionKey } from '../protocol/names.ts';
import { addressBelow, ASSETS, decodePath, joinPath, publishedPath, relativeAddress } from './addresses.ts';
import type { AssetNames } from './assets.ts';
import type { AddressReference, AddressResolver, ResolvedAddress } from './markdown.ts';

/** What links can lead to. */
export interface LinkTargets {
  /** Source paths of the pages that are published; true when every partner gets the page. */
  readonly pages: ReadonlyMap<string, boolean>;
  /** The same paths by {@link foldPath}. */
  readonly folded: ReadonlyMap<string, string>;
  /** Former paths below the mount. */
  readonly aliases: ReadonlySet<string>;
  readonly assets: AssetNames;
  /** The main site's address. */
  readonly mainUrl: string;
}

/**
 * What a file system that ignores case takes for the same file: links that work on the writer's machine work at the
 * partner. No two pages are the same to it; that is an error of its own.
 */
export function foldPath(path: string): string {
  return collisionKey(path);
}

/**
 * The resolver for the page `page` (source path), published at `from` below the mount. Relative addresses stay relative, so
 * that a page has the same bytes under every mount. What leads nowhere is left as it is and reported in `warnings`.
 */
export function linkResolver(page: string, from: string, targets: LinkTargets, warnings: Problem[]): AddressResolver {
  const folder = page.split('/').slice(0, -1).join('/');

  const addressOfAsset = (path: string): string => relativeAddress(from, `${ASSETS}${path}`);
  const toPage = (target: string, suffix: string): ResolvedAddress => {
    const published = publishedPath(target);
    const near = `${relativeAddress(from, published)}${suffix}`;
    if (targets.pages.get(target) === true) return { kind: 'address', address: near };
    return { kind: 'page', page: target, near, far: `${addressBelow(targets.mainUrl, published)}${suffix}` };
  };

  return ({ address, kind, place }: AddressReference): ResolvedAddress => {
    // Absolute, network-path, fragment or query alone: not a file of this site.
    if (/^(?:[a-z][a-z0-9+.-]*:|\/\/|#|\?|$)/i.test(address)) return { kind: 'keep' };
    const [, written = '', suffix = ''] = /^([^?#]*)(.*)$/s.exec(address) ?? [];
    const path = decodePath(written);
    const absolute = path?.startsWith('/') === true;
    const below = path === undefined ? undefined : joinPath(absolute ? '' : folder, path);

    const target = below === undefined || kind !== 'link' ? undefined : pageOf(below, targets);
    if (target !== undefined) return toPage(target, suffix);
    const asset = assetOf(path, below, folder, absolute);
    if (asset !== undefined) {
      const name = targets.assets.refer(asset);
      if (name === undefined) warnings.push({ ...place, message: targets.assets.absence(asset) });
      const attributes = kind === 'image' ? targets.assets.imageAttributes(asset, addressOfAsset) : undefined;
      if (name !== undefined && attributes !== undefined)
        return { kind: 'image', address: `${addressOfAsset(name)}${suffix}`, attributes };
      return { kind: 'address', address: `${addressOfAsset(name ?? asset)}${suffix}` };
    }
    if (below !== undefined && targets.aliases.has(below)) {
      return { kind: 'address', address: `${relativeAddress(from, below)}${suffix}` };
    }
    // Below `/` are the partner's own pages as well, which are not known here.
    if (!absolute || /\.md$/i.test(written)) {
      const what = kind === 'link' ? 'a page' : 'an asset';
      warnings.push({ ...place, message: `${JSON.stringify(address)} does not lead to ${what} of this site` });
    }
    return { kind: 'keep' };
  };
}

/**
 * The asset an address means, which is written as it is in the folders (`../assets/x.png` in a page next to the folder
 * of assets), as it is published (`assets/x.png`), or from the top (`/assets/x.png`).
 */
function assetOf(
  path: string | undefined,
  below: string | undefined,
  folder: string,
  absolute: boolean,
): string | undefined {
  if (path === undefined) return undefined;
  const inSite = absolute ? undefined : joinPath(folder === '' ? 'pages' : `pages/${folder}`, path);
  for (const candidate of [below, inSite]) {
    if (candidate?.startsWith(ASSETS) === true && candidate.length > ASSETS.length)
      return candidate.slice(ASSETS.length);
  }
  return undefined;
}

function pageOf(path: string, { pages, folded }: LinkTargets): string | undefined {
  const bare = path.replace(/\/$/, '');
  const candidates =
    path === '' || path.endsWith('/')
      ? [bare === '' ? 'index.md' : `${bare}/index.md`]
      : [path, path.replace(/\.html$/i, '.md'), `${path}.md`, `${path}/index.md`];
  const named = candidates.filter((candidate) => /\.md$/i.test(candidate));
  const exact = named.find((candidate) => pages.has(candidate));
  if (exact !== undefined) return exact;
  for (const candidate of named) {
    const found = folded.get(foldPath(candidate));
    if (found !== undefined) return found;
  }
  return undefined;
}
