/** One partner's site as it would be once the partner has accepted the pages as they are now: what stands at which address. */
import type { Partnership } from '../../config/partnership.ts';
import type { CompiledSite, SiteFile } from '../../content/compiled-site.ts';
import type { Problem } from '../../errors.ts';
import { sha256 } from '../../protocol/digest.ts';
import { filesToBuild } from '../build.ts';
import { judgeContent } from '../judge-content.ts';
import { recall } from '../learn-remote.ts';
import type { MainSite } from '../main-site.ts';
import { loadPartnerView } from '../partner-view.ts';
import { MAX_ASSET } from '../read-assets.ts';
import { fillPage, originalAt, stateOfOriginals, type PartnerFolder } from './partner-folder.ts';

/** What a browser that asks for an address is given. */
export type Found =
  | {
      readonly kind: 'page';
      readonly bytes: Uint8Array;
      /** The main site's file; undefined for a page of the partner's own. */
      readonly source: string | undefined;
      /** What whoever looks at it should know. */
      readonly notes: readonly Problem[];
    }
  | { readonly kind: 'file'; readonly name: string; readonly body: Uint8Array | AsyncIterable<Uint8Array> }
  | { readonly kind: 'moved'; readonly to: string }
  /** Until its partner fills these slots. */
  | { readonly kind: 'left-out'; readonly source: string; readonly slots: readonly string[] };

export interface ListedPage {
  /** From the web root, `/with-main/guide/intro.html`. */
  readonly address: string;
  readonly title: string;
  readonly inherit: string;
}

export interface MergedSite {
  /** Of what pages load: differs whenever a picture or a style sheet does. */
  readonly assetsVersion: string;
  readonly pages: readonly ListedPage[];
  /**
   * @param address from the web root, percent-encoded
   * @throws TIEUP_E_CONTENT when what the partner's folder has for a slot cannot be used
   */
  find(address: string): Promise<Found | undefined>;
}

interface TieUpFile {
  readonly file: SiteFile;
  readonly since: number;
}

/** @throws TIEUP_E_CONTENT when a page lacks a value of the partner, or holds what the terms forbid. */
export async function mergeSite(
  site: MainSite,
  compiled: CompiledSite,
  partnership: Partnership,
  folder: PartnerFolder | undefined,
): Promise<MergedSite> {
  const sent = (await recall(site, partnership.id))?.base;
  const files = compiled.filesFor(await loadPartnerView(site, partnership));
  const planned = await filesToBuild(site, partnership.id, files, sent?.release);
  await judgeContent(site, partnership, { files: planned, termsDiffer: false }, sent);
  const tieUp = new Map<string, TieUpFile>();
  for (const [index, file] of files.entries()) {
    tieUp.set(file.path, { file, since: planned[index]?.file.since ?? 1 });
  }
  const assets = files.flatMap((file) => (file.kind === 'asset' ? [[file.path, file.digest]] : []));
  const paths = new Set((sent?.release.files ?? []).map(({ path }) => path));
  const originals = folder === undefined ? '' : await stateOfOriginals(folder);
  const merged = new Merged({ site, compiled, partnership, folder, files: tieUp, sent: paths });
  return {
    assetsVersion: sha256(JSON.stringify([assets, originals])),
    pages: files.flatMap((file) =>
      file.kind === 'page' ? [{ address: encodeURI(`/${file.path}`), title: file.title, inherit: file.inherit }] : [],
    ),
    find: (address) => merged.find(address),
  };
}

interface MergedParts {
  readonly site: MainSite;
  readonly compiled: CompiledSite;
  readonly partnership: Partnership;
  readonly folder: PartnerFolder | undefined;
  /** By path from the web root. */
  readonly files: ReadonlyMap<string, TieUpFile>;
  /** What the partner was sent last: these paths are tieup's where the partner's pages lie in place. */
  readonly sent: ReadonlySet<string>;
}

class Merged {
  readonly #parts: MergedParts;

  constructor(parts: MergedParts) {
    this.#parts = parts;
  }

  async find(address: string): Promise<Found | undefined> {
    const path = pathOf(address);
    if (path === undefined) return undefined;
    if (path === '' || path.endsWith('/')) return this.#at(`${path}index.html`);
    const found = await this.#at(path);
    if (found !== undefined) return found;
    const isFolder = (await this.#at(`${path}/index.html`)) !== undefined;
    return isFolder ? { kind: 'moved', to: `${address}/` } : undefined;
  }

  async #at(path: string): Promise<Found | undefined> {
    const { files, folder, sent } = this.#parts;
    const found = files.get(path);
    const own = folder && (await originalAt(folder, path));
    if (found !== undefined) return this.#tieUp(found, own !== undefined && !sent.has(path));
    if (own === undefined) return undefined;
    if (!/\.html?$/i.test(path)) return { kind: 'file', name: path, body: own };
    return { kind: 'page', bytes: await whole(own), source: undefined, notes: [] };
  }

  async #tieUp({ file, since }: TieUpFile, isTaken: boolean): Promise<Found> {
    const { site, folder, partnership } = this.#parts;
    const { path } = file;
    if (file.kind === 'asset') {
      const body = file.bytes ?? site.files.stream(`${site.config.folders.assets}/${file.asset}`, MAX_ASSET);
      return { kind: 'file', name: path, body };
    }
    if (file.kind !== 'page') {
      const bytes = file.render();
      return /\.html?$/i.test(path)
        ? { kind: 'page', bytes, source: file.file, notes: [] }
        : { kind: 'file', name: path, body: bytes };
    }
    const { bytes, slots } = file.render(since);
    const notes = this.#warningsOf(file.file);
    if (isTaken)
      notes.push({ message: `the partner has a file of its own here, ${path}: accept stops and asks what to do` });
    if (folder === undefined) {
      for (const { name, required } of slots) notes.push(slotNote(name, required));
      return { kind: 'page', bytes, source: file.file, notes };
    }
    const { mount, policy } = partnership;
    const page = { path, bytes, slots };
    const { bytes: merged, empty } = await fillPage(page, folder, { mount, policy }, site.markdown);
    const missing = empty.filter(({ required }) => required).map(({ name }) => name);
    if (missing.length > 0) return { kind: 'left-out', source: file.file, slots: missing };
    for (const { name } of empty) notes.push(slotNote(name, false));
    return { kind: 'page', bytes: merged, source: file.file, notes };
  }

  /** Of the page itself, and of what belongs to no page alone: templates, style sheets. */
  #warningsOf(source: string): Problem[] {
    const pages = new Set(this.#parts.compiled.pages.map(({ file }) => file));
    return this.#parts.compiled.warnings.filter(
      ({ file }) => file === source || (file !== undefined && !pages.has(file)),
    );
  }
}

function slotNote(name: string, required: boolean): Problem {
  const until = required ? 'the page is left out until the partner fills it' : 'its fallback is shown';
  return { message: `slot "${name}": ${until}` };
}

/** From the web root; undefined for what no web server hands out. */
function pathOf(address: string): string | undefined {
  try {
    const path = decodeURIComponent(address).replace(/^\//, '');
    const names = path.split('/');
    const isPlain = names.every((name, index) => (name !== '' || index === names.length - 1) && !name.startsWith('.'));
    return isPlain && !/[\0\\]/.test(path) ? path : undefined;
  } catch {
    // No text at all.
    return undefined;
  }
}

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
