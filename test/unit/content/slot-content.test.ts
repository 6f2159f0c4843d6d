import * as fc from 'fast-check';
import { parse, serialize } from 'parse5';
import { describe, expect, it } from 'vitest';
import { slotBytes, slotText, type SlotContent } from '../../../src/content/slot-content.ts';
import { compilePlainly } from '../../../src/content/unified-engine.ts';
import { elements, problemsOf, shape } from './site-builder.ts';

const FILE = 'slots/visit/hours.md';
/** What `renderSlotContent` does, at once. */
const render = (input: SlotContent) => slotBytes(input, compilePlainly(slotText(input)));
const md = (text: string) => new TextDecoder().decode(render({ format: 'md', text, file: FILE }));
const html = (text: string) => new TextDecoder().decode(render({ format: 'html', text, file: FILE }));

const around = (content: string) =>
  `<!doctype html><html><body><div id="slot">${content}</div><footer>f</footer></body></html>`;
const refusals = (text: string, remoteOrigins?: readonly string[]) =>
  problemsOf(() => render({ format: 'html', text, file: FILE, policy: { remoteOrigins } }));

describe('slot content', () => {
  it('is Markdown or HTML', () => {
    expect(md('\uFEFF*Mo* – Fr\n\n- 9 to 5')).toBe('<p><em>Mo</em> – Fr</p>\n<ul>\n<li>9 to 5</li>\n</ul>');
    expect(html('<p>9 to 5<br><a href="/map.html">map</a>')).toBe('<p>9 to 5<br><a href="/map.html">map</a></p>');
  });

  it('has no variables and no slots: what looks like one is text', () => {
    expect(md('{{ partner.name }} \\{{ x }}')).toBe('<p>{{ partner.name }} {{ x }}</p>');
    expect(html('<p title="{{ x }}">{{ y }}</p>')).toBe('<p title="{{ x }}">{{ y }}</p>');
    expect(md('<slot name="x">\n\ny\n\n</slot>')).toBe('\n<p>y</p>\n');
  });

  it('cannot take on the looks or the ids of the page', () => {
    expect(
      html('<div class="site-header" id="page-content" style="position:fixed">x</div><a id="x" name="y">z</a>'),
    ).toMatch(/^<div>x<\/div><a id="slot-[0-9a-f]{8}-x">z<\/a>$/);
    expect(md('# Title')).toBe('<h1>Title</h1>');
  });

  it('has footnotes that meet no others', () => {
    const rendered = md('a[^1]\n\n[^1]: b');
    const ids = new Set([...rendered.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]));
    for (const [, target] of rendered.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
    const other = new TextDecoder().decode(
      render({ format: 'md', text: 'a[^1]\n\n[^1]: b', file: 'slots/visit/news.md' }),
    );
    for (const id of ids) expect(other).not.toContain(`id="${id}"`);
  });

  it('never leaves the place it is put into, and never runs', () => {
    const tags =
      'p div table td a b h1 li ul svg math style script select button form iframe object nobr slot body html main aside'.split(
        ' ',
      );
    const piece = fc.oneof(
      fc.constantFrom(...tags).map((tag) => `<${tag}>`),
      fc.constantFrom(...tags).map((tag) => `</${tag}>`),
      fc.constantFrom(
        '<!--',
        '-->',
        '</',
        '<',
        '"',
        '<a href="javascript:alert(1)" onclick="x">',
        '<img src=x onerror=x>',
        'x',
        '\n\n',
        '`',
        '*',
        '- ',
        '\0',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), fc.constantFrom(md, html), (pieces, renderAs) => {
        const page = around(renderAs(pieces.join('')));
        const found = elements(page);
        expect(found.at(-1)?.tagName).toBe('footer');
        expect(found.at(-1)?.parentNode?.nodeName).toBe('body');
        expect(shape(serialize(parse(page)))).toBe(shape(page));
        for (const { tagName, attrs } of found) {
          expect([
            'script',
            'style',
            'svg',
            'math',
            'form',
            'iframe',
            'object',
            'button',
            'select',
            'slot',
            'main',
            'aside',
          ]).not.toContain(tagName);
          for (const { name, value } of attrs) expect(`${name}=${value}`).not.toMatch(/^on|javascript:/);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('shows pictures only from where the partnership allows', () => {
    const own = '<img src="/a.png"><img src="b.png">';
    expect(refusals(`${own}<img src="https://any.example/x.png">`)).toEqual([]);
    expect(refusals(`${own}<img src="https://cdn.example/x.png">`, ['https://cdn.example'])).toEqual([]);
    for (const src of [
      'https://evil.example/x.png',
      '//evil.example/x.png',
      '\\\\evil.example/x.png',
      'https://cdn.example@evil.example/',
      'https://',
    ]) {
      expect(refusals(`${own}\n<img src="${src}">`, ['https://cdn.example'])).toEqual([
        expect.stringMatching(/^slots\/visit\/hours\.md:2:1 the picture/),
      ]);
    }
  });

  it.each([
    ['too large', 'x'.repeat(256 * 1024 + 1), 'more than 262144'],
    ['large in bytes', 'ü'.repeat(128 * 1024 + 1), 'more than 262144'],
    ['a run of delimiters', '_a__'.repeat(15_000), 'without a blank line between'],
    ['brackets', '['.repeat(50_000), 'without a blank line between'],
    ['quotations in quotations', `a\n${'> '.repeat(5_000)}x`, 'nested more than 100 deep'],
    ['footnotes in footnotes', '[^a]: '.repeat(5_000), 'nested more than 100 deep'],
    [
      'lazy lines in a quotation',
      `${'>'.repeat(90)}a\n${'a\n'.repeat(8_000)}`,
      'more than 4000 lines without its sign',
    ],
    [
      'lists in lists',
      Array.from({ length: 500 }, (_, depth) => `${'  '.repeat(depth)}- x`).join('\n'),
      'nested more than 100 deep',
    ],
  ])('is refused before it costs anything when it is %s', (_, text, reason) => {
    expect(problemsOf(() => render({ format: 'md', text, file: FILE })).join()).toContain(reason);
  });

  it('may have long code right after a list', () => {
    const text = `- a list:\n\`\`\`\n${'code\n'.repeat(5_000)}\`\`\`\n`;
    expect(md(text)).toContain('<pre');
  });

  it('is refused when it is HTML that is nested beyond all measure', () => {
    expect(problemsOf(() => html('<b>'.repeat(50_000))).join()).toContain('nested too deeply');
  });
});
