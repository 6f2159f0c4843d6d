/** Lists of pages: the latest, those with a tag, those of a folder; and lists that are spread over several pages. */
import type { Problem } from '../errors.ts';
import { startOfMoment } from '../protocol/moment.ts';
import { nearest } from '../protocol/nearest.ts';
import { publishedPath, relativeAddress } from './addresses.ts';
import type { Condition, Decision } from './condition.ts';
import type { PageSource } from './source.ts';

/** Pages in the order in which they are listed. */
export interface Collection {
  /** `latest`, a tag, or `folders.` and the path of a folder, with dots. */
  readonly name: string;
  readonly pages: readonly PageSource[];
}

export type Collections = ReadonlyMap<string, Collection>;

const LATEST = 'latest';
const FOLDERS = 'folders';
/** Names of collections that no tag can have. */
export const RESERVED_TAGS: readonly string[] = [LATEST, FOLDERS];

/**
 * @param published without drafts, by path
 * The newest come first; then those without a date by their order in the navigation, then by path.
 * @param tags of all pages, drafts too: a list whose last page was withdrawn is empty and not unknown
 */
export function collect(published: readonly PageSource[], tags: Iterable<string>, timeZone: string): Collections {
  const lists = new Map<string, PageSource[]>([[LATEST, []]]);
  for (const tag of tags) lists.set(tag, []);
  for (const page of published) {
    const { date, tags: own, paginate: listing } = page.meta;
    // A page that lists others is none of them.
    if (listing !== undefined) continue;
    if (date !== undefined) lists.get(LATEST)?.push(page);
    for (const tag of new Set(own)) lists.get(tag)?.push(page);
    for (const folder of foldersOf(page.path)) {
      const name = `${FOLDERS}.${folder.replaceAll('/', '.')}`;
      const list = lists.get(name) ?? [];
      lists.set(name, list);
      if (page.path !== `${folder}/index.md`) list.push(page);
    }
  }
  const instants = new Map(published.map((page) => [page, instantOf(page, timeZone)]));
  const compare = (a: PageSource, b: PageSource): number =>
    (instants.get(b) ?? 0) - (instants.get(a) ?? 0) || byOrderAndPath(a, b);
  return new Map([...lists].map(([name, pages]) => [name, { name, pages: pages.toSorted(compare) }]));
}

function foldersOf(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

function byOrderAndPath(a: PageSource, b: PageSource): number {
  const [orderA, orderB] = [a.meta.order ?? Number.MAX_VALUE, b.meta.order ?? Number.MAX_VALUE];
  if (orderA !== orderB) return orderA < orderB ? -1 : 1;
  return a.path < b.path ? -1 : 1;
}

/** Earlier than every date where there is none. */
function instantOf({ meta }: PageSource, timeZone: string): number {
  return meta.date === undefined ? -8.64e15 : startOfMoment(meta.date, timeZone).getTime();
}

/** What to say of a collection that is not there. */
export function unknownCollection(name: string, collections: Collections): string {
  const meant = nearest(name, collections.keys());
  const end = meant === undefined ? '' : ` (did you mean \`collections.${meant}\`?)`;
  return `there is no collection \`collections.${name}\`${end}`;
}

/** Whether a page of a collection stands between two places of the list that a partner gets. */
export function listed({ name, pages }: Collection, index: number, from: number, to: number): Decision {
  const page = pages[index];
  if (page === undefined) return false;
  const restricted = pages.slice(0, index).filter(isRestricted).length;
  // Pages before it which a partner does not get move it forward, and never back.
  if (index - restricted >= to || index < from) return false;
  if (!isRestricted(page) && index < to && index - restricted >= from) return true;
  return { kind: 'listed', collection: name, page: page.path, from, to };
}

/** Whether a partner gets more than `count` pages of a collection. */
export function moreThan({ name, pages }: Collection, count: number): Decision {
  if (pages.length <= count) return false;
  if (pages.filter((page) => !isRestricted(page)).length > count) return true;
  return { kind: 'more-than', collection: name, count };
}

function isRestricted({ meta }: PageSource): boolean {
  return meta.partners !== undefined;
}

/** One page of a list that is spread over several. */
export interface Pagination {
  readonly collection: Collection;
  readonly size: number;
  /** From 1. */
  readonly number: number;
  /** Addresses as they are written in this page. */
  readonly first: string;
  readonly previous: string | undefined;
  readonly next: string;
}

/** True for all but the first page of a list. */
export function isFurther(pagination: Pagination | undefined): boolean {
  return pagination !== undefined && pagination.number > 1;
}

/** A page as it is compiled: a source, or one of the further pages of its list. */
export interface PageToCompile {
  readonly source: PageSource;
  /** Below the mount. */
  readonly path: string;
  readonly pagination: Pagination | undefined;
  /** Without which the partner does not get it. */
  readonly condition: Condition | undefined;
}

/** The pages that `page` becomes: itself, or one for every `size` entries of its list. */
export function paginate(page: PageSource, collections: Collections, problems: Problem[]): readonly PageToCompile[] {
  const path = publishedPath(page.path);
  const { paginate: wanted } = page.meta;
  if (wanted === undefined) return [{ source: page, path, pagination: undefined, condition: undefined }];
  const collection = collections.get(wanted.collection);
  if (collection === undefined) {
    problems.push({ file: page.file, message: unknownCollection(wanted.collection, collections) });
    return [];
  }
  const { size } = wanted;
  const count = Math.max(1, Math.ceil(collection.pages.length / size));
  return Array.from({ length: count }, (_, index): PageToCompile => {
    const own = furtherPath(path, index);
    const link = (to: number): string => relativeAddress(own, furtherPath(path, to));
    const previous = index === 0 ? undefined : link(index - 1);
    const pagination = { collection, size, number: index + 1, first: link(0), previous, next: link(index + 1) };
    const more = index === 0 ? true : moreThan(collection, index * size);
    return { source: page, path: own, pagination, condition: typeof more === 'boolean' ? undefined : more };
  });
}

/** `news/index.html` and `news.html` → `news/page/2/index.html` */
function furtherPath(path: string, index: number): string {
  if (index === 0) return path;
  const folder = path === 'index.html' ? '' : `${path.replace(/(?:\/index)?\.html$/, '')}/`;
  return `${folder}page/${index + 1}/index.html`;
}
