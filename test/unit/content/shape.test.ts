import { describe, expect, it } from 'vitest';
import { compile, pageFor, partner, templateWith } from './site-builder.ts';

const SITE = compile({
  pages: {
    'index.md': '---\ntitle: T\n---\n[Further](further.md)\n',
    'further.md': '---\ntitle: F\npartners: [wide]\n---\nF\n',
  },
  templates: {
    page: templateWith(
      '<p title="{{ partner.name }}" id="{{ partner.place }}"><a href="{{ partner.shop }}">{{ partner.word }}</a><img alt="" src="{{ partner.logo }}"></p>',
    ),
  },
});
const VALUES = { place: 'a', shop: '/shop.html', word: 'Hello', logo: '/with-main/assets/partner/logo.1.svg' };
const IMAGE = { file: 'logo.svg', path: 'assets/partner/logo.1.svg', bytes: new Uint8Array(0), digest: '' };
const shapeOf = (view: Parameters<typeof partner>[0]) =>
  pageFor(SITE, `${(view?.mount ?? '/with-main/').slice(1)}index.html`, partner({ values: VALUES, ...view })).shape();

describe('copies of a page have one shape', () => {
  it('when they differ in words, in the web root and in pictures of the partner’s own', () => {
    const own = { ...VALUES, word: 'Moin', logo: '/with-main/assets/partner/logo.2.svg' };
    const image = { ...IMAGE, path: 'assets/partner/logo.2.svg' };
    const other = { id: 'beta', name: 'Beta', url: 'https://beta.example/', values: own, images: [image] };
    expect(shapeOf(other)).toBe(shapeOf({ images: [IMAGE] }));
  });

  it.each([
    ['an id', { values: { ...VALUES, place: 'b' } }],
    ['where a link leads', { values: { ...VALUES, shop: '/store.html' } }],
    ['a picture from elsewhere', { values: { ...VALUES, logo: '/other.svg' } }],
    ['the mount', { mount: '/coffee/' }],
    ['the folder of the web root', { url: 'https://alpha.example/sub/' }],
    ['pages that the partner gets', { tags: ['wide'] }],
  ])('but not when they differ in %s', (_, view) => {
    expect(shapeOf(view)).not.toBe(shapeOf({}));
  });

  it('but not when one has a feed or a translation that the other lacks', () => {
    const page = (front: string): string => `---\ntitle: T\n${front}---\nT\n`;
    const template = templateWith('', '{{ meta }}');
    const site = compile({
      pages: {
        'index.md': page(''),
        'de.md': page('language: de\ntranslates: index.md\npartners: [german]\n'),
        'news.md': page('date: 2026-11-20\npartners: [fresh]\n'),
      },
      templates: { page: template },
    });
    const shapes = [[], ['german'], ['fresh']].map((tags) =>
      pageFor(site, 'with-main/index.html', partner({ tags, search: 'own' })).shape(),
    );
    expect(new Set(shapes).size).toBe(3);
  });
});
