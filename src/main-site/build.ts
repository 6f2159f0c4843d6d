/**
 * Renders the pages of each partner into a folder, to look at them. Needs no keys and no connection.
 *
 *   pages → site → files below <out>/<partner>/
 */
import { CONFIG_FILE } from '../config/config-file.ts';
import { nextChange } from '../content/schedule.ts';
import { loadSite } from './load-site.ts';
import type { Problem } from '../errors.ts';
import type { SiteFile } from '../content/compiled-site.ts';
import { recordReads } from '../io/recorded-reads.ts';
import { keepLastBuild } from './last-build.ts';
import { ASSETS } from '../content/addresses.ts';
import { LinkFindings, type LinkFinding } from './check-links.ts';
import { judgeContent } from './judge-content.ts';
import { planKnowing } from './known-outputs.ts';
import { recall } from './learn-remote.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerView } from './partner-view.ts';
import { loadPartnerships } from './partnerships.ts';
import type { ContentSource } from './plan-release.ts';
import { sha256 } from '../protocol/digest.ts';
import type { Release, ReleaseFile, ReleasePage } from '../protocol/release.ts';
import {
  removeBuilds,
  writeBuild,
  type BuildFile,
  type BuildOutput,
  type Explanation,
  type GonePartner,
} from './write-build.ts';

export interface BuiltPartner {
  readonly partner: string;
  /** Where its pages live: `/with-main/`. */
  readonly mount: string;
  readonly pages: number;
  readonly files: number;
  readonly bytes: number;
  /** Files that were not there yet as they are. */
  readonly written: number;
  /** Files of an earlier build, of pages that are gone. */
  readonly removed: number;
}

export interface Build {
  readonly partners: readonly BuiltPartner[];
  /** Of the page that was asked for; empty when nothing comes of it. */
  readonly explained: readonly Explanation[];
  /** Partners that there are no more, and what an earlier build wrote for them. */
  readonly gone: readonly GonePartner[];
  /** What is worth mending though the site can be built, such as links that lead nowhere. */
  readonly warnings: readonly Problem[];
  /** What leads nowhere; undefined unless it was looked for. */
  readonly findings: readonly LinkFinding[] | undefined;
}

/**
 * Writes below `out`, one folder a partner, and only what is not there as an earlier build wrote it; without `out` nothing
 * is written, and everything is checked instead.
 * @param at for which the pages are rendered: they come and go by date
 */
export async function build(
  site: MainSite,
  partners: readonly string[],
  out: BuildOutput | undefined,
  at: Date = site.clock.now(),
): Promise<Build> {
  const reads = recordReads(site.files);
  const recorded = { ...site, files: reads.tree };
  const partnerships = await loadPartnerships(recorded, partners);
  const compiled = await loadSite(recorded, at);
  const built: BuiltPartner[] = [];
  const explained: Explanation[] = [];
  const links = out === undefined ? new LinkFindings(site) : undefined;
  for (const partnership of partnerships) {
    const sent = (await recall(recorded, partnership.id))?.base;
    const view = await loadPartnerView(recorded, partnership);
    const published = compiled.filesFor(view);
    const files = await filesToBuild(site, partnership.id, published, sent?.release);
    await judgeContent(site, partnership, { files, termsDiffer: false }, sent);
    await links?.check(view, published, files);
    const { bytes, written, removed } =
      out === undefined
        ? { bytes: bytesOf(files), written: 0, removed: 0 }
        : await writeBuild(site, out, partnership.id, files, explained);
    built.push({
      partner: partnership.id,
      mount: partnership.mount,
      pages: files.filter(({ file }) => file.page !== undefined).length,
      files: files.length,
      bytes,
      written,
      removed,
    });
  }
  const known = new Set(partnerships.map(({ id }) => id));
  const gone = out === undefined || partners.length > 0 ? [] : await removeBuilds(site, out.folder, known);
  const findings = links?.all;
  const warnings = compiled.warnings.filter((each) => findings?.some((finding) => saysIt(finding, each)) !== true);
  const readings = reads.readings();
  if (out?.keep !== undefined && readings !== undefined) {
    const { tool, config } = out.keep;
    const made = { tool, partners, from: at.toISOString(), until: nextChange(compiled.scheduled, at) ?? null };
    const all = [{ kind: 'file', path: CONFIG_FILE, found: config } as const, ...readings];
    await keepLastBuild(site.files, out.folder.label, { ...made, readings: all, built, warnings });
  }
  return { partners: built, explained, gone, warnings, findings };
}

/** A warning in a line where something was found would say the same again. */
/** Whether a finding is about the address of a warning, which then need not be said as well. */
function saysIt({ file, line, address }: LinkFinding, warning: Problem): boolean {
  if (file !== warning.file || line !== warning.line) return false;
  const below = address.slice(address.lastIndexOf(ASSETS) + ASSETS.length);
  return [address, ...(address.includes(ASSETS) ? [below] : [])].some((each) =>
    warning.message.includes(JSON.stringify(each)),
  );
}

/** What a push would send, in the order of `files`. */
export async function filesToBuild(
  site: MainSite,
  partner: string,
  files: readonly SiteFile[],
  base: Release | undefined,
): Promise<readonly BuildFile[]> {
  if (base === undefined) return files.map(firstFile);
  const plan = await planKnowing(site, partner, { files, base, number: base.release + 1, termsDiffer: false });
  return plan.files.map((each, index) => ({
    ...each,
    key: each.key ?? each.file.digest,
    source: files[index]?.file ?? '',
    includes: includesOf(files[index]),
  }));
}

function includesOf(file: SiteFile | undefined): readonly string[] {
  return file?.kind === 'page' ? file.includes : [];
}

/** A file of a first release, whose digest nobody needs before there is one. */
function firstFile(file: SiteFile): BuildFile {
  if (file.kind === 'asset') {
    const { path, length, digest, bytes, asset } = file;
    const content: ContentSource =
      bytes === undefined ? { kind: 'asset', asset } : { kind: 'bytes', render: () => bytes };
    return { source: file.file, key: digest, file: { path, length, digest, since: 1 }, content };
  }
  const render = (): Uint8Array => (file.kind === 'page' ? file.render(1).bytes : file.render());
  if (file.kind !== 'page')
    return {
      source: file.file,
      key: sha256(render()),
      file: new LazyFile(file.path, render),
      content: { kind: 'bytes', render },
    };
  const { inherit, title } = file;
  const page: ReleasePage = { inherit, title, change: 'added', slots: [] };
  return {
    source: file.file,
    includes: file.includes,
    key: file.key(1),
    file: new LazyFile(file.path, render, page),
    content: { kind: 'bytes', render, alike: () => file.alike() },
  };
}

/** Rendered when somebody asks for what only its bytes can tell. */
class LazyFile implements ReleaseFile {
  readonly path: string;
  readonly since = 1;
  readonly page?: ReleasePage;
  readonly #render: () => Uint8Array;

  constructor(path: string, render: () => Uint8Array, page?: ReleasePage) {
    this.path = path;
    this.#render = render;
    if (page !== undefined) this.page = page;
  }

  get length(): number {
    return this.#render().length;
  }

  get digest(): string {
    return sha256(this.#render());
  }
}

function bytesOf(files: readonly BuildFile[]): number {
  return files.reduce((sum, { file }) => sum + file.length, 0);
}
