import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataMapping } from '../../../src/content/data.ts';
import { parseExpression } from '../../../src/content/expression.ts';
import { compile, elements, htmlFor, partner, problemsOf, shape, templateWith } from './site-builder.ts';

const DATA: DataMapping = {
  shops: {
    berlin: { name: 'Berlin <Mitte>', phone: '+49 30 1', days: ['Mon', 'Tue'] },
    kiel: { name: 'Kiel', days: [] },
  },
  open: true,
  count: 3,
  nothing: null,
};

const PAGE = '---\ntitle: Hello\nvalues: { city: Kiel, wide: true, narrow: false }\n---\nText\n';

const site = (body: string, pages: Record<string, string> = { 'index.md': PAGE }) =>
  compile({ pages, templates: { page: templateWith(body) }, data: DATA });
const render = (body: string, values: Record<string, string> = {}) => {
  const html = htmlFor(site(body), 'with-main/index.html', partner({ values }));
  return /<body>([\s\S]*?)<main>/.exec(html)?.[1] ?? '';
};
const faults = (body: string) => problemsOf(() => site(body)).map((fault) => fault.replace('templates/page.html:', ''));

describe('data files', () => {
  it('are there by name in templates and pages', () => {
    expect(render('<p>{{ data.shops.berlin.name }} {{ data.shops.berlin.days.1 }} {{ data.count }}</p>')).toBe(
      '<p>Berlin &lt;Mitte&gt; Tue 3</p>',
    );
    const html = htmlFor(
      site('', { 'index.md': '# Shops\n\nCall {{ data.shops.berlin.phone }}.\n' }),
      'with-main/index.html',
    );
    expect(html).toContain('<p>Call +49 30 1.</p>');
  });

  it.each([
    ['{{ data.shpos.kiel.name }}', '3:10 `data` has no `shpos` (did you mean `data.shops`?)'],
    ['{{ data.shops.kiel.nam }}', '3:10 `data.shops.kiel` has no `nam` (did you mean `data.shops.kiel.name`?)'],
    ['{{ data.shops.kiel.phone }}', '3:10 `data.shops.kiel` has no `phone`'],
    ['{{ data.shops.constructor }}', '3:10 `data.shops` has no `constructor`'],
    ['{{ data.count.x }}', '3:10 `data.count` is a number and holds no `x`'],
    ['{{ data.shops.berlin.days.2 }}', '3:10 `data.shops.berlin.days` has no `2`'],
    ['{{ data.nothing }}', '3:10 `data.nothing` is empty'],
    [
      '{{ data.shops }}',
      '3:10 `data.shops` is no single value: go through it with <template each="item in data.shops">',
    ],
  ])('say what is wrong with %s', (hole, expected) => {
    expect(faults(`<p>${hole}</p>`)).toEqual([expected]);
  });

  it('are typed by where they stand, as every value is', () => {
    expect(faults('<script>{{ data.count }}</script>')).toEqual([
      '3:15 the variable `data.count` cannot stand in <script>',
    ]);
    expect(faults('<a href="{{ data.shops.kiel.name }}:x">y</a>')).toEqual([
      expect.stringContaining('cannot stand in an address that starts with'),
    ]);
  });
});

describe('a loop', () => {
  it('goes through mappings and lists, in their order', () => {
    const body =
      '<ul>\n  <template each="shop in data.shops">\n  <li>{{ loop.index }} {{ loop.key }} {{ shop.name }}' +
      '<template each="day in shop.days">, {{ day }}</template><template else> closed</template></li>\n  </template>\n</ul>';
    expect(render(body)).toBe(
      '<ul>\n  <li>1 berlin Berlin &lt;Mitte&gt;, Mon, Tue</li>\n  <li>2 kiel Kiel closed</li>\n</ul>',
    );
  });

  it('stops at its limit, and knows its first and last turn', () => {
    expect(
      render(
        '<template each="day in data.shops.berlin.days" limit="1"><p>{{ day }} {{ loop.first }}{{ loop.last }}</p></template>',
      ),
    ).toBe('<p>Mon truetrue</p>');
  });

  it('makes rows of a table and options of a list', () => {
    const body =
      '<table><tbody><template each="shop in data.shops"><tr><td>{{ shop.name }}</td></tr></template></tbody></table>' +
      '<select><template each="shop in data.shops"><option value="{{ loop.key }}">{{ shop.name }}</option></template></select>';
    const html = render(body);
    expect(elements(html).filter(({ tagName }) => tagName === 'td' || tagName === 'option')).toHaveLength(4);
    expect(html).not.toContain('template');
  });

  it('can hold what differs from page to page and from partner to partner', () => {
    expect(
      render(
        '<template each="shop in data.shops"><template if="shop.name == page.city">{{ partner.id }}:{{ shop.name }}</template></template>',
      ),
    ).toBe('alpha:Kiel');
  });

  it('names the value that one of its turns lacks', () => {
    expect(faults('<template each="shop in data.shops"><p>{{ shop.phone }}</p></template>')).toEqual([
      '3:46 `shop` has no `phone`',
    ]);
    expect(faults('<template each="shop in data.shops"><p>{{ shop.phon }}</p></template>')).toEqual([
      '3:46 `shop` has no `phon` (did you mean `shop.phone`?)',
    ]);
  });

  it.each([
    ['<template each="shop of data.shops"></template>', '"shop of data.shops" is no loop'],
    ['<template each="page in data.shops"></template>', '`page` means something else already'],
    [
      '<template each="a in data.shops"><template each="a in a.days"></template></template>',
      'is the name of a loop around',
    ],
    ['<template each="a in data.shosp"></template>', 'did you mean `data.shops`?'],
    ['<template each="a in data.count"></template>', 'is a single value'],
    ['<template each="a in data.shops" limit="0"></template>', 'the limit "0" is no number'],
    ['<template each="a in data.shops" class="x"></template>', 'has no attribute `class`'],
    ['<template each="a in data.shops"><slot name="x"></slot></template>', 'a slot cannot stand in a loop'],
    ['<template each="a in data.shops"><b></template>', '<b> is opened in this <template> and not closed'],
    ['<div><template each="a in data.shops"></div></template>', '</div> closes what was opened outside'],
    ['<template each="a in data.shops">', 'this <template> is not closed'],
    ['<svg><template each="a in data.shops"></template></svg>', 'cannot stand in a drawing'],
    ['<p>{{ loop.index }}</p>', '`loop` stands outside of a loop'],
    ['<template each="a in data.shops"><p>{{ loop.idx }}</p></template>', 'a loop has `loop.index`'],
    ['<template each="a in data.shops"></template><p>{{ a.name }}</p>', 'unknown variable `a.name`'],
    ['<template each="a in data.shops"><script>{{ a.name }}</script></template>', 'cannot stand in <script>'],
    [
      '<template each="a in data.shops"><p onclick="{{ a.name }}">x</p></template>',
      'cannot stand in the event handler',
    ],
    ['<table><template each="a in data.shops">{{ a.name }}</template></table>', 'cannot stand directly in <table>'],
  ])('refuses %s', (body, reason) => {
    const found = faults(body);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(reason);
  });
});

describe('a condition', () => {
  it.each([
    ['page.wide', true],
    ['page.narrow', false],
    ['not page.narrow', true],
    ['data.open', true],
    ['data.nothing', false],
    ['data.shops.kiel.phone', false],
    ['data.shops.kiel.days', false],
    ['data.shops', true],
    ['page.date', false],
    // Nothing that any page has, and nothing like it: so that a frame can be there before the pages that use it.
    ['page.button', false],
    ['page.button == "x"', false],
    ['page.city == "Kiel"', true],
    ["page.city != 'Kiel'", false],
    ['data.count == 3', true],
    ['data.open == true and (page.narrow or page.wide)', true],
    ['page.narrow or not page.wide', false],
    ['"" or page.narrow', false],
  ])('%s is %s', (test, expected) => {
    expect(render(`<template if='${test.replaceAll("'", '&#39;')}'>yes</template><template else>no</template>`)).toBe(
      expected ? 'yes' : 'no',
    );
  });

  it('takes the first branch that holds', () => {
    const body =
      '<template if="page.narrow">a</template>\n<template else-if="page.city == \'Kiel\'">b</template>\n<template else-if="page.wide">c</template> <template else>d</template>';
    expect(render(body)).toBe('b');
  });

  it('on a value of the partner is answered for each partner', () => {
    const body =
      '<template if="partner.phone"><a href="tel:{{ partner.phone }}">call</a></template>' +
      '<template else-if="partner.id == \'beta\'">beta</template><template else>write</template>';
    const compiled = site(body);
    const of = (view: Parameters<typeof partner>[0]) =>
      /<body>(.*?)<main>/.exec(htmlFor(compiled, 'with-main/index.html', partner(view)))?.[1];
    expect(of({ values: { phone: '+49-1' } })).toBe('<a href="tel:%2B49-1">call</a>');
    expect(of({ values: { phone: '' } })).toBe('write');
    expect(of({ id: 'beta' })).toBe('beta');
    expect(of({})).toBe('write');
  });

  it('lets a partner lack the value that it asks for, and no other', () => {
    const compiled = site('<template if="partner.phone">{{ partner.phone }} {{ partner.fax }}</template>');
    expect(problemsOf(() => compiled.filesFor(partner()))).toEqual([]);
    expect(problemsOf(() => compiled.filesFor(partner({ values: { phone: '1' } })))).toEqual([
      expect.stringContaining('has no value for `partner.fax`'),
    ]);
  });

  it('can hold slots, which a framework page then has or has not', () => {
    const body = '<template if="page.wide"><aside><slot name="aside">none</slot></aside></template>';
    const wide = '---\ntitle: W\ninherit: framework\nvalues: { wide: true }\nslots: { aside: {} }\n---\nx';
    const compiled = site(body, { 'index.md': wide, 'n.md': '---\ntitle: N\nvalues: { wide: false }\n---\nx' });
    const [page] = compiled.filesFor(partner());
    expect(page?.kind === 'page' ? page.render(1).slots : []).toMatchObject([{ name: 'aside', length: 4 }]);
    expect(htmlFor(compiled, 'with-main/n.html')).not.toContain('aside');
  });

  it.each([
    ['<template if="page.wied">x</template>', 'unknown variable `page.wied` (did you mean `page.wide`?)'],
    ['<template if="pge.wide">x</template>', 'unknown variable `pge.wide` (did you mean `page.wide`?)'],
    ['<template if="data.shop">x</template>', 'did you mean `data.shops`?'],
    ['<template if="">x</template>', 'the condition "" is empty'],
    ['<template if="page.wide &amp;&amp; x">x</template>', 'cannot hold "&& x"'],
    ['<template if="page.wide ==">x</template>', 'ends too early'],
    ['<template if="(page.wide">x</template>', 'has a parenthesis that is not closed'],
    ['<template if="page.wide page.city">x</template>', 'has "page.city" where it should end'],
    ['<template if="partner.a == partner.b">x</template>', 'two values of a partner cannot be compared'],
    ['<template else>x</template>', '`else` does not follow'],
    ['<template if="page.wide">x</template>y<template else>x</template>', '`else` does not follow'],
    [
      '<template each="a in data.shops"></template><template else-if="page.wide"></template>',
      '`else-if` follows an `each`',
    ],
    ['<template if="page.wide"><template else>x</template></template>', '`else` does not follow'],
  ])('refuses %s', (body, reason) => {
    const found = faults(body);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(reason);
  });

  it('leaves the text of the page where it always is', () => {
    const template =
      '<!doctype html><html><head><title>t</title></head><body><template if="page.wide"><slot name="content"></slot></template></body></html>';
    expect(problemsOf(() => compile({ pages: { 'index.md': PAGE }, templates: { page: template } }))).toEqual([
      expect.stringContaining('cannot depend on a condition'),
    ]);
  });
});

describe('a <template> of the framework itself', () => {
  it('stays as it is', () => {
    expect(render('<template id="x"><p>{{ page.title }}</p></template>')).toBe(
      '<template id="x"><p>Hello</p></template>',
    );
  });
});

describe('whatever values data and partners have', () => {
  it('the shape of a page is the same', () => {
    const body =
      '<ul><template each="shop in data.list"><li title="{{ shop.name }}"><a href="/x/{{ shop.name }}">{{ shop.name }}</a></li></template></ul>' +
      '<template if="partner.motto"><p class="{{ partner.motto }}">{{ partner.motto }}</p></template>';
    const page = (value: string) =>
      htmlFor(
        compile({
          pages: { 'index.md': '# Hi' },
          templates: { page: templateWith(body) },
          data: { list: [{ name: value }, { name: 'plain' }] },
        }),
        'with-main/index.html',
        partner({ values: { motto: value } }),
      );
    const plain = shape(page('x'));
    const hostile = fc.oneof(
      fc.string({ minLength: 1, unit: 'binary' }),
      fc
        .array(fc.constantFrom('<', '>', '"', "'", '&', '</template>', '<script>', '{{', '}}', '-->', '\0', '/'), {
          minLength: 1,
          maxLength: 8,
        })
        .map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(
        hostile.filter((value) => value !== 'false'),
        (value) => {
          expect(shape(page(value))).toBe(plain);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a condition is parsed or refused, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(['parsed', 'fault']).toContain(parseExpression(text).kind);
      }),
    );
  });
});
