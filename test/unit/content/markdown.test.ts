import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, serialize } from 'parse5';
import { bodyOf, compile, elements, htmlFor, partner, problemsOf, shape } from './site-builder.ts';

const FORBIDDEN =
  'script style iframe object embed base link meta form button svg math template noscript textarea xmp'.split(' ');
const page = (markdown: string) => ({ 'index.md': `---\ntitle: T\n---\n${markdown}` });
const faults = (markdown: string) => problemsOf(() => compile({ pages: page(markdown) }));

describe('Markdown', () => {
  it.each([
    ['# A *b* `c`', '<h1 id="a-b-c">A <em>b</em> <code>c</code></h1>'],
    ['a\nb  \nc\\\nd', '<p>a\nb<br>\nc<br>\nd</p>'],
    ['> a\n\n* * *', '<blockquote>\n<p>a</p>\n</blockquote>\n<hr>'],
    ['1. a\n2. b', '<ol>\n<li>a</li>\n<li>b</li>\n</ol>'],
    [
      '![a "q"](https://x.example/y.png "t")',
      '<p><img src="https://x.example/y.png" alt="a &#x22;q&#x22;" title="t" decoding="async"></p>',
    ],
    ['<https://x.example/?a&b>', '<p><a href="https://x.example/?a&#x26;b">https://x.example/?a&#x26;b</a></p>'],
    ['www.x.example', '<p><a href="http://www.x.example">www.x.example</a></p>'],
    ['~~a~~ &copy; \\*', '<p><del>a</del> © *</p>'],
    ['```js\na < b\n```', '<pre tabindex="0"><code class="language-js">a &#x3C; b\n</code></pre>'],
    ['    a\n    b', '<pre tabindex="0"><code>a\nb\n</code></pre>'],
    [
      '- [x] do it',
      '<ul class="contains-task-list">\n<li class="task-list-item"><input type="checkbox" checked disabled aria-label="do it"> do it</li>\n</ul>',
    ],
    ['<b class="x" data-y="z" lang="de">a</b>', '<p><b class="x" data-y="z" lang="de">a</b></p>'],
  ])('renders %j', (markdown, html) => {
    expect(bodyOf(markdown)).toBe(html);
  });

  it('renders tables, aligned, within reach of the keyboard', () => {
    expect(bodyOf('| a | b |\n|:-:|--:|\n| c | d |')).toBe(
      '<table tabindex="0">\n<thead>\n<tr>\n<th align="center">a</th>\n<th align="right">b</th>\n</tr>\n</thead>\n' +
        '<tbody>\n<tr>\n<td align="center">c</td>\n<td align="right">d</td>\n</tr>\n</tbody>\n</table>',
    );
  });

  it('keeps blank first lines of code, with raw HTML in the page and without', () => {
    const code = '<pre tabindex="0"><code>\n  a\n</code></pre>';
    expect(bodyOf('```\n\n  a\n```')).toBe(code);
    expect(bodyOf('```\n\n  a\n```\n\n<b>x</b>')).toBe(`${code}\n<p><b>x</b></p>`);
    expect(elements(bodyOf('<pre>\n\nx</pre>')).find((element) => element.tagName === 'pre')?.childNodes).toMatchObject(
      [{ value: '\nx' }],
    );
  });

  it('makes footnotes whose links meet', () => {
    const html = bodyOf('a[^n]\n\n[^n]: b');
    const ids = new Set([...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]));
    for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
    expect(html).toContain('class="footnotes"');
  });

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg onload=alert(1)><script>alert(1)</script></svg>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="jAvAsCrIpT&colon;alert(1)">x</a>',
    '<a href="java&Tab;script:alert(1)">x</a>',
    '<a href=" &#1; javascript:alert(1)">x</a>',
    '[x](javascript:alert(1))',
    '[x](<java\tscript:alert(1)>)',
    '[x](data:text/html;base64,PHNjcmlwdD4=)',
    '[x][r]\n\n[r]: vbscript:x',
    '![x](javascript:alert(1))',
    '<iframe src="https://evil.example"></iframe><object data=x></object><embed src=x>',
    '<form action="/x"><input name=q><button formaction="javascript:1">x</button></form>',
    '<base href="https://evil.example/"><link rel=stylesheet href=x><meta http-equiv=refresh content="0;url=javascript:1">',
    '<p style="background:url(javascript:1)">x</p><style>@import "x"</style>',
    '<details open ontoggle=alert(1)><summary>x</summary></details>',
    '<video><source onerror=alert(1)></video><audio src="javascript:1" autoplay>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<textarea></textarea><title></title><xmp><img src=x onerror=alert(1)></xmp><plaintext>',
    '<template><script>alert(1)</script></template><slot-x onclick=1>x</slot-x>',
    '<a href="https://x.example" target=_blank ping="https://evil.example" onclick=x>y</a>',
    '<svg><foreignObject><iframe srcdoc="<script>alert(1)</script>"></iframe></foreignObject></svg>',
    '<![CDATA[<script>alert(1)</script>]]><!-- <script> --!><img src=x onerror=alert(1)>',
    'a\n\n<div\n onmouseover="alert(1)">x</div>',
  ])('takes the sting out of %s', (markdown) => {
    const html = bodyOf(markdown);
    for (const { tagName, attrs } of elements(html)) {
      expect(FORBIDDEN).not.toContain(tagName);
      for (const { name } of attrs) {
        expect(name).not.toMatch(/^on|^style$|^srcdoc$|^ping$|^formaction$|^autoplay$|^target$/);
      }
      const addresses = attrs.filter(({ name }) => name === 'href' || name === 'src');
      for (const { value } of addresses) {
        expect(new URL(value, 'https://a.example').protocol).toMatch(/^(?:https?|mailto|tel):$/);
      }
    }
  });

  it('means the same to a browser when what it has read is written and read again', () => {
    // Mutation XSS lives on markup that a second parse reads differently than the first.
    const tags =
      'p div table tr td a b i h1 h2 li ul pre svg math style select option button center noscript title textarea form object nobr'.split(
        ' ',
      );
    const piece = fc.oneof(
      fc.constantFrom(...tags).map((tag) => `<${tag}>`),
      fc.constantFrom(...tags).map((tag) => `</${tag}>`),
      fc.constantFrom(
        '<!--',
        '-->',
        '<a href="/x">',
        '<img src=x>',
        '\n',
        '\n\n',
        '`',
        '*',
        '_',
        '> ',
        '- ',
        '    ',
        '```\n',
        '|',
        '[a](',
        ')',
        '"',
        "'",
        'x',
        '&lt;',
        '{{ partner.v }}',
      ),
    );
    // A value that may stand anywhere, an address included: one with a blank is refused there.
    const site = partner({ values: { v: 'https://v.example/?a=1&b="<2>\'' } });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const html = bodyOf(pieces.join(''), site);
        const names = new Set(elements(html).map((element) => element.tagName));
        for (const name of FORBIDDEN) expect(names).not.toContain(name);
        expect(html).not.toMatch(/[\u{E000}-\u{F8FF}]/u);
        expect(shape(serialize(parse(html)))).toBe(shape(html));
      }),
      { numRuns: 400, examples: [[['[a](', '{{ partner.v }}', ')']]] },
    );
  });

  it('is refused, not crashed upon, when it is nested beyond all measure', () => {
    expect(faults('<b>'.repeat(30_000))).toEqual([expect.stringContaining('the text is nested too deeply')]);
  });
});

describe('variables in Markdown', () => {
  const values = { shop: 'https://shop.example/?a=1&b=2', v: '<b>*x*</b> & "q"' };
  const render = (markdown: string) => bodyOf(markdown, partner({ values }));

  it('are escaped text wherever text can be, and are not Markdown', () => {
    const v = '&lt;b&gt;*x*&lt;/b&gt; &amp; "q"';
    expect(render('a {{ partner.v }} *{{partner.v}}*')).toBe(`<p>a ${v} <em>${v}</em></p>`);
    expect(render('# {{ partner.v }}')).toBe(`<h1>${v}</h1>`);
    expect(render('| {{ partner.v }} |\n|-|')).toContain(`<th>${v}</th>`);
    expect(render('<i title="{{ partner.v }}">{{ partner.v }}</i>')).toBe(
      `<p><i title="&lt;b&gt;*x*&lt;/b&gt; &amp; &quot;q&quot;">${v}</i></p>`,
    );
    expect(render('<div>{{ partner.v }}</div>')).toBe(`<div>${v}</div>`);
  });

  it('are addresses in links and pictures, with blanks and without', () => {
    const href = 'https://shop.example/?a=1&amp;b=2';
    for (const link of [
      '[x]({{ partner.shop }})',
      '[x]({{partner.shop}})',
      '[x](<{{ partner.shop }}>)',
      '[x][r]\n\n[r]: {{ partner.shop }}',
    ]) {
      expect(render(link)).toContain(`<a href="${href}">x</a>`);
    }
    expect(render('[x](https://m.example/{{ partner.id }}/{{ partner.v }} "{{ partner.name }}")')).toBe(
      '<p><a href="https://m.example/alpha/%3Cb%3E*x*%3C/b%3E%20%26%20%22q%22" title="Café Alpha">x</a></p>',
    );
    expect(render('![{{ partner.name }}]({{ partner.shop }})')).toBe(
      `<p><img src="${href}" alt="Café Alpha" decoding="async"></p>`,
    );
    expect(render('https://m.example/{{partner.id}}')).toBe(
      '<p><a href="https://m.example/alpha">https://m.example/alpha</a></p>',
    );
  });

  it('in a link cannot be an address that runs', () => {
    const site = compile({ pages: page('\n[x]({{ partner.bad }})') });
    expect(problemsOf(() => site.filesFor(partner({ values: { bad: 'javascript:alert(1)' } })))).toEqual([
      expect.stringMatching(/^pages\/index\.md:5:1 the value "javascript:alert\(1\)" of `partner\.bad`/),
    ]);
  });

  it('are left alone in code, and where they are escaped', () => {
    expect(render('`{{ partner.v }}` \\{{ partner.v }}')).toBe('<p><code>{{ partner.v }}</code> {{ partner.v }}</p>');
    expect(render('```\n[x]({{ partner.v }}) ]: {{ nope }}\n```')).toContain('[x]({{ partner.v }}) ]: {{ nope }}\n');
    expect(render('`](\u{E000}{{ partner.v }})`')).toBe('<p><code>](\u{E000}{{ partner.v }})</code></p>');
    expect(render('<b>\\{{ partner.v }}</b>')).toBe('<p><b>{{ partner.v }}</b></p>');
  });

  it('are not every pair of braces: other text stays text', () => {
    expect(render('{{0}} {{ Fill this in }} {{}} {{{partner.id}}} {{#if}}')).toBe(
      '<p>{{0}} {{ Fill this in }} {{}} {alpha} {{#if}}</p>',
    );
  });

  it('that do not exist are reported with line and column, all at once', () => {
    expect(
      faults(
        'a {{ partner.name }} {{ sitee.name }}\n\n> - x {{ page.nope }} {{ page.titel }}\n\n<div>\n<p title="{{ foo }}"></div>',
      ),
    ).toEqual([
      'pages/index.md:4:22 unknown variable `sitee.name` (did you mean `site.name`?)',
      'pages/index.md:6:7 unknown variable `page.nope`: write \\{{ for two braces as text',
      'pages/index.md:6:23 unknown variable `page.titel` (did you mean `page.title`?)',
      'pages/index.md:9:11 unknown variable `foo`: write \\{{ for two braces as text',
    ]);
    expect(faults('{{ navigation }}')).toEqual([
      'pages/index.md:4:1 `{{ navigation }}` belongs into a template, not into a page',
    ]);
  });

  it('never change the shape of a page, whatever their value', () => {
    const site = compile({
      pages: page(
        '# {{ partner.v }}\n\n*{{ partner.v }}* <i title="{{ partner.v }}">x</i> [y](/z/{{ partner.v }}?q={{ partner.v }}) ![{{ partner.v }}](x "{{ partner.v }}")',
      ),
    });
    const html = (v: string) => htmlFor(site, 'with-main/index.html', partner({ values: { v } }));
    const plain = shape(html('plain'));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '/', '*', '{{', '}}', '\n', '-->', '<!--') }),
        ),
        (v) => {
          expect(shape(html(v))).toBe(plain);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('cannot be forged with the characters that mark them on the way', () => {
    const forged =
      '\u{E000}0\u{E000} &#xE001;0&#xE001; <i title="\u{E002}0\u{E002}">{{ partner.id }}</i> [x](%EE%80%830%EE%80%83)';
    expect(render(forged)).toBe(
      '<p>\u{E000}0\u{E000} \u{E001}0\u{E001} <i title="\u{E002}0\u{E002}">alpha</i> <a href="%EE%80%830%EE%80%83">x</a></p>',
    );
  });
});
