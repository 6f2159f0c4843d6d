import { describe, expect, it } from 'vitest';
import { nextChange } from '../../../src/content/schedule.ts';
import { compileSource, partner, problemsOf, siteSource, type SmallSite } from './site-builder.ts';

const SALE = {
  'index.md': '# Home\n\n[sale](sale.md)',
  'sale.md': '---\npublish-from: 2026-12-20\npublish-until: 2026-12-24\n---\n# Sale',
};

function at(time: string, pages: SmallSite['pages'] = SALE) {
  const source = siteSource({ pages });
  return compileSource({ ...source, site: { ...source.site, timeZone: 'Europe/Berlin' }, at: new Date(time) });
}

const paths = (site: ReturnType<typeof at>) => site.filesFor(partner()).map(({ path }) => path);

describe('a page with campaign dates', () => {
  it('is in a release from the first to the last of its days, and not a second longer', () => {
    expect(paths(at('2026-12-19T22:59:59Z'))).toEqual(['with-main/index.html']);
    expect(paths(at('2026-12-19T23:00:00Z'))).toEqual(['with-main/index.html', 'with-main/sale.html']);
    expect(paths(at('2026-12-24T22:59:59Z'))).toEqual(['with-main/index.html', 'with-main/sale.html']);
    expect(paths(at('2026-12-24T23:00:00Z'))).toEqual(['with-main/index.html']);
  });

  it('says when it comes and goes', () => {
    const site = at('2026-12-01T00:00:00Z');
    expect(site.scheduled).toEqual([
      {
        source: 'sale.md',
        title: 'Sale',
        partners: undefined,
        state: 'upcoming',
        from: '2026-12-19T23:00:00Z',
        until: '2026-12-24T23:00:00Z',
      },
    ]);
    expect(nextChange(site.scheduled, new Date('2026-12-01T00:00:00Z'))).toBe('2026-12-19T23:00:00Z');
    expect(nextChange(site.scheduled, new Date('2026-12-19T23:00:00Z'))).toBe('2026-12-24T23:00:00Z');
    expect(nextChange(site.scheduled, new Date('2026-12-24T23:00:00Z'))).toBeUndefined();
  });

  it('is linked at the main site until it is there', () => {
    const before = at('2026-12-01T00:00:00Z');
    expect(before.warnings).toEqual([]);
    const [home] = before.filesFor(partner());
    expect(home?.kind === 'page' && new TextDecoder().decode(home.render(1).bytes)).toContain(
      'href="https://main.example/sale.html"',
    );
    expect(at('2027-01-01T00:00:00Z').warnings).toMatchObject([
      { message: '"sale.md" does not lead to a page of this site' },
    ]);
  });

  it('is checked before its day comes', () => {
    const pages = { 'sale.md': '---\npublish-from: 2026-12-20\ntemplate: nowhere\n---\n# Sale' };
    expect(problemsOf(() => at('2026-12-01T00:00:00Z', pages))).toEqual([
      'pages/sale.md there is no template "nowhere"',
    ]);
  });

  it('is refused when it would never be published', () => {
    const pages = { 'a.md': '---\npublish-from: 2026-12-20\npublish-until: 2026-12-19\n---\n# A' };
    expect(problemsOf(() => at('2026-12-01T00:00:00Z', pages))).toEqual([
      'pages/a.md `publish-until` 2026-12-19 is not after `publish-from` 2026-12-20: the page would never be published',
    ]);
  });
});
