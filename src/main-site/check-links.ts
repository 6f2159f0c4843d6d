/** Finds what leads nowhere in the pages that a partner gets, and where it is written. */
import type { Partnership } from '../config/partnership.ts';
import type { SiteFile } from '../content/compiled-site.ts';
import { placeAt } from '../content/text-place.ts';
import { isTieupError, type Problem } from '../errors.ts';
import { walkFiles } from '../io/walk.ts';
import { type DeadLink, LinkCheck } from '../merge/link-check.ts';
import type { MainSite } from './main-site.ts';
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
  readonly #texts = new Map<string, string>();
  #templates: readonly string[] | undefined;

  constructor(site: MainSite) {
    this.#site = site;
  }

  /** @param files what the partner gets, of which `planned` has the bytes */
  async check(partnership: Partnership, files: readonly SiteFile[], planned: readonly PlannedFile[]): Promise<void> {
    const { id, mount, url } = partnership;
    const paths = new Set(planned.map(({ file }) => file.path));
    const check = new LinkCheck({ files: paths, within: mount.slice(1), siteUrl: url });
    for (const { file, content } of planned) {
      if (!LinkCheck.concerns(file.path)) continue;
      const { assets } = this.#site.config.folders;
      const bytes =
        content.kind === 'bytes'
          ? content.render()
          : await this.#site.files.read(`${assets}/${content.asset}`, MAX_ASSET);
      check.add(file.path, new TextDecoder().decode(bytes));
    }
    const sources = new Map(files.map(({ path, file }) => [path, file]));
    for (const dead of check.finish()) {
      const place = await this.#placeOf(dead, sources.get(dead.path) ?? dead.path, mount);
      const finding = { kind: dead.kind, address: dead.address, message: dead.message, ...place };
      const key = JSON.stringify(finding);
      const known = this.#found.get(key) ?? { finding, published: [] };
      known.published.push(`${id}/${dead.path}:${dead.line}:${dead.column}`);
      this.#found.set(key, known);
    }
  }

  /** In the order in which they were found. */
  get all(): readonly LinkFinding[] {
    return [...this.#found.values()].map(({ finding, published }) => ({ ...finding, published }));
  }

  async #placeOf(dead: DeadLink, file: string, mount: string): Promise<Pick<Problem, 'file' | 'line' | 'column'>> {
    const spellings = spellingsOf(dead, mount);
    for (const source of [file, ...(await this.#templateFiles())]) {
      const text = await this.#read(source);
      for (const spelling of spellings) {
        const offset = findWhole(text, spelling);
        if (offset !== -1) return placeAt(source, text, offset);
      }
    }
    return { file };
  }

  async #templateFiles(): Promise<readonly string[]> {
    if (this.#templates !== undefined) return this.#templates;
    const { templates } = this.#site.config.folders;
    const found: string[] = [];
    for await (const { path } of walkFiles(this.#site.files, templates)) {
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
function findWhole(text: string, wanted: string): number {
  const part = /[\w.%-]/;
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
    const [before = '', after = ''] = [text[at - 1], text[at + wanted.length]];
    if (!part.test(before) && !part.test(after)) return at;
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
