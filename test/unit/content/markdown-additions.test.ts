import * as fc from 'fast-check';
import { parseFragment, type DefaultTreeAdapterTypes } from 'parse5';
import { describe, expect, it } from 'vitest';
import { compileHere } from '../../../src/content/compile-here.ts';
import { highlighterFor } from '../../../src/content/highlighting.ts';
import type { MarkdownSource } from '../../../src/content/markdown.ts';
import { renderSlotContent } from '../../../src/content/slot-content.ts';

async function compile(text: string, more: Partial<MarkdownSource> = {}): Promise<string> {
  const options = { format: 'md', schema: 'page', idPrefix: '', holes: true, language: 'en' } as const;
  const source: MarkdownSource = { text, ...options, highlight: true, headingLinks: false, ...more };
  const [fragment] = await compileHere.compile([source]);
  expect(fragment?.problems).toEqual([]);
  return (fragment?.parts ?? []).map((part) => (typeof part === 'string' ? part : '?')).join('');
}

describe('an alert', () => {
  it.each(['note', 'tip', 'important', 'warning', 'caution'])('is a %s with its title', async (kind) => {
    const name = `${kind.slice(0, 1).toUpperCase()}${kind.slice(1)}`;
    expect(await compile(`> [!${kind.toUpperCase()}]\n> Mind the *step*.\n>\n> - one\n`)).toBe(
      `<div class="admonition admonition-${kind}" role="note">\n<p class="admonition-title">${name}</p>\n` +
        '<p>Mind the <em>step</em>.</p>\n<ul>\n<li>one</li>\n</ul>\n</div>',
    );
  });

  it('may have a title of its own, and stand in a list', async () => {
    expect(await compile('- > [!TIP] Come *early*\n  > or late')).toContain(
      '<p class="admonition-title">Come <em>early</em></p>\n<p>or late</p>',
    );
  });

  it('speaks the language of the site', async () => {
    expect(await compile('> [!WARNING]\n> x', { language: 'de-AT' })).toContain(
      '<p class="admonition-title">Warnung</p>',
    );
    const footnotes = await compile('a[^1]\n\n[^1]: b', { language: 'fr' });
    expect(footnotes).toContain('Notes de bas de page</h2>');
    expect(footnotes).toContain('aria-label="Retour à la référence 1"');
  });

  it('is a quotation when it is written in another way', async () => {
    for (const text of ['> [!NOTES]\n> x', '> x\n> [!NOTE]', '> \\[!NOTE]\n> x', '> `[!NOTE]`']) {
      expect(await compile(text)).toContain('<blockquote>');
    }
  });

  it("is one in a partner's slot too, with these classes and no others", async () => {
    const render = async (text: string, format: 'md' | 'html') =>
      Buffer.from(await renderSlotContent({ format, text, file: 'slots/a/b.md' }, compileHere)).toString();
    expect(await render('> [!NOTE]\n> x', 'md')).toContain('<div class="admonition admonition-note" role="note">');
    const own = await render('<div class="admonition hero" role="alert">y</div>', 'html');
    expect(own).toBe('<div class="admonition">y</div>');
  });
});

describe('code in a fence', () => {
  const textOf = (html: string): string => {
    const texts: string[] = [];
    const visit = (node: DefaultTreeAdapterTypes.Node): void => {
      if ('value' in node) texts.push(node.value);
      if ('childNodes' in node) for (const child of node.childNodes) visit(child);
    };
    visit(parseFragment(html));
    return texts.join('');
  };

  it('gets the colours of its language, by classes alone', async () => {
    const html = await compile('```js\n// hi\nconst a = "<b>";\n```\n');
    expect(html).toBe(
      '<pre tabindex="0"><code class="language-js"><span class="code-comment">// hi</span>\n' +
        '<span class="code-keyword">const</span> <span class="code-constant">a</span> <span class="code-keyword">=</span> ' +
        '<span class="code-string">"&#x3C;b>"</span>;\n</code></pre>',
    );
    expect(html).not.toContain('style=');
  });

  it('stays as it is without a language that is known', async () => {
    for (const info of ['', 'nosuchlanguage', '../../x', 'constructor']) {
      expect(await compile(`\`\`\`${info}\nconst a = 1;\n\`\`\`\n`)).toContain('const a = 1;\n</code></pre>');
    }
    expect(await compile('    const a = 1;\n')).toBe('<pre tabindex="0"><code>const a = 1;\n</code></pre>');
  });

  it('is left alone where the site says so, and in what partners write', async () => {
    expect(await compile('```js\nlet a;\n```', { highlight: false })).not.toContain('span');
    const input = { format: 'md', text: '```js\nlet a;\n```', file: 'slots/a/b.md' } as const;
    const slot = await renderSlotContent(input, compileHere);
    expect(Buffer.from(slot).toString()).not.toContain('span');
  });

  it('says the same as before, whatever it says', async () => {
    const highlight = await highlighterFor('```html\n```');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        // Markdown has made other line ends into these.
        const code = text.replaceAll('\r', '');
        const pieces = highlight?.(code, 'html');
        expect(pieces?.map((piece) => piece.text).join('')).toBe(code);
      }),
      { numRuns: 50 },
    );
  });

  it('is too much of a good thing at some length', async () => {
    const html = await compile(`\`\`\`js\n${'let a = 1;\n'.repeat(10_000)}\`\`\`\n`);
    expect(html).not.toContain('span');
    expect(textOf(html)).toHaveLength(110_000);
  });
});

describe('a heading', () => {
  it('gets a link to itself where the site wants it, and the first does not', async () => {
    const html = await compile('# Title\n\n## Opening *hours*\n', { headingLinks: true });
    expect(html).toBe(
      '<h1 id="title">Title</h1>\n<h2 id="opening-hours">Opening <em>hours</em>' +
        '<a class="heading-link" href="#opening-hours" aria-hidden="true" tabindex="-1">#</a></h2>',
    );
  });
});
