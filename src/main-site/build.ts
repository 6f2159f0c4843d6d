/**
 * Renders the pages of each partner into a folder, to look at them. Needs no keys and no connection.
 *
 *   pages → site → files below <out>/<partner>/
 */
import { loadSite } from './load-site.ts';
import type { Problem } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { judgeContent } from './judge-content.ts';
import { recall } from './learn-remote.ts';
import { MAX_ASSET } from './read-assets.ts';
import type { MainSite } from './main-site.ts';
import { partnerView } from './partner-view.ts';
import { loadPartnerships } from './partnerships.ts';
import { planRelease, type PlannedFile } from './plan-release.ts';

export interface BuiltPartner {
  readonly partner: string;
  /** Where its pages live: `/with-main/`. */
  readonly mount: string;
  readonly pages: number;
  readonly files: number;
  readonly bytes: number;
}

export interface Build {
  readonly partners: readonly BuiltPartner[];
  /** What is worth mending though the site can be built, such as links that lead nowhere. */
  readonly warnings: readonly Problem[];
}

/**
 * Writes below `out`, one folder a partner; without `out` everything is rendered and nothing written.
 * @param at for which the pages are rendered: they come and go by date
 */
export async function build(
  site: MainSite,
  partners: readonly string[],
  out: FileTree | undefined,
  at: Date = site.clock.now(),
): Promise<Build> {
  const partnerships = await loadPartnerships(site, partners);
  const compiled = await loadSite(site.config, site.files, at);
  const built: BuiltPartner[] = [];
  for (const partnership of partnerships) {
    const sent = (await recall(site, partnership.id))?.base;
    const base = sent?.release;
    const files = compiled.filesFor(partnerView(partnership));
    const plan = planRelease({ files, base, number: (base?.release ?? 0) + 1, termsDiffer: false });
    await judgeContent(site, partnership, plan, sent);
    const planned = plan.files;
    if (out !== undefined) await writeFiles(site, out, partnership.id, planned);
    built.push({
      partner: partnership.id,
      mount: partnership.mount,
      pages: planned.filter(({ file }) => file.page !== undefined).length,
      files: planned.length,
      bytes: planned.reduce((sum, { file }) => sum + file.length, 0),
    });
  }
  return { partners: built, warnings: compiled.warnings };
}

async function writeFiles(
  site: MainSite,
  out: FileTree,
  partner: string,
  planned: readonly PlannedFile[],
): Promise<void> {
  const folder = `${site.config.folders.assets}/`;
  for (const { file, content } of planned) {
    const path = `${partner}/${file.path}`;
    const bytes = content.kind === 'bytes' ? content.render() : site.files.stream(folder + content.asset, MAX_ASSET);
    await out.write(path, bytes, { durable: false });
  }
}
