/** What a dotted name means where it stands: variables, data files, collections, and what the loops around it name. */
import { relativeAddress, publishedPath, addressBelow } from './addresses.ts';
import { moreThan, unknownCollection, type Pagination } from './collections.ts';
import { follow, isList, isMapping, keysOf, type Data, type DataFound, type DataMapping } from './data.ts';
import { formatMoment, isDateForm } from './dates.ts';
import { FRAMEWORK_LABELS, labelsFor } from './labels.ts';
import type { PageSource, SiteIdentity } from './source.ts';
import { isMoment } from '../protocol/moment.ts';
import { nearest } from '../protocol/nearest.ts';
import { lookUp, nearestName, type Lookup, type PageScope } from './variables.ts';

export interface Names {
  readonly site: SiteIdentity;
  readonly data: DataMapping;
  /** undefined while what all pages share is compiled. */
  readonly page: PageScope | undefined;
  /** The innermost last. */
  readonly loops: readonly Loop[];
}

/** One turn of a loop. */
export interface Loop {
  readonly variable: string;
  readonly item:
    | {
        readonly kind: 'data';
        readonly value: Data;
        /** In a mapping. */
        readonly key: string | undefined;
        readonly index: number;
        readonly length: number;
        readonly siblings: ReadonlySet<string>;
      }
    | { readonly kind: 'page'; readonly page: PageSource };
}

export function resolveName(name: string, names: Names): Lookup {
  const found = lookUpName(name, names);
  const dot = name.lastIndexOf('.');
  const form = name.slice(dot + 1);
  return found.kind === 'unknown' && isDateForm(form) ? (dateOf(name.slice(0, dot), form, names) ?? found) : found;
}

/** `page.date.long`, where nothing else has that name. */
function dateOf(name: string, form: Parameters<typeof formatMoment>[1], names: Names): Lookup | undefined {
  const found = lookUpName(name, names);
  if (found.kind === 'absent' || found.kind === 'later') return found;
  if (found.kind !== 'constant') return undefined;
  const { site, page } = names;
  const place = { language: page?.language ?? site.language, timeZone: site.timeZone ?? 'UTC' };
  const value = formatMoment(found.value, form, place);
  if (value !== undefined) return { kind: 'constant', value };
  if (isMoment(found.value)) return { kind: 'absent', message: `\`${name}\` is a day and has no time` };
  const said = JSON.stringify(found.value);
  return {
    kind: 'unknown',
    message: `\`${name}\` is ${said}, and no day or time such as 2026-12-20 or 2026-12-20T08:00`,
  };
}

function lookUpName(name: string, names: Names): Lookup {
  const steps = name.split('.');
  const [root = ''] = steps;
  const loop = names.loops.findLast(({ variable }) => variable === root);
  if (loop !== undefined) return ofLoop(loop, steps, names);
  switch (root) {
    case 'data':
      return fromData(follow(names.data, steps), name);
    case 'loop':
      return ofCounter(steps, names);
    case 'labels':
      return ofLabels(name, steps.slice(1).join('.'), names.page);
    case 'collections':
      return names.page === undefined ? { kind: 'later' } : ofCollections(steps.slice(1).join('.'), names.page);
    case 'pagination':
      return names.page === undefined ? { kind: 'later' } : ofPagination(name, names.page.pagination);
    default:
      return lookUp(name, names.site, names.page);
  }
}

/** Why `found` cannot be shown as a value, if it cannot. */
export function holeFault(name: string, found: Lookup): string | undefined {
  if (found.kind === 'unknown' || found.kind === 'absent') return found.message;
  if (found.kind === 'list' || found.kind === 'pages') {
    return `\`${name}\` is no single value: go through it with <template each="item in ${name}">`;
  }
  return undefined;
}

/** The turns of a loop over a list or a mapping of data. */
export function turns(variable: string, value: Data, limit: number | undefined): Loop[] {
  const items = isList(value) ? value : isMapping(value) ? Object.values(value) : [];
  const keys = isMapping(value) ? Object.keys(value) : [];
  const siblings = keysOf(items);
  const taken = items.slice(0, limit);
  return taken.map((item, index): Loop => {
    const key = keys[index];
    return { variable, item: { kind: 'data', value: item, key, index, length: taken.length, siblings } };
  });
}

function fromData(found: DataFound, name: string): Lookup {
  if (found.kind !== 'data') return found;
  const { value } = found;
  if (value === null) return { kind: 'absent', message: `\`${name}\` is empty` };
  return typeof value === 'object' ? { kind: 'list', value } : { kind: 'constant', value: String(value) };
}

function ofLoop({ item }: Loop, steps: readonly string[], { site, page }: Names): Lookup {
  const name = steps.join('.');
  if (item.kind === 'data') return fromData(follow(item.value, steps, item.siblings), name);
  if (page === undefined) return { kind: 'later' };
  const { meta, path } = item.page;
  const published = publishedPath(path);
  const [root = '', key = '', ...further] = steps;
  const fields: Readonly<Record<string, string | undefined>> = {
    title: meta.title,
    description: meta.description,
    date: meta.date,
    path: published,
    link: relativeAddress(page.path, published),
    source: addressBelow(site.url, published),
  };
  if (further.length === 0) {
    if (key === 'tags') return { kind: 'list', value: meta.tags };
    const value = Object.hasOwn(fields, key)
      ? fields[key]
      : Object.hasOwn(meta.values, key)
        ? meta.values[key]
        : undefined;
    if (value !== undefined) return { kind: 'constant', value };
    if (Object.hasOwn(fields, key) || page.known.has(key)) {
      return { kind: 'absent', message: `the page ${item.page.file} has no \`${key}\`` };
    }
  }
  const known = [...Object.keys(fields), 'tags', ...page.known].map((field) => `${root}.${field}`);
  const meant = nearestName(name, known);
  const end =
    meant === undefined ? `: a page of a collection has ${known.join(', ')}` : ` (did you mean \`${meant}\`?)`;
  return { kind: 'unknown', message: `unknown variable \`${name}\`${end}` };
}

/** `loop.index`, `loop.first`, `loop.last`, `loop.key` of the innermost loop. */
function ofCounter([, key = '', ...further]: readonly string[], { loops }: Names): Lookup {
  const item = loops.at(-1)?.item;
  if (item === undefined) return { kind: 'unknown', message: '`loop` stands outside of a loop' };
  if (item.kind === 'page') {
    const message = '`loop` is not there for a collection, which differs from partner to partner';
    return { kind: 'unknown', message };
  }
  if (further.length === 0) {
    if (key === 'index') return { kind: 'constant', value: String(item.index + 1) };
    if (key === 'first') return { kind: 'constant', value: String(item.index === 0) };
    if (key === 'last') return { kind: 'constant', value: String(item.index === item.length - 1) };
    if (key === 'key') {
      if (item.key !== undefined) return { kind: 'constant', value: item.key };
      return { kind: 'absent', message: '`loop.key` is there for mappings, and this is a list' };
    }
  }
  const message = 'a loop has `loop.index`, `loop.first`, `loop.last` and `loop.key`';
  return { kind: 'unknown', message };
}

/** Words of the framework, in the language of the page. */
function ofLabels(name: string, key: string, page: PageScope | undefined): Lookup {
  if (!FRAMEWORK_LABELS.includes(key)) {
    const meant = nearest(key, FRAMEWORK_LABELS);
    const end =
      meant === undefined ? `: there are ${FRAMEWORK_LABELS.join(', ')}` : ` (did you mean \`labels.${meant}\`?)`;
    return { kind: 'unknown', message: `unknown variable \`${name}\`${end}` };
  }
  return page === undefined
    ? { kind: 'later' }
    : { kind: 'constant', value: labelsFor(page.language).framework[key] ?? '' };
}

function ofCollections(name: string, page: PageScope): Lookup {
  const collection = page.collections.get(name);
  if (collection === undefined) return { kind: 'unknown', message: unknownCollection(name, page.collections) };
  return { kind: 'pages', collection, from: 0, to: Number.MAX_SAFE_INTEGER };
}

const PAGINATION = ['items', 'number', 'total', 'first', 'previous', 'next'] as const;

function ofPagination(name: string, pagination: Pagination | undefined): Lookup {
  const key = name.slice('pagination.'.length);
  if (key !== '' && !PAGINATION.some((known) => known === key)) {
    const meant = nearest(key, PAGINATION);
    const end = meant === undefined ? '' : ` (did you mean \`pagination.${meant}\`?)`;
    return { kind: 'unknown', message: `unknown variable \`${name}\`${end}` };
  }
  if (pagination === undefined) {
    return { kind: 'absent', message: 'the page has no `paginate` in its front matter' };
  }
  const { collection, size, number, first, previous, next } = pagination;
  const to = number * size;
  switch (key) {
    case 'items':
      return { kind: 'pages', collection, from: to - size, to };
    case 'number':
      return { kind: 'constant', value: String(number) };
    case 'total':
      return { kind: 'total', collection: collection.name, size };
    case 'first':
      return { kind: 'constant', value: first };
    case 'previous':
      if (previous !== undefined) return { kind: 'constant', value: previous };
      return { kind: 'absent', message: 'there is no page before the first: ask with `if="pagination.previous"`' };
    case 'next': {
      const more = moreThan(collection, to);
      if (more === true) return { kind: 'constant', value: next };
      if (more !== false) return { kind: 'when', condition: more, value: next };
      return { kind: 'absent', message: 'there is no page after the last: ask with `if="pagination.next"`' };
    }
    default:
      return { kind: 'constant', value: 'true' };
  }
}
