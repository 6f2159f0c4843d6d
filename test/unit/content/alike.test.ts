import { describe, expect, it } from 'vitest';
import { findActiveContent } from '../../../src/merge/active-content.ts';
import { compile, pageFor, partner, templateWith } from './site-builder.ts';

const TEMPLATE = templateWith(
  '<a href="{{ partner.url }}">{{ partner.name }}</a><img alt="" src="{{ partner.logo }}">',
  '<link rel="stylesheet" href="{{ mount }}assets/style.css">',
);
const SITE = compile({
  pages: {
    'index.md': '---\ntitle: T\n---\n[{{ partner.shop }}]({{ partner.shop }}) ![x]({{ partner.photo }}y.png)\n',
  },
  templates: { page: TEMPLATE },
  assets: ['style.css'],
});
const VALUES = { logo: '/logo.png', photo: '/photo/', shop: 'https://shop.example/' };
const view = (id: string, values: Partial<typeof VALUES> = {}) =>
  partner({ id, name: `Café ${id}`, url: `https://${id}.example/`, values: { ...VALUES, ...values } });
const look = (each: ReturnType<typeof view>) => {
  const page = pageFor(SITE, 'with-main/index.html', each);
  return { alike: page.alike(), found: findActiveContent(page.render(1).bytes, page.path) };
};

describe('copies of a page', () => {
  it('are alike when they differ in words and in where links lead', () => {
    const [one, two] = [look(view('a')), look(view('b', { shop: 'https://other.example/x' }))];
    expect(two.alike).toEqual(one.alike);
    expect([one.found, two.found]).toEqual([[], []]);
  });

  it.each([
    ['the template', { logo: 'https://elsewhere.example/logo.png' }],
    ['the text', { photo: 'https://elsewhere.example/' }],
  ])('are not when a value in %s decides what is loaded', (_, values) => {
    const [one, two] = [look(view('a')), look(view('b', values))];
    expect(two.alike).not.toEqual(one.alike);
    expect(two.found).toHaveLength(1);
  });
});
