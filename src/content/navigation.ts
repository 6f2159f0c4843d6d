/** Links to a partner's pages: the top level, and the folders on the way to the page that shows them. */
import { sha256 } from '../protocol/digest.ts';
import { encodePath } from './addresses.ts';
import { escapeAttribute, escapeText } from './encode.ts';

export interface NavigationEntry {
  /** Below the mount: `guide/intro.html`. */
  readonly path: string;
  readonly label: string;
  readonly order: number | undefined;
}

/** The navigation of one partner; folders are rendered once and shared by their pages. */
export class Navigation {
  readonly #root: Folder;
  readonly #mount: string;
  readonly #rendered = new Map<Folder, RenderedNavigation>();

  constructor(entries: readonly NavigationEntry[], mount: string) {
    this.#mount = mount;
    this.#root = plant(entries);
  }

  /** The pieces to copy for the page at `path`: its own link is marked, wherever it stands. */
  pieces(path: string): readonly Uint8Array[] {
    const { bytes, links } = this.#renderFor(path);
    const offset = links.get(path);
    return offset === undefined ? [bytes] : [bytes.subarray(0, offset), CURRENT, bytes.subarray(offset)];
  }

  /** Differs whenever the pieces do. */
  key(path: string): string {
    const rendered = this.#renderFor(path);
    rendered.digest ??= sha256(rendered.bytes);
    return `${rendered.digest} ${rendered.links.get(path) ?? ''}`;
  }

  #renderFor(path: string): RenderedNavigation {
    const folder = this.#folderOf(path);
    let rendered = this.#rendered.get(folder);
    if (rendered === undefined) {
      rendered = render(this.#root, folder, this.#mount);
      this.#rendered.set(folder, rendered);
    }
    return rendered;
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

const CURRENT = new TextEncoder().encode(' aria-current="page"');

interface Folder {
  readonly name: string;
  readonly parent: Folder | undefined;
  readonly folders: Map<string, Folder>;
  readonly pages: NavigationEntry[];
  index: NavigationEntry | undefined;
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
    // The index of the top is a page beside the others; that of a folder is the folder.
    if (file === 'index.html' && folder !== root) folder.index = entry;
    else folder.pages.push(entry);
  }
  return root;
}

function emptyFolder(name: string, parent: Folder | undefined): Folder {
  return { name, parent, folders: new Map(), pages: [], index: undefined };
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
  const encoder = new TextEncoder();
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
