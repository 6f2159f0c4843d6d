import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile, elements, htmlFor, partner, problemsOf, shape, templateWith, TEMPLATE } from './site-builder.ts';

const PAGE = { 'index.md': '# Hello\n' };
const site = (template: string, values: Record<string, string> = {}) =>
  compile({ pages: PAGE, templates: { page: template }, values });
const render = (template: string, values: Record<string, string> = {}) =>
  htmlFor(site(template), 'with-main/index.html', partner({ values }));
const faults = (template: string) => problemsOf(() => site(template));

const search = (policy: 'canonical-to-main' | 'noindex' | 'own') =>
  htmlFor(compile({ pages: PAGE }), 'with-main/index.html', partner({ search: policy }));

describe('a template', () => {
  it('takes the variables of site, page, partner and release', () => {
    const html = htmlFor(
      site(
        templateWith(
          '<p>{{ site.name }}|{{site.language}}|{{ site.values.city }}|{{ site.city }}|{{ page.title }}|{{ page.path }}|{{ page.url }}|' +
            '{{ page.canonical }}|{{ page.source }}|{{ partner.id }}|{{ partner.name }}|{{ partner.mount }}|{{ mount }}|{{ release.since }}|{{ generator }}</p>',
        ),
        { city: 'Lübeck' },
      ),
      'with-main/index.html',
      partner(),
      7,
    );
    expect(/<p>(.*)<\/p>/.exec(html)?.[1]?.split('|')).toEqual([
      'Main &amp; Co',
      'en',
      'Lübeck',
      'Lübeck',
      'Hello',
      'index.html',
      'https://alpha.example/with-main/index.html',
      'https://main.example/index.html',
      'https://main.example/index.html',
      'alpha',
      'Café Alpha',
      '/with-main/',
      '/with-main/',
      '7',
      'tieup',
    ]);
  });

  it('is copied byte for byte where it has no holes', () => {
    const odd =
      "<!DOCTYPE html>\n<HTML><head ><title>a &amp b</title>\n</head\n><body  class='x'><main><slot name=content></slot></main>\t</body>";
    const html = render(odd);
    expect(html.startsWith('<!DOCTYPE html>\n<HTML><head ><title>a &amp b</title>\n<link rel="canonical"')).toBe(true);
    expect(html.endsWith('</head\n><body  class=\'x\'><main><h1 id="hello">Hello</h1></main>\t</body>')).toBe(true);
  });

  it('shows two braces that are escaped', () => {
    expect(render(templateWith('<p title="\\{{ x }}">\\{{ partner.name }}</p>'))).toContain(
      '<p title="{{ x }}">{{ partner.name }}</p>',
    );
  });

  it('leaves two braces alone in scripts and styles, where they are code', () => {
    const code = '<script>const a = {b: {}}; if (a) {{ run() }}</script><style>@media print{a{b:c}}</style>';
    expect(render(templateWith('', code))).toContain(code);
  });

  it.each([
    ['<script>let a = "{{ partner.name }}"</script>', 'cannot stand in <script>'],
    ['<style>a{color:x{{ partner.name }}}</style>', 'must be a word of its own in a style'],
    ['<!-- {{ partner.name }} -->', 'cannot stand in a comment'],
    ['<p onclick="x({{ partner.name }})">', 'cannot stand in the event handler `onclick`'],
    ['<p {{ partner.name }}>', 'needs quotes around the value'],
    ['<p title={{partner.name}}>', 'needs quotes around the value of `title`'],
    ['<p style="{{ partner.name }}">', 'can only be the value of a property in a style'],
    ['<iframe srcdoc="{{ partner.name }}"></iframe>', 'cannot stand in `srcdoc` of <iframe>'],
    ['<iframe>{{ partner.name }}</iframe>', 'cannot stand in <iframe>'],
    ['<img srcset="{{ partner.url }} 2x">', 'cannot stand in the attribute `srcset`'],
    ['<a href="javascript:{{ partner.name }}">', 'cannot stand in an address that starts with "javascript:"'],
    ['<a href="JavaScript:{{ partner.name }}">', 'cannot stand in an address that starts with "javascript:"'],
    ['<a href="{{ partner.id }}script:x">', 'cannot stand in an address that starts with'],
    ['<a href="java&#115;cript:{{ partner.name }}">', 'needs an address without character references'],
    ['<a href="java\tscript:{{ partner.name }}">', 'needs an address without blanks'],
    ['<script src="{{ partner.cdn }}/a.js"></script>', 'cannot decide what a page loads'],
    ['<link rel="stylesheet" href="{{ site.name }}">', 'cannot decide what a page loads'],
    ['<link rel="icon stylesheet" href="{{ partner.logo }}">', 'cannot decide what a page loads'],
    ['<link rel="stylesheet" rel="icon" href="{{ partner.logo }}">', 'cannot decide what a page loads'],
    ['<link rel="preload" as="image" href="{{ partner.logo }}">', 'cannot decide what a page loads'],
    ['<base href="{{ partner.url }}">', 'cannot stand in `href` of <base>'],
    ['<meta http-equiv="refresh" content="0; url={{ partner.url }}">', 'cannot stand in `content` of this <meta>'],
    ['<table><tr>{{ partner.name }}</tr></table>', 'cannot stand directly in <tr>'],
    ['<svg><a href="{{ partner.url }}"/></svg>', 'cannot stand in the attribute `href`'],
    ['<svg><set attributeName="href" to="{{ partner.url }}"/></svg>', 'cannot stand in the attribute `to`'],
    ['<svg><style>{{ partner.name }}</style></svg>', 'cannot stand in <style>'],
    ['<noscript>{{ partner.name }}</noscript>', 'cannot stand in <noscript>'],
    ['<p title="a" title="{{ partner.name }}">x</p>', 'cannot stand in a tag'],
  ])('refuses the hole in %s', (html, reason) => {
    const found = faults(templateWith(html));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(reason);
    expect(found[0]).toMatch(/^templates\/page\.html:3:\d+ the variable `/);
  });

  it.each(['icon', 'shortcut icon', 'apple-touch-icon'])('shows a picture of the partner as its %s', (relation) => {
    const icon = `<link rel="${relation}" href="{{ partner.logo }}">`;
    const shown = compile({ pages: { 'index.md': '# x\n' }, templates: { page: templateWith('', icon) } });
    const view = (logo: string) => partner({ values: { logo } });
    expect(htmlFor(shown, 'with-main/index.html', view('/x.svg'))).toContain(`<link rel="${relation}" href="/x.svg">`);
    expect(problemsOf(() => shown.filesFor(view('javascript:x')))).toHaveLength(1);
  });

  it('says where an unknown variable stands and what was meant', () => {
    expect(faults(templateWith('\n<p>ä {{ partnr.name }}</p>\n<p title="{{ site.nmae }}">'))).toEqual([
      'templates/page.html:4:6 unknown variable `partnr.name` (did you mean `partner.name`?)',
      'templates/page.html:5:11 unknown variable `site.nmae` (did you mean `site.name`?)',
    ]);
  });

  it('counts columns in CRLF files as editors do', () => {
    expect(faults(templateWith('\r\n\r\n  {{ nope }}'))).toEqual([
      'templates/page.html:5:3 unknown variable `nope`: write \\{{ for two braces as text',
    ]);
  });

  it('takes braces that are no variable for a mistake', () => {
    expect(faults(templateWith('<p>{{ partner name }} {{}}</p>'))).toHaveLength(2);
  });

  it('names the page for which a variable of the front matter is missing', () => {
    const pages = { 'a.md': '---\ntitle: A\nvalues: {colour: red}\n---\n', 'b.md': '---\ntitle: B\n---\n' };
    expect(problemsOf(() => compile({ pages, templates: { page: templateWith('{{ page.colour }}') } }))).toEqual([
      'templates/page.html:3:7 the page has no `colour`, in the page pages/b.md',
    ]);
  });

  it.each([
    ['<p></p>', 'no <slot name="content">'],
    [TEMPLATE.replace('</head>', ''), 'no </head>'],
    [TEMPLATE.replace('<!doctype html>', ''), 'does not start with <!doctype html>'],
    [templateWith('<slot name="content"></slot>'), 'is there twice'],
    [templateWith('<slot name="Side"></slot>'), 'is no slot name'],
    [templateWith('<slot></slot>'), 'is no slot name'],
    [templateWith('<slot name="a"><slot name="b"></slot></slot>'), 'cannot stand in slot "a"'],
    [templateWith('<slot name="a"><div></slot>'), '<div> is not closed in slot "a"'],
    [templateWith('<p><slot name="a"></slot></p>'), 'cannot stand in <p>'],
    [templateWith('</slot>'), 'closes a slot that is not open'],
    [templateWith('<p>{{ navigation }}</p>'), 'the navigation is a list'],
    [templateWith('<nav title="{{ navigation }}"></nav>'), 'the navigation is a list'],
  ])('refuses %s', (template, reason) => {
    expect(faults(template).join('\n')).toContain(reason);
  });

  it('tells search engines what the partnership has agreed', () => {
    expect(search('canonical-to-main')).toContain('<link rel="canonical" href="https://main.example/index.html">');
    expect(search('noindex')).toContain('<meta name="robots" content="noindex">');
    expect(search('noindex')).not.toContain('canonical');
    expect(search('own')).not.toMatch(/canonical|robots/);
  });
});

describe('a value', () => {
  const HOLES = templateWith(
    '<p title="{{ partner.v }}" data-x=\'{{ partner.v }}\'>{{ partner.v }}</p><textarea>{{ partner.v }}</textarea>' +
      '<a href="/x?q={{ partner.v }}">a</a><a href="/p/{{ partner.v }}">b</a><a href="https://{{ partner.v }}.example/">c</a>' +
      '<svg><title>{{ partner.v }}</title></svg>',
    '<title>{{ partner.v }}</title><meta name="d" content="{{ partner.v }}">',
  );
  const compiled = site(HOLES);
  const plain = shape(htmlFor(compiled, 'with-main/index.html', partner({ values: { v: 'plain' } })));
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom(
        '<',
        '>',
        '"',
        "'",
        '&',
        '/',
        '-',
        '!',
        '{',
        '}',
        'script',
        'title',
        'textarea',
        'a',
        ' ',
        '\n',
        ';',
        '#',
        '=',
        '`',
        '\0',
        '\\',
      ),
    }),
    fc.constantFrom(
      '</title><script>alert(1)</script>',
      '</textarea><img src=x onerror=alert(1)>',
      '" onmouseover="alert(1)',
      "' autofocus onfocus='alert(1)",
      '{{ partner.name }}',
      '<!--',
      ']]><x>',
      '&lt;script&gt;',
      '\u2028</svg><script>',
      '\uD800<b>',
    ),
  );

  it('never changes the shape of a page, wherever it stands', () => {
    fc.assert(
      fc.property(hostile, (v) => {
        expect(shape(htmlFor(compiled, 'with-main/index.html', partner({ values: { v } })))).toBe(plain);
      }),
      { numRuns: 400 },
    );
  });

  it('is read back as it was given, in text and attributes', () => {
    fc.assert(
      fc.property(hostile, (v) => {
        const expected = v.toWellFormed().replace(/[^\P{Cc}\t\n\r]/gu, '\uFFFD');
        const found = elements(htmlFor(compiled, 'with-main/index.html', partner({ values: { v } })));
        const p = found.find((element) => element.tagName === 'p');
        expect(p?.attrs.map((attribute) => attribute.value)).toEqual([expected, expected]);
        expect(p?.childNodes.map((node) => ('value' in node ? node.value : ''))).toEqual(
          expected === '' ? [] : [expected],
        );
      }),
      { numRuns: 400 },
    );
  });

  const LINK = site(templateWith('<a href="{{ partner.v }}">x</a><img src="{{ partner.v }}">'));

  it.each([
    'https://shop.example/a?b=c&d=e#f',
    'HTTP://x.example',
    'mailto:a@b.example',
    'tel:+491234',
    '/a/b',
    'a/b',
    '../x',
    '#top',
    '?q',
    '',
    'über.html',
    'a%20b',
  ])('may be the address %j', (v) => {
    const html = htmlFor(LINK, 'with-main/index.html', partner({ values: { v } }));
    const href = elements(html).find((element) => element.tagName === 'a')?.attrs[0]?.value ?? '';
    const base = 'https://alpha.example/with-main/';
    expect(new URL(href, base).href).toBe(new URL(v, base).href);
  });

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'java\nscript:alert(1)',
    ' javascript:alert(1)',
    '\u0001javascript:alert(1)',
    'javascript\t:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'blob:https://x',
    'file:///etc/passwd',
    '//evil.example',
    '\\\\evil.example',
    '/\\evil.example',
    'https:evil',
    'http:///x',
  ])('may not be the address %j', (v) => {
    const found = problemsOf(() => LINK.filesFor(partner({ values: { v } })));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain('templates/page.html:3:16 the value');
    expect(found[0]).toContain('for partner "alpha"');
  });

  it('never makes a link that runs a script, whatever is put together', () => {
    const parts = site(
      templateWith(
        '<a href="{{ partner.v }}{{ partner.w }}">x</a><a href="/{{ partner.w }}">x</a><a href="x{{ partner.w }}">x</a><a href="?a={{ partner.w }}">x</a>',
      ),
    );
    const piece = fc.oneof(
      fc.constantFrom(
        'javascript',
        ':',
        'javascript:',
        'alert(1)',
        '//evil.example',
        '/',
        '\\',
        '@evil.example',
        'data',
        '',
        'https',
      ),
      fc.string({ unit: 'binary', maxLength: 8 }),
    );
    fc.assert(
      fc.property(piece, piece, (v, w) => {
        const view = partner({ values: { v, w } });
        if (problemsOf(() => parts.filesFor(view)).length > 0) return;
        for (const { tagName, attrs } of elements(htmlFor(parts, 'with-main/index.html', view))) {
          if (tagName !== 'a') continue;
          const url = new URL(attrs[0]?.value ?? '', 'https://alpha.example/with-main/');
          expect(['https:', 'http:', 'mailto:', 'tel:']).toContain(url.protocol);
          expect(url.host).not.toContain('evil');
        }
      }),
      { numRuns: 600 },
    );
  });

  it('is missed with its name, its place and what was meant', () => {
    const hours = site(templateWith('<p>{{ partner.hours }}</p>'));
    expect(problemsOf(() => hours.filesFor(partner({ values: { houres: '9' } })))).toEqual([
      'templates/page.html:3:10 partner "alpha" has no value for `partner.hours` (did you mean `partner.houres`?)',
    ]);
    expect(problemsOf(() => hours.filesFor(partner({ values: { hours: '9' } })))).toEqual([]);
  });

  it('of an inherited property is no value', () => {
    expect(problemsOf(() => site(templateWith('{{ partner.constructor }}')).filesFor(partner()))).toHaveLength(1);
    expect(faults(templateWith('{{ site.toString }}'))).toHaveLength(1);
  });
});

describe('assets in a template', () => {
  const hashed = (body: string, head = '') =>
    htmlFor(
      compile({
        pages: PAGE,
        templates: { page: templateWith(body, head) },
        assets: ['style.css', 'a b.png', 'f.woff2', 'app.js', 'menu.pdf'],
        hashAssets: true,
      }),
      'with-main/index.html',
    );

  it('get their published names, wherever a page loads them from', () => {
    const html = hashed(
      '<img src="{{mount}}assets/a%20b.png?v#x" srcset="{{ mount }}assets/a%20b.png 1x, {{ partner.mount }}assets/a%20b.png 2x">' +
        '<a href="{{ mount }}assets/menu.pdf">menu</a>',
      '<link rel="stylesheet" href="{{ mount }}assets/style.css"><link rel="preload" as="font" href="{{ mount }}assets/f.woff2">',
    );
    expect(html).toContain(
      '<img src="/with-main/assets/a%20b.abababab.png?v#x" srcset="/with-main/assets/a%20b.abababab.png 1x, /with-main/assets/a%20b.abababab.png 2x">',
    );
    expect(html).toContain('<a href="/with-main/assets/menu.pdf">');
    expect(html).toContain('<link rel="stylesheet" href="/with-main/assets/style.abababab.css">');
    expect(html).toContain('href="/with-main/assets/f.abababab.woff2"');
  });

  it('keep the names by which it speaks of them in another way', () => {
    const html = hashed(
      '<img src="{{ mount }}assets/a%20b.png">',
      '<link rel="stylesheet" href="{{ mount }}assets/style.css"><style>@import "/with-main/assets/style.css";</style>',
    );
    expect(html).toContain('<link rel="stylesheet" href="/with-main/assets/style.css">');
    expect(html).toContain('assets/a%20b.abababab.png');
  });
});
