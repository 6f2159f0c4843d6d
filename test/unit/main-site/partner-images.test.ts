import { describe, expect, test } from 'vitest';
import { parseMainSite } from '../../../src/config/main-site.ts';
import { parsePartnership } from '../../../src/config/partnership.ts';
import { isTieupError } from '../../../src/errors.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { loadPartnerImages } from '../../../src/main-site/partner-images.ts';
import { partnerView } from '../../../src/main-site/partner-view.ts';
import { problemsIn } from '../../support/problems.ts';
import { compile, elements, htmlFor, problemsOf, templateWith } from '../content/site-builder.ts';

const CONFIG = parseMainSite('role: main\nsite:\n  name: Northwind\n  url: https://northwind.example/\n', 'tieup.yaml');
const PARTNER =
  'id: harbour\nname: Harbour Books\nurl: https://harbour.example/\nmount: /with-main/\nperiod: { from: "2026-01-01" }\n';
const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="24"><path d="M0 0h1v1z"/></svg>';
const GIF = Buffer.from('47494638396110000900800000', 'hex');

async function load(images: Readonly<Record<string, string>>, contents: Readonly<Record<string, string | Uint8Array>>) {
  const files = memoryTree();
  for (const [name, content] of Object.entries(contents)) {
    await files.write(`partners/harbour/${name}`, typeof content === 'string' ? Buffer.from(content) : content);
  }
  const named = Object.entries(images).map(([name, file]) => `  ${name}: ${file}\n`);
  const partnership = parsePartnership(`${PARTNER}images:\n${named.join('')}`, 'partners/harbour.yaml');
  return partnerView(partnership, await loadPartnerImages({ config: CONFIG, files }, partnership));
}

async function refused(name: string, content: string | Uint8Array | undefined): Promise<readonly string[]> {
  try {
    await load({ logo: name }, content === undefined ? {} : { [name]: content });
  } catch (error) {
    if (!isTieupError(error, 'TIEUP_E_CONTENT')) throw error;
    return error.problems.map(({ file, message }) => `${file} ${message}`);
  }
  return [];
}

describe('a picture of a partner', () => {
  const site = compile({
    pages: { 'index.md': '# Hello\n' },
    assets: ['z.png'],
    templates: {
      page: templateWith(
        '<img src="{{ partner.logo }}" width="{{ partner.logo.width }}" height="{{ partner.logo.height }}" alt="{{ partner.name }}">',
      ),
    },
  });

  test('is published with a hash in its name, and shown by its address', async () => {
    const view = await load({ logo: 'logo.svg', badge: 'b.gif' }, { 'logo.svg': LOGO, 'b.gif': GIF });
    const files = site.filesFor(view);
    expect(files.map(({ path }) => path)).toEqual([
      expect.stringMatching(/^with-main\/assets\/partner\/badge\.[0-9a-f]{8}\.gif$/),
      expect.stringMatching(/^with-main\/assets\/partner\/logo\.[0-9a-f]{8}\.svg$/),
      'with-main/assets/z.png',
      'with-main/index.html',
    ]);
    const [, logo] = files;
    expect(logo?.kind === 'asset' && Buffer.from(logo.bytes ?? []).toString()).toBe(LOGO);
    const image = elements(htmlFor(site, 'with-main/index.html', view)).find(({ tagName }) => tagName === 'img');
    expect(image?.attrs.map(({ value }) => value)).toEqual([`/${logo?.path}`, '32', '24', 'Harbour Books']);
  });

  test('that a page shows and a partner has not is named', async () => {
    const view = await load({ badge: 'b.gif' }, { 'b.gif': GIF });
    expect(problemsOf(() => site.filesFor(view))[0]).toContain('has no value for `partner.logo`');
  });

  test.each<readonly [string, string, string | Uint8Array | undefined, string]>([
    ['is not there', 'logo.svg', undefined, 'is not there, but partners/harbour.yaml names it'],
    ['is none', 'logo.png', '<!doctype html><script>x()</script>', 'is no picture of a format that pages can show'],
    ['is another than it is called', 'logo.png', LOGO, 'is called .png, but is a picture of the format svg'],
    [
      'is too large to load',
      'logo.gif',
      Buffer.alloc(512 * 1024 + 1),
      'has more than 512 KB, which every page would load',
    ],
    [
      'is too large to show',
      'logo.gif',
      Buffer.from('4749463839610120090080', 'hex'),
      'is 8193 × 9 pixels large, more than 4096',
    ],
    ['is cut off', 'logo.gif', Buffer.from('GIF89a'), 'does not say how large it is: it is damaged'],
    ['holds a script', 'logo.svg', LOGO.replace('<path', '<script>x()</script><path'), 'holds an inline script'],
    ['handles an event', 'logo.svg', LOGO.replace('<path', '<path onload="x()"'), 'holds the event handler onload'],
    [
      'loads something',
      'logo.svg',
      LOGO.replace('<path', '<image href="https://elsewhere.example/x.png"/><path'),
      'holds the address "https://elsewhere.example/x.png" in <image>',
    ],
  ])('is refused when it %s', async (_, name, content, message) => {
    expect(await refused(name, content)).toEqual([expect.stringContaining(`partners/harbour/${name} ${message}`)]);
  });

  test.each([
    ['outside of the folder', 'images: { logo: ../x.svg }', 'must be the name of a picture such as logo.svg'],
    ['of another kind', 'images: { logo: logo.html }', 'must be the name of a picture such as logo.svg'],
    ['by the name of a variable', 'images: { url: logo.svg }', 'is a variable that tieup sets itself'],
    ['by the name of a value', 'images: { x: logo.svg }\nvalues: { x: y }', 'must not have a name that is among'],
  ])('cannot be named %s', (_, line, message) => {
    expect(problemsIn(() => parsePartnership(`${PARTNER}${line}\n`, 'partners/harbour.yaml')).join()).toContain(
      message,
    );
  });
});
