/** Links to a partner's pages: the top level, and the folders on the way to the page that shows them; and that way itself. */
import { sha256 } from '../protocol/digest.ts';
import { encodePath } from './addresses.ts';
import { escapeAttribute, escapeText } from './encode.ts';

export interface NavigationEntry {
  /** Path of the page's source. */
  readonly source: string;
  /** Below the mount: `guide/intro.html`. */
  readonly path: string;
  readonly label: string;
  readonly order: number | undefined;
  /** Left out of the navigation; it still is on the way to what lies below it. */
  readonly hidden: boolean;
}

/** The page whose place is shown. */
export interface PageInNavigation {
  /** Below the mount. */
  readonly path: string;
  /** Where it is listed; the further pages of a list are listed with its first. */
  readonly listedAt: string;
  readonly title: string;
}

/** A step on the way from the top to a page. */
export interface Crumb {
  readonly label: string;
  /** Below the mount; undefined for a folder without a page of its own. */
  readonly path: string | undefined;
}

/** The navigation of one partner; folders are rendered once and shared by their pages. */
export class Navigation {
  readonly #root: Folder;
  readonly #mount: string;
  readonly #labels: ReadonlyMap<string, string>;
  readonly #rendered = new Map<Folder, RenderedNavigation>();

  constructor(entries: readonly NavigationEntry[], mount: string) {
    this.#mount = mount;
    this.#root = plant(entries);
    this.#labels = new Map(entries.map(({ path, label }) => [path, label]));
  }

  /** The pieces to copy for a page: its own link is marked, wherever it stands, or that of what it belongs to. */
  pieces(page: PageInNavigation): readonly Uint8Array[] {
    const { rendered, offset, mark } = this.#renderFor(page);
    const { bytes } = rendered;
    return offset === undefined ? [bytes] : [bytes.subarray(0, offset), mark, bytes.subarray(offset)];
  }

  /** Differs whenever the pieces do. */
  key(page: PageInNavigation): string {
    const { rendered, offset, mark } = this.#renderFor(page);
    rendered.digest ??= sha256(rendered.bytes);
    return `${rendered.digest} ${offset ?? ''} ${mark === CURRENT_PAGE ? 'page' : 'part'}`;
  }

  #renderFor({ path, listedAt }: PageInNavigation): {
    readonly rendered: RenderedNavigation;
    /** Where the mark of the current page goes. */
    readonly offset: number | undefined;
    readonly mark: Uint8Array;
  } {
    const folder = this.#folderOf(listedAt);
    let rendered = this.#rendered.get(folder);
    if (rendered === undefined) {
      rendered = render(this.#root, folder, this.#mount);
      this.#rendered.set(folder, rendered);
    }
    const own = rendered.links.get(listedAt);
    const offset = own ?? linkAbove(folder, rendered.links);
    return { rendered, offset, mark: own !== undefined && path === listedAt ? CURRENT_PAGE : CURRENT_PART };
  }

  /** The way to a page: the first page of all, the folders between, the page itself. */
  trail(page: PageInNavigation): readonly Crumb[] {
    const crumbs: Crumb[] = [];
    let folder: Folder | undefined = this.#root;
    for (const name of ['', ...page.path.split('/').slice(0, -1)]) {
      if (name !== '') folder = folder?.folders.get(name);
      // What is no folder of the sources is no step either, such as the numbers of further pages.
      if (folder === undefined) break;
      const entry: NavigationEntry | undefined = folder.home;
      if (entry !== undefined) crumbs.push(entry);
      else if (folder !== this.#root) crumbs.push({ label: speakingName(name), path: undefined });
    }
    const listed = this.#labels.get(page.listedAt);
    if (crumbs.every(({ path }) => path !== page.listedAt)) {
      crumbs.push({ label: listed ?? page.title, path: page.listedAt });
    }
    if (page.path !== page.listedAt) crumbs.push({ label: page.title, path: page.path });
    return crumbs.map(({ label, path }) => ({ label, path }));
  }

  /** {@link trail} as a list of links, the page's own with `aria-current`. */
  breadcrumbs(page: PageInNavigation): Uint8Array {
    const items = this.trail(page).map(({ label, path }) => {
      const text = escapeText(label);
      if (path === undefined) return `\n<li>${text}</li>`;
      const current = path === page.path ? ' aria-current="page"' : '';
      return `\n<li><a href="${escapeAttribute(`${this.#mount}${encodePath(path)}`)}"${current}>${text}</a></li>`;
    });
    return encoder.encode(`<ol>${items.join('')}\n</ol>`);
  }

  /** The innermost folder on the way to `path` that the navigation has. */
  #folderOf(path: string): Folder {
    let folder = this.#root;
    for (const name of path.split('/').slice(0, -1)) {
      const next = folder.folders.get(name);
      if (next === undefined) break;
      folder = next;
    }
    return folder;
  }
}

const encoder = new TextEncoder();
const CURRENT_PAGE = encoder.encode(' aria-current="page"');
const CURRENT_PART = encoder.encode(' aria-current="true"');

/** Where the link of the innermost folder that has one is marked. */
function linkAbove(folder: Folder, links: ReadonlyMap<string, number>): number | undefined {
  for (let above: Folder | undefined = folder; above?.parent !== undefined; above = above.parent) {
    const offset = above.index === undefined ? undefined : links.get(above.index.path);
    if (offset !== undefined) return offset;
  }
  return undefined;
}

interface Folder {
  readonly name: string;
  readonly parent: Folder | undefined;
  readonly folders: Map<string, Folder>;
  readonly pages: NavigationEntry[];
  index: NavigationEntry | undefined;
  /** The same, also when the navigation leaves it out; the root has one as well. */
  home: NavigationEntry | undefined;
}

interface RenderedNavigation {
  readonly bytes: Uint8Array;
  /** Where in the bytes the attribute of a page's link goes. */
  readonly links: ReadonlyMap<string, number>;
  /** Of the bytes, once somebody has asked for it. */
  digest?: string;
}

function plant(entries: readonly NavigationEntry[]): Folder {
  const root = emptyFolder('', undefined);
  for (const entry of entries) {
    const names = entry.path.split('/');
    const file = names.pop();
    let folder = root;
    for (const name of names) {
      const next = folder.folders.get(name) ?? emptyFolder(name, folder);
      folder.folders.set(name, next);
      folder = next;
    }
    if (file === 'index.html') folder.home = entry;
    if (entry.hidden) continue;
    // The index of the top is a page beside the others; that of a folder is the folder.
    if (file === 'index.html' && folder !== root) folder.index = entry;
    else folder.pages.push(entry);
  }
  return root;
}

function emptyFolder(name: string, parent: Folder | undefined): Folder {
  return { name, parent, folders: new Map(), pages: [], index: undefined, home: undefined };
}

interface Item {
  /** What its link leads to. */
  readonly entry: NavigationEntry;
  readonly label: string;
  readonly order: number;
  readonly path: string;
  readonly folder: Folder | undefined;
}

function itemsOf(folder: Folder): Item[] {
  const pages = folder.pages.map((entry): Item => {
    const order = entry.order ?? (entry.path === 'index.html' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
    return { entry, label: entry.label, order, path: entry.path, folder: undefined };
  });
  const folders = [...folder.folders.values()].flatMap((child): Item[] => {
    const entry = child.index ?? itemsOf(child)[0]?.entry;
    if (entry === undefined) return [];
    const label = child.index?.label ?? speakingName(child.name);
    const order = child.index?.order ?? Number.POSITIVE_INFINITY;
    return [{ entry, label, order, path: `${pathOf(child)}/`, folder: child }];
  });
  return [...pages, ...folders].sort((a, b) => compare(a.order, b.order) || compare(a.path, b.path));
}

function compare<T extends string | number>(a: T, b: T): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** `getting-started` → `Getting started` */
function speakingName(name: string): string {
  const words = name.replaceAll(/[-_]+/g, ' ').trim();
  return words === '' ? name : `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

function pathOf(folder: Folder): string {
  const above = folder.parent === undefined ? '' : pathOf(folder.parent);
  return above === '' ? folder.name : `${above}/${folder.name}`;
}

function render(root: Folder, open: Folder, mount: string): RenderedNavigation {
  const expanded = new Set<Folder>();
  for (let folder: Folder | undefined = open; folder !== undefined; folder = folder.parent) expanded.add(folder);
  const links = new Map<string, number>();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const write = (text: string): void => {
    const bytes = encoder.encode(text);
    chunks.push(bytes);
    length += bytes.length;
  };
  const list = (folder: Folder): void => {
    const items = itemsOf(folder);
    if (items.length === 0) return;
    write('<ul>');
    for (const item of items) {
      const own = item.folder === undefined || item.folder.index === item.entry;
      write(`\n<li><a href="${escapeAttribute(`${mount}${encodePath(item.entry.path)}`)}"`);
      if (own) links.set(item.entry.path, length);
      write(`>${escapeText(item.label)}</a>`);
      if (item.folder !== undefined && expanded.has(item.folder)) list(item.folder);
      write('</li>');
    }
    write('\n</ul>');
  };
  list(root);
  return { bytes: Buffer.concat(chunks), links };
}
