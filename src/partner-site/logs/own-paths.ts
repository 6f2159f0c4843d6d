/**
 * At which paths the partner has something of its own where tie-up files would be looked for: pages of the release that it withholds,
 * keeps as its own or has renamed, and files of its own whose short address is that of a tie-up page as well (`x.html` beside
 * `x/index.html`). Said to the main site with every live switch, so that it does not take hits on them for hidden ones.
 */
import { isTieupError } from '../../errors.ts';
import { treePathOf, within } from '../../publish/ports.ts';
import { readLedger } from '../../publish/records.ts';
import { readKept } from '../accepted-release.ts';
import type { PartnerSite } from '../partner-site.ts';

const INDEX = /(?:^|\/)index\.html?$/;
const HTML = /\.html?$/;

/** Sorted. Of the publication that is live now. */
export async function ownPaths(
  site: PartnerSite,
  publication: number,
  release: { readonly digest: string } | null,
): Promise<readonly string[]> {
  if (release === null) return [];
  const entries = [...(await readLedger(site.ports.state, publication)).entries.values()];
  const tieUp = new Set(entries.filter((each) => each.release > 0).map(({ path }) => path));
  const leftOut = (await releasePaths(site, release.digest)).filter((path) => !tieUp.has(path));
  const beside = await filesBeside(site, treePathOf(site.layout, publication), tieUp);
  return [...new Set([...leftOut, ...beside])].toSorted();
}

/** Empty when the release is not kept any more: then nothing can be said of it. */
async function releasePaths(site: PartnerSite, digest: string): Promise<readonly string[]> {
  try {
    return (await readKept(site, digest)).release.files.map(({ path }) => path);
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_NOT_FOUND')) return [];
    throw error;
  }
}

/** Files in the live tree that are not tieup's, and by their short address could be taken for one that is. */
async function filesBeside(site: PartnerSite, tree: string, tieUp: ReadonlySet<string>): Promise<readonly string[]> {
  const folders = new Map<string, Promise<ReadonlySet<string>>>();
  const filesIn = (folder: string): Promise<ReadonlySet<string>> => {
    const found = folders.get(folder) ?? namesIn(site, within(tree, folder));
    folders.set(folder, found);
    return found;
  };
  const found: string[] = [];
  for (const path of tieUp) {
    for (const other of namesakes(path)) {
      if (tieUp.has(other)) continue;
      const slash = other.lastIndexOf('/');
      if ((await filesIn(other.slice(0, Math.max(0, slash)))).has(other.slice(slash + 1))) found.push(other);
    }
  }
  return found;
}

async function namesIn({ ports: { web } }: PartnerSite, folder: string): Promise<ReadonlySet<string>> {
  // A folder that is not there, or something else by that name, holds no file.
  if ((await web.stat(folder))?.kind !== 'folder') return new Set();
  return new Set((await web.list(folder)).filter(({ kind }) => kind !== 'folder').map(({ name }) => name));
}

/** Paths of which a short address is also one of the page at `path`. */
function namesakes(path: string): readonly string[] {
  const stem = INDEX.test(path) ? path.replace(INDEX, '') : path.replace(HTML, '');
  // The page of the web root has no short address but `/`, and no file is an asset by another name.
  if (stem === '' || stem === path) return [];
  return [stem, `${stem}.html`, `${stem}.htm`, `${stem}/index.html`, `${stem}/index.htm`].filter(
    (each) => each !== path,
  );
}
