/**
 * Finds what leads nowhere in a tree of pages: links, anchors, pictures and other files that pages load, and ids that
 * are there twice. Pages are read as browsers read them; what lies outside of the tree is nobody's business here.
 */
import { byteOrder } from '../protocol/byte-order.ts';
import { collisionKey } from '../protocol/names.ts';
import { baseOf } from './active-elements.ts';
import { isHtml } from './file-nature.ts';
import type { FileLinks } from './page-links.ts';

export interface DeadLink {
  /**
   * - `link`: leads to no file · `anchor`: the page is there, the place in it is not
   * - `file`: a picture, style or other file which the page loads is not there · `id`: there twice in one page
   */
  readonly kind: 'link' | 'anchor' | 'file' | 'id';
  /** Where it stands, from the web root. */
  readonly path: string;
  /** Both 1-based. */
  readonly line: number;
  readonly column: number;
  /** As it is written; the id itself when it is there twice. */
  readonly address: string;
  /** Lower case, no full stop. */
  readonly message: string;
}

export interface LinkScope {
  /** Every file of the tree, from the web root. */
  readonly files: ReadonlySet<string>;
  /** The folder which the tree is known of, `with-main/`; what is outside of it may be there or not. Empty for all of it. */
  readonly within: string;
  /** The address of the web root, when absolute addresses of the site are to be followed as well. */
  readonly siteUrl?: string | undefined;
}

interface Waiting extends Omit<DeadLink, 'kind' | 'message'> {
  readonly target: string;
  readonly fragment: string;
}

/** Collects over all files of a tree, one at a time, so that none has to be kept. */
export class LinkCheck {
  readonly #scope: LinkScope;
  readonly #root: URL;
  readonly #found: DeadLink[] = [];
  readonly #anchors = new Map<string, ReadonlySet<string>>();
  readonly #waiting: Waiting[] = [];
  #folded: ReadonlyMap<string, string> | undefined;

  constructor(scope: LinkScope) {
    this.#scope = scope;
    this.#root = new URL(scope.siteUrl ?? 'https://this-site.invalid/');
  }

  /** @param links of the file: {@link readLinks} */
  add(path: string, links: FileLinks): void {
    const address = this.#addressOf(path);
    const base = links.base === undefined ? address : baseOf(links.base, address);
    const first = new Map<string, number>();
    for (const { id, line, column } of links.ids) {
      const before = first.get(id);
      if (before === undefined) first.set(id, line);
      else {
        const message = `the id ${JSON.stringify(id)} is there twice, in line ${before} as well`;
        this.#found.push({ kind: 'id', path, line, column, address: id, message });
      }
    }
    for (const { kind, address: written, line, column } of links.references) {
      this.#follow(kind, written, base, { path, line, column });
    }
    if (isHtml(path)) this.#anchors.set(path, new Set([...first.keys(), ...links.names]));
  }

  /** Sorted by place. */
  finish(): readonly DeadLink[] {
    for (const { target, fragment, ...at } of this.#waiting) {
      const anchors = this.#anchors.get(target);
      // A page that was not looked at, because it is another's, may have any anchor.
      if (anchors === undefined || anchors.has(fragment) || anchors.has(decoded(fragment) ?? fragment)) continue;
      const where = target === at.path ? 'this page' : 'the page there';
      const message = `${JSON.stringify(at.address)}: ${where} has no id ${JSON.stringify(decoded(fragment) ?? fragment)}`;
      this.#found.push({ kind: 'anchor', ...at, message });
    }
    return this.#found.toSorted((a, b) => byteOrder(a.path, b.path) || a.line - b.line || a.column - b.column);
  }

  #follow(kind: 'link' | 'file', written: string, base: URL, at: Pick<DeadLink, 'path' | 'line' | 'column'>): void {
    const address = written.trim();
    if (/^(?!https?:)[a-z][a-z0-9+.-]*:/i.test(address)) return;
    const dead = (message: string): void => {
      this.#found.push({ kind, ...at, address, message: `${JSON.stringify(address)} ${message}` });
    };
    let url: URL;
    try {
      url = new URL(address, base);
    } catch {
      return dead('is no address');
    }
    if (url.origin !== this.#root.origin || !url.pathname.startsWith(this.#root.pathname)) return undefined;
    const path = decoded(url.pathname.slice(this.#root.pathname.length));
    if (path === undefined) return dead('is no address');
    const target = this.#fileAt(path);
    if (target === undefined) {
      if (path.startsWith(this.#scope.within)) dead(this.#absence(path));
      return undefined;
    }
    const fragment = url.hash.slice(1).split(':~:')[0] ?? '';
    if (kind === 'link' && fragment !== '' && fragment.toLowerCase() !== 'top' && isHtml(target)) {
      this.#waiting.push({ ...at, address, target, fragment });
    }
    return undefined;
  }

  #fileAt(path: string): string | undefined {
    const candidates =
      path === '' || path.endsWith('/')
        ? ['index.html', 'index.htm'].map((name) => `${path}${name}`)
        : [path, `${path}/index.html`];
    return candidates.find((candidate) => this.#scope.files.has(candidate));
  }

  #absence(path: string): string {
    this.#folded ??= new Map([...this.#scope.files].map((file) => [collisionKey(file), file]));
    const near = this.#folded.get(collisionKey(path));
    if (near !== undefined) return `leads to no file: the file is called ${JSON.stringify(this.#below(near))}`;
    const page = this.#scope.files.has(`${path}.html`) ? `${path}.html` : undefined;
    if (page !== undefined) return `leads to no file: the page is ${JSON.stringify(this.#below(page))}`;
    return 'leads to no file';
  }

  /** The same wherever the part that is known has its place. */
  #below(path: string): string {
    return path.startsWith(this.#scope.within) ? path.slice(this.#scope.within.length) : path;
  }

  #addressOf(path: string): URL {
    return new URL(path.split('/').map(encodeURIComponent).join('/'), this.#root);
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
