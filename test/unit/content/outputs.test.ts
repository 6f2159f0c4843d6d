import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderSitemaps } from '../../../src/content/sitemap.ts';
import type { PartnerView } from '../../../src/content/source.ts';
import { compile, elements, htmlFor, partner, problemsOf, shape, siteSource, compileSource } from './site-builder.ts';

const META = `<!doctype html>
<html lang="{{ page.language }}"><head><title>{{ page.title }}</title>
{{ meta }}
</head><body><main><slot name="content"></slot></main></body></html>
`;

const PAGES = {
  'index.md': '---\ndescription: All about it\n---\n# Home',
  'rides.md':
    '---\ndate: 2026-11-20\nupdated: 2026-11-22T10:00Z\nimage: assets/road.png\naliases: tours.html\n---\n# Rides & more',
  'de/rides.md': '---\ndate: 2026-11-21\n---\n# Touren',
  'fr/rides.md': '---\npartners: [cafe-fr]\n---\n# Sorties',
};

const OWN = partner({ search: 'own' });

function site(pages: Readonly<Record<string, string>> = PAGES) {
  const source = siteSource({ pages, templates: { page: META }, assets: ['road.png'] });
  return compileSource({ ...source, site: { ...source.site, languages: ['de', 'fr'] } });
}

function documentFor(view: PartnerView, path: string): string | undefined {
  const found = site()
    .filesFor(view)
    .find((file) => file.path === path);
  return found?.kind === 'document' ? new TextDecoder().decode(found.render()) : undefined;
}

function metaOf(html: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { tagName, attrs } of elements(html)) {
    const of = (name: string) => attrs.find((each) => each.name === name)?.value;
    const key = of('property') ?? of('name') ?? of('rel');
    if ((tagName === 'meta' || tagName === 'link') && key !== undefined)
      found[`${key}${of('hreflang') === undefined ? '' : ` ${of('hreflang')}`}`] = of('content') ?? of('href') ?? '';
  }
  return found;
}

function jsonLd(html: string): unknown {
  const [, json = ''] = /<script type="application\/ld\+json">(.*?)<\/script>/s.exec(html) ?? [];
  return JSON.parse(json);
}

describe('what search engines are told', () => {
  const look = (search: PartnerView['search']) => metaOf(htmlFor(site(), 'with-main/rides.html', partner({ search })));

  it('is that the copy is the page, where the terms say own', () => {
    expect(look('own')).toMatchObject({
      'og:url': 'https://alpha.example/with-main/rides.html',
      'alternate en': 'https://alpha.example/with-main/rides.html',
      'alternate de': 'https://alpha.example/with-main/de/rides.html',
      'alternate x-default': 'https://alpha.example/with-main/rides.html',
    });
    expect(look('own')).not.toHaveProperty('canonical');
    expect(look('own')).not.toHaveProperty('robots');
    expect(documentFor(OWN, 'with-main/sitemap.xml')).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>https://alpha.example/with-main/de/rides.html</loc><lastmod>2026-11-21T00:00:00Z</lastmod></url>
<url><loc>https://alpha.example/with-main/index.html</loc></url>
<url><loc>https://alpha.example/with-main/rides.html</loc><lastmod>2026-11-22T10:00:00Z</lastmod></url>
</urlset>
`);
  });

  it('is that the page is at the main site, where the terms say canonical-to-main', () => {
    const found = look('canonical-to-main');
    expect(found).toMatchObject({
      canonical: 'https://main.example/rides.html',
      'og:url': 'https://main.example/rides.html',
    });
    expect(Object.keys(found).filter((key) => key.startsWith('alternate '))).toEqual([]);
    expect(documentFor(partner(), 'with-main/sitemap.xml')).toBeUndefined();
    expect(documentFor(partner(), 'with-main/feed.xml')).toContain(
      '<link rel="canonical" href="https://main.example/rides.html"/>',
    );
  });

  it('is to leave the copy out, where the terms say noindex', () => {
    const found = look('noindex');
    expect(found).toMatchObject({ robots: 'noindex', 'og:url': 'https://alpha.example/with-main/rides.html' });
    expect(found).not.toHaveProperty('canonical');
    expect(Object.keys(found).filter((key) => key.startsWith('alternate '))).toEqual([]);
    expect(documentFor(partner({ search: 'noindex' }), 'with-main/sitemap.xml')).toBeUndefined();
  });
});

describe('translations', () => {
  const links = (path: string, view: PartnerView) =>
    Object.entries(metaOf(htmlFor(site(), path, view))).filter(([key]) => key.startsWith('alternate '));

  it('name each other in both directions, and only those that the partner gets', () => {
    expect(links('with-main/rides.html', OWN)).toEqual(links('with-main/de/rides.html', OWN));
    const french = partner({ search: 'own', tags: ['cafe-fr'] });
    expect(links('with-main/fr/rides.html', french).map(([key]) => key)).toEqual([
      'alternate de',
      'alternate en',
      'alternate fr',
      'alternate x-default',
    ]);
    expect(links('with-main/index.html', OWN)).toEqual([]);
  });

  it('are found by name as well, and each page says its language', () => {
    const pages = { 'a.md': '# A', 'b.md': '---\nlanguage: de\ntranslates: a.md\n---\n# B' };
    const html = htmlFor(site(pages), 'with-main/b.html', OWN);
    expect(metaOf(html)).toMatchObject({ 'alternate en': 'https://alpha.example/with-main/a.html', 'og:locale': 'de' });
    expect(html).toContain('<html lang="de">');
  });

  it('are refused when they contradict each other', () => {
    const page = (meta: string) => `---\n${meta}\n---\n# T`;
    expect(
      problemsOf(() =>
        site({
          'a.md': '# A',
          'b.md': page('translates: a.md'),
          'c.md': page('translates: c.md'),
          'd.md': page('language: de\ntranslates: aa.md'),
          'e.md': page('language: fr\ntranslates: b.md'),
        }),
      ),
    ).toEqual([
      'pages/b.md this page and pages/a.md are the same page in the same language, en: give one its own `language`',
      'pages/c.md `translates` names the page itself',
      'pages/d.md `translates` names "aa.md", which is no page (did you mean "a.md"?)',
      'pages/e.md `translates` names "b.md", which is a translation itself: name "a.md"',
    ]);
  });
});

describe('the feed', () => {
  it('tells of the pages with a date, the newest first, under names that stay', () => {
    const feed = documentFor(partner(), 'with-main/feed.xml') ?? '';
    expect(feed).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<feed xmlns="http:\/\/www\.w3\.org\/2005\/Atom"/);
    expect([...feed.matchAll(/<id>(.*?)<\/id>/g)].map(([, id]) => id)).toEqual([
      'https://alpha.example/with-main/feed.xml',
      'tag:main.example,2026-11-21:de/rides.html',
      'tag:main.example,2026-11-20:tours.html',
    ]);
    expect(feed).toContain('<title>Rides &amp; more</title>');
    expect(feed).toContain('<updated>2026-11-22T10:00:00Z</updated>\n<author>');
    expect(documentFor(OWN, 'with-main/feed.xml')).not.toContain('canonical');
    expect(metaOf(htmlFor(site(), 'with-main/index.html'))['alternate']).toBe('/with-main/feed.xml');
  });

  it('is not there when no page has a date', () => {
    const plain = compile({ pages: { 'index.md': '# Home' }, templates: { page: META } });
    expect(plain.filesFor(OWN).map(({ path }) => path)).toEqual(['with-main/index.html', 'with-main/sitemap.xml']);
    expect(metaOf(htmlFor(plain, 'with-main/index.html'))).not.toHaveProperty('alternate');
  });
});

describe('{{ meta }}', () => {
  it('shows a page as it is shared, once for people and once for machines', () => {
    const html = htmlFor(site(), 'with-main/rides.html', OWN);
    expect(metaOf(html)).toMatchObject({
      'og:type': 'article',
      'og:title': 'Rides & more',
      'og:site_name': 'Main & Co',
      'og:image': 'https://alpha.example/with-main/assets/road.png',
      'article:published_time': '2026-11-20T00:00:00Z',
    });
    expect(jsonLd(html)).toEqual({
      '@context': 'https://schema.org',
      '@type': 'Article',
      headline: 'Rides & more',
      inLanguage: 'en',
      datePublished: '2026-11-20T00:00:00Z',
      dateModified: '2026-11-22T10:00:00Z',
      url: 'https://alpha.example/with-main/rides.html',
      image: 'https://alpha.example/with-main/assets/road.png',
      publisher: { '@type': 'Organization', name: 'Main & Co', url: 'https://main.example/' },
    });
  });

  it('is never broken by a value, and says each as it is', () => {
    const plain = shape(htmlFor(site({ 'a.md': '---\ntitle: T\ndescription: D\n---\n' }), 'with-main/a.html', OWN));
    const hostile = fc.oneof(
      fc.constantFrom('</script><script>alert(1)</script>', '<!--<script>', '"}', '\\', ']]>', 'a\u2028b', '{{{{'),
      fc.string({ minLength: 1, unit: 'binary' }).map((text) => `x${text.replaceAll(/[\p{Cc}\p{Z}]/gu, ' ')}x`),
    );
    fc.assert(
      fc.property(hostile, hostile, (title, description) => {
        const meta = `---\ntitle: ${JSON.stringify(title)}\ndescription: ${JSON.stringify(description)}\n---\n`;
        const html = htmlFor(site({ 'a.md': meta }), 'with-main/a.html', OWN);
        expect(shape(html)).toBe(plain);
        expect(jsonLd(html)).toMatchObject({ name: title.trim(), description });
        const script = elements(html).find(({ tagName }) => tagName === 'script');
        expect(script?.childNodes).toHaveLength(1);
      }),
      { numRuns: 40 },
    );
  });

  it('belongs into the head', () => {
    const template = META.replace('<main>', '<p>{{ meta }}</p><main>');
    expect(problemsOf(() => compile({ pages: {}, templates: { page: template } }))).toEqual([
      'templates/page.html:4:17 `{{ meta }}` belongs directly into <head>',
    ]);
  });
});

describe('a sitemap', () => {
  it('is cut where search engines stop to read, by entries and by bytes', () => {
    const entries = Array.from({ length: 10 }, (_, index) => ({
      address: `https://a.example/${index}`,
      modified: undefined,
    }));
    const counts = (limits: { entries: number; bytes: number }) =>
      renderSitemaps(entries, limits).map((bytes) => new TextDecoder().decode(bytes).split('<loc>').length - 1);
    expect(counts({ entries: 4, bytes: 1e6 })).toEqual([4, 4, 2]);
    const [all] = renderSitemaps(entries);
    expect(counts({ entries: 10, bytes: all?.length ?? 0 })).toEqual([10]);
    expect(counts({ entries: 10, bytes: (all?.length ?? 0) - 1 })).toEqual([9, 1]);
    for (const bytes of renderSitemaps(entries, { entries: 10, bytes: 300 })) expect(bytes.length).toBeLessThan(301);
  });
});
