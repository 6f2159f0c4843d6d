/** The Atom feed (RFC 4287) of a partner's tie-up pages that have a date. */
import { encodePath } from './addresses.ts';
import { escapeAttribute, escapeText } from './encode.ts';
import type { SiteIdentity } from './source.ts';

export interface FeedEntry {
  readonly title: string;
  readonly summary: string;
  readonly language: string;
  /** What it was called first, below the mount; with the day it names the entry for good. */
  readonly firstPath: string;
  /** `YYYY-MM-DD` */
  readonly day: string;
  /** Instants. */
  readonly published: string;
  readonly updated: string;
  /** Absolute, percent-encoded: at the partner, and what search engines are told. */
  readonly address: string;
  readonly canonical: string;
}

export interface Feed {
  readonly title: string;
  /** Absolute, percent-encoded: of the feed itself, and of the page it belongs to. */
  readonly address: string;
  readonly home: string;
  /** At least one; the newest are shown. */
  readonly entries: readonly FeedEntry[];
}

const MAX_ENTRIES = 50;

export function renderFeed({ title, address, home, entries }: Feed, site: SiteIdentity): Uint8Array {
  const newest = entries
    .toSorted((a, b) => compare(b.published, a.published) || compare(a.firstPath, b.firstPath))
    .slice(0, MAX_ENTRIES);
  const updated = newest.map((entry) => entry.updated).reduce((latest, each) => (each > latest ? each : latest), '');
  return new TextEncoder().encode(`<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="${escapeAttribute(site.language)}">
<title>${xml(title)}</title>
<id>${xml(address)}</id>
<link rel="self" type="application/atom+xml" href="${escapeAttribute(address)}"/>
<link rel="alternate" type="text/html" href="${escapeAttribute(home)}"/>
<updated>${updated}</updated>
<author><name>${xml(site.name)}</name><uri>${xml(site.url)}</uri></author>
<generator>tieup</generator>
${newest.map((entry) => renderEntry(entry, site)).join('')}</feed>
`);
}

function renderEntry(entry: FeedEntry, site: SiteIdentity): string {
  const { title, summary, language, published, updated, address, canonical } = entry;
  const original = canonical === address ? '' : `\n<link rel="canonical" href="${escapeAttribute(canonical)}"/>`;
  const text = summary === '' ? '' : `\n<summary>${xml(summary)}</summary>`;
  return `<entry xml:lang="${escapeAttribute(language)}">
<title>${xml(title)}</title>
<id>${xml(entryId(entry, site))}</id>
<link rel="alternate" type="text/html" href="${escapeAttribute(address)}"/>${original}
<published>${published}</published>
<updated>${updated}</updated>${text}
</entry>
`;
}

/** A tag URI (RFC 4151): the same at every partner, so that whoever reads two feeds sees an entry once. */
function entryId({ firstPath, day }: FeedEntry, { url }: SiteIdentity): string {
  return `tag:${new URL(url).hostname},${day}:${encodePath(firstPath)}`;
}

/** XML allows fewer control characters than HTML; none of them means anything here. */
function xml(text: string): string {
  return escapeText(text.toWellFormed().replace(/[^\P{Cc}\t\n\r]|[\uFFFE\uFFFF]/gu, '\uFFFD'));
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
