import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { colourFault } from '../../../src/content/colour.ts';
import { compile, htmlFor, partner, problemsOf, templateWith } from './site-builder.ts';

const site = (head: string, body = '') =>
  compile({ pages: { 'index.md': '# Hello\n' }, templates: { page: templateWith(body, head) } });
const render = (head: string, accent: string, body = '') =>
  htmlFor(site(head, body), 'with-main/index.html', partner({ values: { accent } }));
const NO_COLOUR = 'is no colour such as #b5472f, teal or rgb(181 71 47)';

describe('a colour', () => {
  it.each(
    '#fff|#FFFA|#b5472f|#b5472f80|teal|RebeccaPurple|transparent|currentColor|rgb(1 2 3)|rgb(1,2,3)|rgba(1, 2, 3, .5)|rgb(10% 20% none / 50%)|hsl(120deg 50% 50%)|hwb(0.5turn 1% 2%)|oklch(0.7 0.1 -20)|lab( 1 2 3 )'.split(
      '|',
    ),
  )('is %s', (value) => {
    expect(colourFault(value)).toBeUndefined();
  });

  it.each(
    '|#ff|#12345|#ggg|redd|red;|red }|inherit|initial|url(x)|rgb(1 2)|rgb(1 2 3|rgb(1 2 3);|var(--x)|rgb(var(--x) 1 2)|expression(1)|/**/red|red/**/|r\\65 d|"red"|</style>|#fff\n|constructor|rgb(1  2  3  /  4  /  5)'.split(
      '|',
    ),
  )('is not %j', (value) => {
    expect(colourFault(value)).toBe(NO_COLOUR);
  });

  it('is never anything that could end a declaration or a tag, and is told from others quickly', () => {
    const piece = fc.constantFrom(
      ...'rgb( ) # fff red ; } { : / * " \' < > \\ url( , % 1 . - none \n &'.split(' '),
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const value = pieces.join('');
        expect(colourFault(value) !== undefined || /^[#\w (),.%/+-]+$/.test(value)).toBe(true);
      }),
    );
    expect(colourFault(`rgb(${' '.repeat(50_000)}`)).toBe(NO_COLOUR);
  });
});

describe('a colour of a partner in a template', () => {
  it.each([
    ['<style>:root{--accent: {{ partner.accent }};}</style>', '<style>:root{--accent: teal;}</style>'],
    ['<style>a{color:{{partner.accent}}}</style>', '<style>a{color:teal}</style>'],
    ['<style>a{border:1px solid {{ partner.accent }} !important}</style>', 'solid teal !important'],
    [
      '<style>/* a{ */ a::before{content:"}"; background:linear-gradient(red, {{ partner.accent }})}</style>',
      'linear-gradient(red, teal)',
    ],
    [
      '<style>@media print{a{color: {{ partner.accent }};b: {{ partner.accent }}}}</style>',
      '@media print{a{color: teal;b: teal}}',
    ],
    ['<meta name="theme-color" content="{{ partner.accent }}">', 'content="teal"'],
  ])('stands in %s', (head, expected) => {
    expect(render(head, 'teal')).toContain(expected);
  });

  it('stands in style attributes and in drawings', () => {
    const body = '<p style="margin: 0; color: {{ partner.accent }}"></p><svg><path fill="{{ partner.accent }}"/></svg>';
    expect(render('', '#b5472f', body)).toContain(
      '<p style="margin: 0; color: #b5472f"></p><svg><path fill="#b5472f"/></svg>',
    );
  });

  it.each([
    ['<style>{{ partner.accent }}{}</style>', 'can only be the value of a property in a style'],
    ['<style>a{ {{ partner.accent }}: red}</style>', 'can only be the value of a property in a style'],
    ['<style>a{color:red; {{ partner.accent }} }</style>', 'can only be the value of a property in a style'],
    ['<style>a{b:url( {{ partner.accent }} )}</style>', 'cannot stand in an address of a style'],
    ['<style>a{content:"{{ partner.accent }}"}</style>', 'cannot stand in a string of a style'],
    ["<style>a{content:' {{ partner.accent }} '}</style>", 'cannot stand in a string of a style'],
    ['<style>a{b:c /* {{ partner.accent }} */}</style>', 'cannot stand in a comment'],
    ['<style>a{b:x{{ partner.accent }}}</style>', 'must be a word of its own in a style'],
    ['<style>a{b: {{ partner.accent }}px}</style>', 'must be a word of its own in a style'],
    ['<style>a{b:\\"; c: {{ partner.accent }}}</style>', 'needs a style without backslashes before it'],
    ['<style>@import {{ partner.accent }};</style>', 'can only be the value of a property in a style'],
  ])('is refused in %s', (head, reason) => {
    expect(problemsOf(() => site(head))).toEqual([expect.stringContaining(reason)]);
  });

  it.each([
    ['<p style="color:&#x22; {{ partner.accent }}"></p>', 'needs a style without character references'],
    ['<p style="{{ partner.accent }}"></p>', 'can only be the value of a property in a style'],
    ['<svg><path fill="url(#{{ partner.accent }})"/></svg>', 'must be the whole of `fill`'],
  ])('is refused in %s', (body, reason) => {
    expect(problemsOf(() => site('', body))).toEqual([expect.stringContaining(reason)]);
  });

  it.each(['page.url', 'release.since', 'site.name'])('is refused when the value is that of %s', (name) => {
    const problems = problemsOf(() => site(`<style>a{color: {{ ${name} }}}</style>`));
    expect(problems).toEqual([expect.stringMatching(/is no colour/)]);
  });

  it('is refused when the partner’s value is none, with the place of the hole', () => {
    const styled = site('<style>a{color: {{ partner.accent }}}</style>');
    expect(problemsOf(() => styled.filesFor(partner({ values: { accent: 'red;} body{display:none' } })))).toEqual([
      `templates/page.html:2:45 the value "red;} body{display:none" of \`partner.accent\` for partner "alpha" ${NO_COLOUR}`,
    ]);
  });
});
