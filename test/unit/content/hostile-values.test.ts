/** Hostile values of partners and of front matter: a page keeps its shape whatever they say. */
import { describe, expect, it } from 'vitest';
import { HOSTILE_VALUES } from '../../support/hostile-texts.ts';
import { compile, htmlFor, partner, problemsOf, shape, templateWith } from './site-builder.ts';

const TEMPLATE = templateWith(
  '<p title="{{ partner.v }}" class="{{ partner.v }}">{{ partner.v }}</p><a href="/x?y={{ partner.v }}">{{ page.title }}</a>',
  '<meta name="description" content="{{ page.description }}">',
);

function valuePage(value: string): string {
  const text = '{{ partner.v }}\n\n<i title="{{ partner.v }}">x</i> [y](/z?{{ partner.v }})';
  // Titles and descriptions are one line each and not too long, or refused.
  const line = JSON.stringify(value.replace(/[\r\n]/g, ' ').slice(0, 300));
  const front = `title: ${line}\ndescription: ${line}`;
  const site = compile({ pages: { 'index.md': `---\n${front}\n---\n${text}\n` }, templates: { page: TEMPLATE } });
  return htmlFor(site, 'with-main/index.html', partner({ values: { v: value } }));
}

describe('hostile values', () => {
  it('leave the shape of the page as it is', () => {
    const plain = shape(valuePage('x'));
    expect(HOSTILE_VALUES.filter((value) => shape(valuePage(value)) !== plain)).toEqual([]);
  });

  it('cannot be where a link leads when they are no address for that', () => {
    const site = compile({ pages: { 'index.md': '---\ntitle: T\n---\n[x]({{ partner.v }})\n' } });
    const scripts = HOSTILE_VALUES.filter((value) => /script|data:|blob:/i.test(value.replace(/[\s\p{Cc}]/gu, '')));
    const accepted = scripts.filter(
      (v) =>
        /^[^/]*:/.test(v) &&
        problemsOf(() => htmlFor(site, 'with-main/index.html', partner({ values: { v } }))).length === 0,
    );
    expect(scripts.length).toBeGreaterThan(5);
    expect(accepted).toEqual([]);
  });
});
