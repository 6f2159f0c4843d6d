import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandIncludes } from '../../../src/content/includes.ts';
import { compile, htmlFor, problemsOf } from './site-builder.ts';

const page = (markdown: string) => `---\ntitle: T\n---\n${markdown}`;
const site = (markdown: string, includes: Record<string, string>) =>
  compile({ pages: { 'index.md': page(markdown) }, includes });
const bodyOf = (markdown: string, includes: Record<string, string>) =>
  /<main>([\s\S]*)<\/main>/.exec(htmlFor(site(markdown, includes), 'with-main/index.html'))?.[1];
const faults = (markdown: string, includes: Record<string, string>) => problemsOf(() => site(markdown, includes));

describe('an include', () => {
  it('is part of the page that takes it', () => {
    const includes = {
      'hours.md': '## Hours\n\nSee [the rules][rules], {{ partner.name }}.[^1]\n\n[^1]: A note.\n',
      'more/deep.md': '{{ include "hours.md" }}\n',
    };
    const html = bodyOf('before\n\n{{ include "more/deep.md" }}\n\nafter\n\n[rules]: https://x.example/\n', includes);
    expect(html).toContain('<p>before</p>\n<h2 id="hours">Hours</h2>');
    expect(html).toContain('<a href="https://x.example/">the rules</a>, Café Alpha.<sup>');
    expect(html).toContain('<p>after</p>');
  });

  it('is text in code, and where it is escaped', () => {
    const text = '```\n{{ include "x.md" }}\n```\n\n`{{ include "x.md" }}` \\{{ include "x.md" }}\n';
    expect(bodyOf(text, { 'x.md': 'X' })).toBe(
      '<pre tabindex="0"><code>{{ include "x.md" }}\n</code></pre>\n<p><code>{{ include "x.md" }}</code> {{ include "x.md" }}</p>',
    );
  });

  it('keeps the places of what is wrong, on both sides of it', () => {
    const includes = { 'a.md': 'fine\n\n{{ nobody.a }}\n' };
    expect(faults('one\n\n{{ include "a.md" }}\n\ntwo {{ nobody.b }}', includes)).toEqual([
      expect.stringMatching(/^includes\/a\.md:3:1 unknown variable `nobody\.a`/),
      expect.stringMatching(/^pages\/index\.md:8:5 unknown variable `nobody\.b`/),
    ]);
  });

  it.each([
    ['{{ include "huors.md" }}', {}, 'pages/index.md:4:1 there is no include "huors.md" (did you mean "hours.md"?)'],
    ['{{ include "../secret.md" }}', {}, 'pages/index.md:4:1 there is no include "../secret.md"'],
    ['{{ include "/hours.md" }}', {}, 'there is no include "/hours.md"'],
    [
      '{{ include "a.md" }}',
      { 'a.md': 'x\n{{ include "b.md" }}', 'b.md': '{{ include "a.md" }}' },
      'includes/b.md:1:1 this includes itself: a.md → b.md → a.md',
    ],
    ['a {{ include "hours.md" }}', {}, 'pages/index.md:4:3 an include stands on a line of its own'],
    ['{{ include "a.md" }}', { 'a.md': '---\ntitle: A\n---\n' }, 'includes/a.md:1:1 an include is no page'],
    [
      '{{ include "a.md" }}\n\nx',
      { 'a.md': 'y\n```js\nlet a' },
      'includes/a.md:2:1 a code block starts here and does not end',
    ],
  ])('refuses %s', (text, includes, expected) => {
    const found = faults(text, { 'hours.md': 'open', ...includes });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('that multiplies ends with the page that is too long', () => {
    const includes = Object.fromEntries(
      Array.from({ length: 9 }, (_, level) => [`${level}.md`, `{{ include "${level + 1}.md" }}\n`.repeat(20)]),
    );
    expect(faults('{{ include "0.md" }}', { ...includes, '9.md': 'x'.repeat(1000) })).toEqual([
      expect.stringContaining('more than 4194304 characters'),
    ]);
  });

  it('that is nested too deeply is refused', () => {
    const includes = Object.fromEntries(
      Array.from({ length: 12 }, (_, level) => [`${level}.md`, `{{ include "${level + 1}.md" }}\n`]),
    );
    expect(faults('{{ include "0.md" }}', includes)).toEqual([
      'includes/9.md:1:1 includes are nested more than 10 deep',
    ]);
  });

  it('leaves every text without one as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const expanded = expandIncludes(text, { file: 'pages/a.md', firstLine: 3 }, [], 1_000_000);
        expect(expanded.text).toBe(text);
        expect(expanded.place({ line: 2, column: 5 })).toEqual({ file: 'pages/a.md', line: 4, column: 5 });
      }),
    );
  });
});
