/** Finds what leads nowhere in the pages that a partner gets, and where it is written. */
import type { SiteFile } from '../content/compiled-site.ts';
import { isOwnPicture } from '../content/shape.ts';
import type { PartnerView } from '../content/source.ts';
import { placeAt } from '../content/text-place.ts';
import { isTieupError, type Problem } from '../errors.ts';
import { type DeadLink, LinkCheck } from '../merge/link-check.ts';
import { type FileLinks, hasLinks, readLinks } from '../merge/page-links.ts';
import { type KnownLinks, knownLinks } from './known-links.ts';
import { assetsOf } from './assets.ts';
import type { MainSite } from './main-site.ts';
import { ownFiles } from './own-files.ts';
import type { PlannedFile } from './plan-release.ts';
import { MAX_ASSET } from './read-assets.ts';

/** One thing to mend; its place is in the sources as far as it can be found there. */
export interface LinkFinding extends Problem {
  readonly kind: DeadLink['kind'];
  /** As the published page has it. */
  readonly address: string;
  /** Where it was found, `harbour/with-main/guide/intro.html:12:5`, once for each page and partner. */
  readonly published: readonly string[];
}

/** Collects over partners: what is wrong at one place in the sources is one finding. */
export class LinkFindings {
  readonly #site: MainSite;
  readonly #found = new Map<
    string,
    { readonly finding: Omit<LinkFinding, 'published'>; readonly published: string[] }
  >();
  readonly #known: KnownLinks;
  readonly #texts = new Map<string, string>();
  #templates: readonly string[] | undefined;

  constructor(site: MainSite) {
    this.#site = site;
    this.#known = knownLinks(site.memory, site.identity);
  }

  /** @param files what the partner gets, of which `planned` has the bytes */
  async check(partner: PartnerView, files: readonly SiteFile[], planned: readonly PlannedFile[]): Promise<void> {
    const { id, mount } = partner;
    const own = new Map(files.map((file) => [file.path, file]));
    const shared = await this.#deadLinks(partner, own, planned, new Set());
    this.#known.keep();
    // What is known of the shape of a page does not say where it stands in this copy.
    const dead =
      shared.length === 0
        ? shared
        : await this.#deadLinks(partner, own, planned, new Set(shared.map(({ path }) => path)));
    for (const each of dead) {
      const place = await this.#placeOf(each, own.get(each.path)?.file ?? each.path, mount);
      const finding = { kind: each.kind, address: each.address, message: each.message, ...place };
      const key = JSON.stringify(finding);
      const known = this.#found.get(key) ?? { finding, published: [] };
      known.published.push(`${id}/${each.path}:${each.line}:${each.column}`);
      this.#found.set(key, known);
    }
  }

  /** @param anew files that are read of this very partner's copy */
  async #deadLinks(
    partner: PartnerView,
    own: ReadonlyMap<string, SiteFile>,
    planned: readonly PlannedFile[],
    anew: ReadonlySet<string>,
  ): Promise<readonly DeadLink[]> {
    const { mount, url } = partner;
    const paths = new Set(planned.map(({ file }) => file.path));
    const check = new LinkCheck({ files: paths, within: mount.slice(1), siteUrl: url });
    for (const each of planned) {
      const { path } = each.file;
      if (!hasLinks(path)) continue;
      const file = own.get(path);
      const known = file?.kind === 'page' && !anew.has(path) ? file.shape() : undefined;
      check.add(path, known === undefined ? await this.#linksOf(each) : await this.#sharedLinks(known, each, partner));
    }
    return check.finish();
  }

  #sharedLinks(shape: string, planned: PlannedFile, partner: PartnerView): Promise<FileLinks> {
    return this.#known.of(shape, async () => withoutPartner(await this.#linksOf(planned, false), partner));
  }

  async #linksOf({ file, content }: PlannedFile, places = true): Promise<FileLinks> {
    const bytes =
      content.kind === 'bytes' ? content.render() : await assetsOf(this.#site).read(content.asset, file.digest);
    return readLinks(file.path, new TextDecoder().decode(bytes), places);
  }

  /** In the order in which they were found. */
  get all(): readonly LinkFinding[] {
    return [...this.#found.values()].map(({ finding, published }) => ({ ...finding, published }));
  }

  async #placeOf(dead: DeadLink, file: string, mount: string): Promise<Pick<Problem, 'file' | 'line' | 'column'>> {
    const spellings = spellingsOf(dead, mount);
    const sources = [file, ...(await this.#templateFiles())];
    // As it is written, wherever; then behind a variable, of which nobody knows whether it is the same address.
    for (const isBehind of [false, true]) {
      for (const source of sources) {
        const text = await this.#read(source);
        for (const spelling of spellings) {
          const offset = findWhole(text, spelling, isBehind);
          if (offset !== -1) return placeAt(source, text, offset);
        }
      }
    }
    return { file };
  }

  async #templateFiles(): Promise<readonly string[]> {
    if (this.#templates !== undefined) return this.#templates;
    const { templates } = this.#site.config.folders;
    const found: string[] = [];
    for await (const { path } of ownFiles(this.#site.files, templates)) {
      if (path.endsWith('.html')) found.push(`${templates}/${path}`);
    }
    this.#templates = found;
    return found;
  }

  async #read(file: string): Promise<string> {
    const known = this.#texts.get(file);
    if (known !== undefined) return known;
    const text = await this.#readAnew(file);
    this.#texts.set(file, text);
    return text;
  }

  /** Empty for what is no file, such as a page that is made of others. */
  async #readAnew(file: string): Promise<string> {
    try {
      return new TextDecoder().decode(await this.#site.files.read(file, MAX_ASSET)).replace(/\r\n?/g, '\n');
    } catch (error) {
      if (isTieupError(error, 'TIEUP_E_NOT_FOUND', 'TIEUP_E_UNSAFE_PATH')) return '';
      throw error;
    }
  }
}

/** What holds for every partner whose copy has the same shape. */
function withoutPartner(links: FileLinks, partner: PartnerView): FileLinks {
  const root = new URL(partner.url);
  const references = links.references.flatMap((each) => {
    if (isOwnPicture(each.address, partner)) return [];
    const { address } = each;
    const inside = address.startsWith(root.origin) && URL.canParse(address) ? new URL(address) : undefined;
    if (inside?.origin !== root.origin) return [each];
    return [{ ...each, address: `${inside.pathname}${inside.search}${inside.hash}` }];
  });
  return { ...links, references };
}

/** How the source of a page may have written it, the likeliest first. */
function spellingsOf({ kind, address }: DeadLink, mount: string): readonly string[] {
  if (kind === 'id') return [`id="${address}"`, `id='${address}'`, `id=${address}`];
  const [, path = '', suffix = ''] = /^([^?#]*)(.*)$/s.exec(address) ?? [];
  const plain = safeDecode(path);
  const paths = [path, plain, path.replace(/\.html$/, '.md'), plain.replace(/\.html$/, '.md')];
  if (path.startsWith(mount)) paths.push(path.slice(mount.length));
  const names = paths.map((each) => each.slice(each.lastIndexOf('/') + 1));
  const spellings = [...paths, ...names].filter((each) => each !== '').map((each) => `${each}${suffix}`);
  return [...new Set(suffix.includes('#') ? [...spellings, suffix, safeDecode(suffix)] : spellings)];
}

/** Where `text` has `wanted` that is not part of something longer; -1 when it has not. */
function findWhole(text: string, wanted: string, isBehind: boolean): number {
  const part = /[\w.%-]/;
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
    const [before = '', after = ''] = [text[at - 1], text[at + wanted.length]];
    if (!part.test(before) && !part.test(after) && (isBehind || before !== '}')) return at;
  }
  return -1;
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
