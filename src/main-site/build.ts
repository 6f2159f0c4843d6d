/**
 * Renders the pages of each partner into a folder, to look at them. Needs no keys and no connection.
 *
 *   pages → site → files below <out>/<partner>/
 */
import { loadSite } from './load-site.ts';
import type { Problem } from '../errors.ts';
import type { SiteFile } from '../content/compiled-site.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { FileStamp, OutputFolder } from '../io/output-folder.ts';
import { readBuildRecord, writeBuildRecord, type BuiltFile } from './build-record.ts';
import { LinkFindings, type LinkFinding } from './check-links.ts';
import { judgeContent } from './judge-content.ts';
import { recall } from './learn-remote.ts';
import { MAX_ASSET } from './read-assets.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerView } from './partner-view.ts';
import { loadPartnerships } from './partnerships.ts';
import { planRelease, type ContentSource, type PlannedFile } from './plan-release.ts';
import { sha256 } from '../protocol/digest.ts';
import type { Release, ReleaseFile, ReleasePage } from '../protocol/release.ts';

export interface BuiltPartner {
  readonly partner: string;
  /** Where its pages live: `/with-main/`. */
  readonly mount: string;
  readonly pages: number;
  readonly files: number;
  readonly bytes: number;
  /** Files that were not there yet as they are. */
  readonly written: number;
}

/**
 * Why a file was written, or that it was not: `new` no build has written it · `gone` it is not there any more · `touched` somebody
 * else has changed it · `content` its text, its front matter or its template are others · `filled` what is filled in for the
 * partner is: a value, the navigation, where a link leads · `same` nothing is.
 */
export type BuildReason = 'new' | 'gone' | 'touched' | 'content' | 'filled' | 'same';

export interface Explanation {
  readonly partner: string;
  /** From the partner's web root. */
  readonly path: string;
  /** The main site's file. */
  readonly source: string;
  readonly reason: BuildReason;
}

export interface Build {
  readonly partners: readonly BuiltPartner[];
  /** Of the page that was asked for; empty when nothing comes of it. */
  readonly explained: readonly Explanation[];
  /** What is worth mending though the site can be built, such as links that lead nowhere. */
  readonly warnings: readonly Problem[];
  /** What leads nowhere; undefined unless it was looked for. */
  readonly findings: readonly LinkFinding[] | undefined;
}

/** Where a build goes. */
export interface BuildOutput {
  readonly files: FileTree;
  /** The same folder, for what comes in bulk. */
  readonly folder: OutputFolder;
  /** A file of the main site, `pages/guide/intro.md`, of which is wanted why it is written. */
  readonly explain?: string | undefined;
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
  const partnerships = await loadPartnerships(site, partners);
  const compiled = await loadSite(site, at);
  const built: BuiltPartner[] = [];
  const explained: Explanation[] = [];
  const links = out === undefined ? new LinkFindings(site) : undefined;
  for (const partnership of partnerships) {
    const sent = (await recall(site, partnership.id))?.base;
    const published = compiled.filesFor(await loadPartnerView(site, partnership));
    const files = filesToBuild(published, sent?.release);
    await judgeContent(site, partnership, { files, termsDiffer: false }, sent);
    await links?.check(partnership, published, files);
    const { bytes, written } =
      out === undefined
        ? { bytes: bytesOf(files), written: 0 }
        : await writeFiles(site, out, partnership.id, files, explained);
    built.push({
      partner: partnership.id,
      mount: partnership.mount,
      pages: files.filter(({ file }) => file.page !== undefined).length,
      files: files.length,
      bytes,
      written,
    });
  }
  const findings = links?.all;
  const found = new Set(findings?.map(lineOf));
  return {
    partners: built,
    explained,
    warnings: compiled.warnings.filter((each) => !found.has(lineOf(each))),
    findings,
  };
}

/** A warning in a line where something was found would say the same again. */
function lineOf({ file, line }: Problem): string {
  return `${file}:${line}`;
}

interface BuildFile extends PlannedFile {
  /** Differs whenever the content does. */
  readonly key: string;
  /** The main site's file that it comes from. */
  readonly source: string;
}

/** What a push would send. */
function filesToBuild(files: readonly SiteFile[], base: Release | undefined): readonly BuildFile[] {
  if (base === undefined) return files.map(firstFile);
  const planned = planRelease({ files, base, number: base.release + 1, termsDiffer: false }).files;
  return planned.map((each, index) => {
    const from = files[index];
    const key = from?.kind === 'page' ? from.key(each.file.since) : each.file.digest;
    return { ...each, key, source: from?.file ?? '' };
  });
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

async function writeFiles(
  site: MainSite,
  { files: tree, folder, explain: explained }: BuildOutput,
  partner: string,
  files: readonly BuildFile[],
  because: Explanation[],
): Promise<{ readonly bytes: number; readonly written: number }> {
  const before = await readBuildRecord(site.files, folder.label, partner);
  const after = new Map<string, BuiltFile>();
  let bytes = 0;
  let written = 0;
  for (const { file, content, key, source } of files) {
    const path = `${partner}/${file.path}`;
    const known = before.get(file.path);
    let stamp = folder.stamp(path);
    const reason = reasonToWrite(key, known, stamp);
    if (source === explained) because.push({ partner, path: file.path, source, reason });
    if (stamp === undefined || reason !== 'same') {
      written++;
      if (content.kind === 'bytes') stamp = folder.write(path, content.render());
      else {
        const asset = site.files.stream(`${site.config.folders.assets}/${content.asset}`, MAX_ASSET);
        await tree.write(path, asset, { durable: false });
        stamp = folder.stamp(path) ?? { length: file.length, modifiedMs: 0 };
      }
    }
    bytes += stamp.length;
    after.set(file.path, { key, ...stamp });
  }
  folder.close();
  if (written > 0) await writeBuildRecord(site.files, folder.label, partner, after);
  return { bytes, written };
}

function reasonToWrite(key: string, known: BuiltFile | undefined, stamp: FileStamp | undefined): BuildReason {
  if (known === undefined) return 'new';
  if (stamp === undefined) return 'gone';
  if (stamp.length !== known.length || stamp.modifiedMs !== known.modifiedMs) return 'touched';
  if (known.key === key) return 'same';
  const [constants] = key.split('-');
  return known.key.split('-')[0] === constants ? 'filled' : 'content';
}
