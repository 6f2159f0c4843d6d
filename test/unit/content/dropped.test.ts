import { describe, expect, it } from 'vitest';
import { decodeParts, encodeParts } from '../../../src/content/fragment-code.ts';
import type { MarkdownSource } from '../../../src/content/markdown.ts';
import { compilePlainly } from '../../../src/content/unified-engine.ts';
import { formatProblem } from '../../../src/errors.ts';
import { compile } from './site-builder.ts';

const warningsOf = (markdown: string, includes: Record<string, string> = {}) =>
  compile({ pages: { 'index.md': `---\ntitle: T\n---\n\n${markdown}` }, includes }).warnings.map(formatProblem);

describe('what a text must not hold is left out, and said with its place', () => {
  it.each([
    ['a <script>alert(1)</script> b', '5:3: <script> is left out'],
    ['<p>a</p>\n\n<iframe src="https://x.example/"></iframe>', '7:1: <iframe> is left out'],
    ['<svg onload="x()"></svg>', '5:1: <svg> is left out'],
    ['<form action="/x"><input name="q"></form>', '5:1: <form> is left out'],
    ['> <p onclick="x()">a</p>', '5:3: `onclick` of <p> is left out'],
    ['<p style="color: red">a</p>', '5:1: `style` of <p> is left out'],
    [
      '[a](javascript:alert(1))',
      '5:1: the address "javascript:alert(1)" is left out: it may be relative, or start with',
    ],
    ['a ![b](data:image/png;base64,AAAA)', '5:3: the address "data:image/png;base64,AAAA" is left out'],
    [
      '<img src="https://x.example/a.png" srcset="b.png 2x" alt="">',
      '5:1: `srcset` of <img> is left out: `images.widths`',
    ],
    ['<a href="ftp://x.example/">a</a>', '5:1: the address "ftp://x.example/" is left out'],
  ])('%s', (markdown, expected) => {
    expect(warningsOf(markdown)).toEqual([expect.stringContaining(`pages/index.md:${expected}`)]);
  });

  it('in the file in which it stands', () => {
    expect(warningsOf('{{ include "a.md" }}\n', { 'a.md': 'x\n\n<script>y</script>\n' })).toEqual([
      expect.stringContaining('includes/a.md:3:1: <script> is left out'),
    ]);
  });

  it('and nothing is said of what may stand there', () => {
    const text =
      '<div class="x" id="y" data-z="1">a</div>\n\n[a](https://x.example/?a:b) [b](#a:b) [c](mailto:x@y.example)\n\n<MAILTO:x@y.example>\n\n`<script>`\n\n```html\n<p onclick="x()">\n```\n\n{{ partner.url }}\n\n[d]({{ partner.url }})\n';
    expect(warningsOf(text)).toEqual([]);
  });

  it('also when it is not compiled anew', () => {
    const source: MarkdownSource = {
      text: 'a <script>b</script>',
      format: 'md',
      schema: 'page',
      idPrefix: '',
      holes: true,
      language: 'en',
      highlight: false,
      headingLinks: false,
    };
    const { parts } = compilePlainly(source);
    expect(parts.at(-1)).toMatchObject({ kind: 'dropped', at: { line: 1, column: 3 } });
    expect(decodeParts(encodeParts(parts))?.at(-1)).toEqual(parts.at(-1));
  });
});
