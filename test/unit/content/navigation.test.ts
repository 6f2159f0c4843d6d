import { describe, expect, it } from 'vitest';
import { Navigation, type NavigationEntry } from '../../../src/content/navigation.ts';

const entry = (path: string, label: string, more: Partial<NavigationEntry> = {}): NavigationEntry => ({
  source: path.replace('.html', '.md'),
  path,
  label,
  order: undefined,
  hidden: false,
  ...more,
});

const navigation = new Navigation(
  [
    entry('index.html', 'Home'),
    entry('guide/index.html', 'Guide'),
    entry('guide/first-steps/a.html', 'A & B'),
    entry('guide/secret.html', 'Secret', { hidden: true }),
    entry('news/index.html', 'News'),
    entry('about.html', 'About'),
  ],
  '/with-main/',
);
const page = (path: string, listedAt = path, title = 'T') => ({ path, listedAt, title });
const shown = (path: string, listedAt?: string) =>
  Buffer.concat([...navigation.pieces(page(path, listedAt))]).toString();
const crumbs = (path: string, listedAt?: string, title?: string) =>
  Buffer.from(navigation.breadcrumbs(page(path, listedAt, title))).toString();

describe('the navigation', () => {
  it('opens the folders on the way to a page and marks its link', () => {
    expect(shown('guide/first-steps/a.html')).toBe(
      '<ul>\n<li><a href="/with-main/index.html">Home</a></li>\n<li><a href="/with-main/about.html">About</a></li>\n' +
        '<li><a href="/with-main/guide/index.html">Guide</a><ul>\n<li><a href="/with-main/guide/first-steps/a.html">First steps</a><ul>\n' +
        '<li><a href="/with-main/guide/first-steps/a.html" aria-current="page">A &amp; B</a></li>\n</ul></li>\n</ul></li>\n' +
        '<li><a href="/with-main/news/index.html">News</a></li>\n</ul>',
    );
  });

  it('marks what a page belongs to when it has no link of its own', () => {
    expect(shown('guide/secret.html')).toContain('<a href="/with-main/guide/index.html" aria-current="true">Guide</a>');
    expect(shown('news/page/2/index.html', 'news/index.html')).toContain(
      '<a href="/with-main/news/index.html" aria-current="true">News</a>',
    );
    expect(shown('guide/secret.html')).not.toContain('Secret');
  });
});

describe('breadcrumbs', () => {
  it('lead from the first page of all to the page itself', () => {
    expect(crumbs('guide/first-steps/a.html')).toBe(
      '<ol>\n<li><a href="/with-main/index.html">Home</a></li>\n<li><a href="/with-main/guide/index.html">Guide</a></li>\n' +
        '<li>First steps</li>\n<li><a href="/with-main/guide/first-steps/a.html" aria-current="page">A &amp; B</a></li>\n</ol>',
    );
    expect(crumbs('index.html')).toBe(
      '<ol>\n<li><a href="/with-main/index.html" aria-current="page">Home</a></li>\n</ol>',
    );
  });

  it('are there for pages which the navigation leaves out, and for the further pages of a list', () => {
    expect(navigation.trail(page('guide/secret.html')).map(({ label }) => label)).toEqual(['Home', 'Guide', 'Secret']);
    expect(navigation.trail(page('news/page/2/index.html', 'news/index.html', 'News (2)'))).toEqual([
      { label: 'Home', path: 'index.html' },
      { label: 'News', path: 'news/index.html' },
      { label: 'News (2)', path: 'news/page/2/index.html' },
    ]);
  });
});
