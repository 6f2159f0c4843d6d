/** Pictures of pages: their sizes in the pages, and smaller ones beside them. */
import type Sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { parseMainSite } from '../../../src/config/main-site.ts';
import { compileHere } from '../../../src/content/compile-here.ts';
import { readImageHeader } from '../../../src/content/image-header.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import type { ImageSizer } from '../../../src/io/image-sizer.ts';
import { sharpImages } from '../../../src/io/sharp-images.ts';
import { loadSite } from '../../../src/main-site/load-site.ts';
import { partner } from '../content/site-builder.ts';

const NO_MEMORY = { get: () => undefined, put: () => undefined, flush: () => undefined };

const CONFIG = 'role: main\nsite:\n  name: Northwind\n  url: https://northwind.example/\n';
const TEMPLATE =
  '<!doctype html>\n<html><head><title>t</title></head><body><main><slot name="content"></slot></main></body></html>\n';
const NOW = new Date('2026-11-23T22:00:00Z');
const KEPT = '.tieup/cache/images';

/** Undefined where that optional package is not installed. */
const sharp = await import('sharp').then(
  (found) => found.default,
  () => undefined,
);

function picture(width: number, height: number): ReturnType<typeof Sharp> {
  if (sharp === undefined) throw new Error('sharp is not installed');
  return sharp({ create: { width, height, channels: 3, background: '#b5472f' } });
}

async function site(markdown: string, settings = '') {
  const files = memoryTree();
  const contents = {
    'templates/page.html': Buffer.from(TEMPLATE),
    'pages/index.md': Buffer.from(`---\ntitle: T\n---\n${markdown}\n`),
    'assets/wide.png': await picture(900, 300).png().toBuffer(),
    'assets/tall.jpg': await picture(30, 60).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    'assets/torn.png': (await picture(800, 300).png().toBuffer()).subarray(0, 40),
    'assets/other.webp': await picture(700, 10).webp().toBuffer(),
  };
  for (const [path, bytes] of Object.entries(contents)) await files.write(path, bytes);
  const config = parseMainSite(`${CONFIG}assets: { hashed: false }\n${settings}`, 'tieup.yaml');
  return { files, config, markdown: compileHere, identity: 'test', memory: NO_MEMORY, images: sharpImages };
}

async function built(parts: Awaited<ReturnType<typeof site>>) {
  const files = (await loadSite(parts, NOW)).filesFor(partner());
  const index = files.find(({ path }) => path === 'with-main/index.html');
  const html = index?.kind === 'page' ? new TextDecoder().decode(index.render(1).bytes) : '';
  return { body: /<main>([\s\S]*)<\/main>/.exec(html)?.[1] ?? '', files };
}

describe.skipIf(sharp === undefined)('a picture in a page', () => {
  test('has the size that it is shown in, and is loaded late unless it is the first', async () => {
    const { body } = await built(
      await site(
        '![a](assets/wide.png) ![b](assets/tall.jpg) <img src="assets/wide.png" width="10" alt="c"> <img src="assets/wide.png" loading="eager" decoding="sync" alt="d"> ![e](https://elsewhere.example/e.png)',
      ),
    );
    expect(body.match(/<img[^>]*>/g)).toEqual([
      '<img src="assets/wide.png" width="900" height="300" alt="a" decoding="async">',
      '<img src="assets/tall.jpg" width="60" height="30" alt="b" decoding="async" loading="lazy">',
      '<img src="assets/wide.png" width="10" alt="c" decoding="async" loading="lazy">',
      '<img src="assets/wide.png" width="900" height="300" loading="eager" decoding="sync" alt="d">',
      '<img src="https://elsewhere.example/e.png" alt="e" decoding="async" loading="lazy">',
    ]);
  });

  test('is there in the widths that the site asks for, smaller than its own', async () => {
    const parts = await site('![a](assets/wide.png)', 'images: { widths: [600, 300, 1200], sizes: 50vw }\n');
    const { body, files } = await built(parts);
    expect(body).toContain(
      '<img src="assets/wide.png" width="900" height="300" srcset="assets/wide-300w.png 300w, assets/wide-600w.png 600w, assets/wide.png 900w" sizes="50vw" alt="a"',
    );
    const narrow = files.find(({ path }) => path === 'with-main/assets/wide-300w.png');
    if (narrow?.kind !== 'asset' || narrow.bytes === undefined) throw new Error('there is no narrow picture');
    expect(readImageHeader(narrow.bytes)).toEqual({ format: 'png', size: { width: 300, height: 100 } });
    expect(narrow.length).toBe(narrow.bytes.length);
    // Nothing is made of what no page shows.
    expect(files.filter(({ path }) => path.includes('other'))).toHaveLength(1);
  });

  test('is made smaller once, and again when what was kept is damaged', async () => {
    const parts = await site('![a](assets/wide.png)', 'images: { widths: [300] }\n');
    const first = (await built(parts)).files;
    let made = 0;
    const counting = async (): Promise<ImageSizer | undefined> => {
      const sizer = await sharpImages();
      return sizer && { ...sizer, resize: (bytes, width) => (made++, sizer.resize(bytes, width)) };
    };
    const digests = (files: typeof first) => files.map((file) => (file.kind === 'asset' ? file.digest : file.kind));
    expect(digests((await built({ ...parts, images: counting })).files)).toEqual(digests(first));
    expect(made).toBe(0);
    const [kept] = await parts.files.list(KEPT);
    const path = `${KEPT}/${kept?.name}`;
    const bytes = Uint8Array.from(await parts.files.read(path, 1_000_000));
    bytes.fill(0, -20);
    await parts.files.write(path, bytes);
    expect(digests((await built({ ...parts, images: counting })).files)).toEqual(digests(first));
    expect(made).toBe(1);
  });

  test('that cannot be read is named, and so is a missing sharp', async () => {
    const parts = await site('![a](assets/torn.png)', 'images: { widths: [300] }\n');
    await expect(loadSite(parts, NOW)).rejects.toMatchObject({
      code: 'TIEUP_E_CONTENT',
      problems: [{ file: 'assets/torn.png' }],
    });
    await expect(loadSite({ ...parts, images: async () => undefined }, NOW)).rejects.toMatchObject({
      code: 'TIEUP_E_CONFIG',
    });
    expect(await parts.files.list(KEPT)).toEqual([]);
  });
});
