import { describe, expect, test } from 'vitest';
import { partnership } from '../../support/partnership-fixture.ts';

const page = (language: string): string =>
  `---\ntitle: Visit\nlanguage: ${language}\ninherit: framework\nslots: { hours: { description: Hours } }\n---\n\n<slot name="hours">\n\nAsk.\n\n</slot>\n`;
const TEMPLATE = `<!doctype html>
<html lang="{{ page.language }}"><head><title>{{ page.title }}</title></head>
<body><main><slot name="content"></slot></main></body></html>
`;

describe('the words that Markdown adds to a slot', () => {
  test('are in the language of the page', async () => {
    const pages = { 'templates/page.html': TEMPLATE, 'pages/a.md': page('de'), 'pages/b.md': page('en') };
    const { shop } = await partnership({ pages });
    for (const name of ['a', 'b']) await shop.write(`slots/${name}/hours.md`, '> [!WARNING]\n> x[^1]\n\n[^1]: y\n');
    await shop.accept();
    const live = await shop.live();
    expect(live['with-main/a.html']).toMatch(/admonition-title">Warnung<.*>Fußnoten</s);
    expect(live['with-main/b.html']).toMatch(/admonition-title">Warning<.*>Footnotes</s);
  });
});
