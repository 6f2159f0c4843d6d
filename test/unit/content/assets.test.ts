import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssetNames, type PublishedAsset } from '../../../src/content/assets.ts';
import type { AssetSource } from '../../../src/content/source.ts';
import type { Problem } from '../../../src/errors.ts';
import { cssReferences } from '../../../src/protocol/css-references.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { placed } from './site-builder.ts';

function source(path: string, text: string): AssetSource {
  const known = /\.(?:css|js|json|svg)$/.test(path) ? { text } : {};
  return { path, length: Buffer.byteLength(text), digest: sha256(Buffer.from(text)), ...known };
}

function publish(files: Readonly<Record<string, string>>, referred: readonly string[], hashed = true) {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const assets = new AssetNames(
    Object.entries(files).map(([path, text]) => source(path, text)),
    { hashed, problems, warnings },
  );
  const names = referred.map((path) => assets.refer(path));
  const published = assets.published();
  return { names, published, paths: published.map(({ path }) => path), problems, warnings };
}

const textOf = ({ bytes }: PublishedAsset): string => new TextDecoder().decode(bytes);
const hash = (text: string): string => sha256(Buffer.from(text)).slice(0, 8);

describe('assets', () => {
  it('that pages load carry a hash of their content, others keep their names', () => {
    const { names, paths } = publish({ 'a.css': 'p{}', 'img/b.png': 'b', 'c.png': 'c' }, ['a.css', 'img/b.png']);
    expect(names).toEqual([`a.${hash('p{}')}.css`, `img/b.${hash('b')}.png`]);
    expect(paths).toEqual([...names, 'c.png']);
  });

  it('keep their names where visitors follow them, where they are asked for by name, and in raw/', () => {
    const kept = ['menu.pdf', 'all.zip', 'favicon.ico', 'apple-touch-icon.png', 'raw/badge.png', 'README'];
    expect(publish(Object.fromEntries(kept.map((path) => [path, 'x'])), kept).names).toEqual(kept);
  });

  it('keep their names where the site says so', () => {
    const { names, published } = publish({ 'a.css': 'p{background:url(b.png)}', 'b.png': 'b' }, ['a.css'], false);
    expect(names).toEqual(['a.css']);
    expect(published.map(({ bytes }) => bytes)).toEqual([undefined, undefined]);
  });

  it('keep their names when a script or another file that stays as it is mentions them', () => {
    const files = {
      'app.js': 'import "./part.js"; show("/x/My%20map.svg")',
      'part.js': '',
      'My map.svg': '',
      'x.svg': '',
    };
    const { names } = publish(files, ['app.js', 'part.js', 'x.svg']);
    expect(names).toEqual([`app.${hash(files['app.js'])}.js`, 'part.js', `x.${hash('')}.svg`]);
  });

  it('are found by the style sheets that use them, however they write it', () => {
    const css =
      '@import "base.css";@import url( ../up.css ) print;\n@font-face{src:url("fonts/a.woff2?v=1#x") format("woff2")}' +
      "p{background:image-set('i.png' 1x, url(\\69.png) 2x)} /* url(i.png) */ q::after{content:'i.png'} b{mask:url(#m),url(data:image/png;base64,AA),url(/i.png),url(https://x.example/i.png)}";
    const files = {
      'css/s.css': css,
      'css/base.css': 'a{}',
      'up.css': 'b{}',
      'css/fonts/a.woff2': 'f',
      'css/i.png': 'i',
    };
    const { published, warnings } = publish(files, ['css/s.css']);
    const sheet = published.find(({ source: { path } }) => path === 'css/s.css');
    if (sheet === undefined) throw new Error('the sheet is gone');
    const i = `i.${hash('i')}.png`;
    expect(textOf(sheet)).toBe(
      `@import "base.${hash('a{}')}.css";@import url( "../up.${hash('b{}')}.css" ) print;\n@font-face{src:url("fonts/a.${hash('f')}.woff2?v=1#x") format("woff2")}` +
        `p{background:image-set("${i}" 1x, url("${i}") 2x)} /* url(i.png) */ q::after{content:'i.png'} b{mask:url(#m),url(data:image/png;base64,AA),url(/i.png),url(https://x.example/i.png)}`,
    );
    expect(sheet.digest).toBe(sha256(sheet.bytes ?? new Uint8Array()));
    expect(sheet.length).toBe(sheet.bytes?.length);
    expect(sheet.path).toBe(`css/s.${sheet.digest.slice(0, 8)}.css`);
    expect(warnings).toEqual([]);
  });

  it('give a style sheet another name when a picture of a sheet that it imports changes', () => {
    const files = { 'a.css': '@import "b.css"', 'b.css': 'p{background:url(c.png)}' };
    const [before] = publish({ ...files, 'c.png': '1' }, ['a.css']).names;
    const [after] = publish({ ...files, 'c.png': '2' }, ['a.css']).names;
    expect(before).not.toBe(after);
  });

  it('are followed from a style sheet that no page refers to, which keeps its name', () => {
    const { published, paths } = publish({ 'late.css': 'p{background:url(c.png)}', 'c.png': 'c' }, []);
    expect(paths).toEqual(['late.css', `c.${hash('c')}.png`]);
    expect(published.map(textOf)).toEqual([`p{background:url("c.${hash('c')}.png")}`, '']);
  });

  it('that are not there are named with the place of the reference', () => {
    const { warnings } = publish({ 'a.css': 'p{}\n  q{background:url(pictrue.png)}', 'picture.png': 'x' }, []);
    expect(warnings.map(placed)).toEqual([
      'assets/a.css:2:16 there is no asset "pictrue.png" (did you mean "picture.png"?)',
    ]);
    expect(publish({ 'a.css': 'p{background:url(../../x.png)}' }, []).warnings.map(placed)).toEqual([
      'assets/a.css:1:14 "../../x.png" leads out of the assets',
    ]);
  });

  it('stay as they are in addresses that browsers read otherwise', () => {
    const css = 'p{background:url("\\\\x/../i.png")}';
    expect(publish({ 'a.css': css, 'i.png': 'i' }, []).published.map(textOf)).toEqual(['', '']);
  });

  it('that import each other in a circle are refused: no hash could cover them', () => {
    const { problems } = publish({ 'a.css': '@import "b.css"', 'b.css': '@import "a.css"' }, ['a.css']);
    expect(problems.map(placed)).toEqual([
      'assets/a.css:1:1 style sheets import each other in a circle: "a.css" → "b.css" → "a.css"',
    ]);
    expect(publish({ 'a.css': '@import "a.css"' }, [], false).problems).toEqual([]);
  });

  it('are refused when the published name of one is that of another', () => {
    const taken = `a.${hash('a')}.png`;
    const { problems } = publish({ 'a.png': 'a', [taken]: 'x' }, ['a.png']);
    expect(problems).toHaveLength(1);
  });

  it('of any style sheet end up in one whose references are the same but for their names', () => {
    const piece = fc.constantFrom(
      ...'url( ) " \' i.png x/../i.png \\ \\69.png @import ; /* */ \n # a{ } image-set( URL( "i.png" url(i.png) ?v'.split(
        ' ',
      ),
      ' ',
    );
    const shown = (css: string) => cssReferences(css).map(({ url }) => url);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        const css = pieces.join('');
        const [sheet] = publish({ 'a.css': css, 'i.png': 'i' }, []).published;
        const after = sheet?.bytes === undefined ? css : textOf(sheet);
        const name = `i.${hash('i')}.png`;
        const wanted = shown(css).map((url) => {
          const [, path = '', suffix = ''] = /^([^?#]*)(.*)$/s.exec(url.trim()) ?? [];
          const { pathname } = new URL(path, 'https://northwind.example/assets/');
          return pathname === '/assets/i.png' ? `${name}${suffix}` : url;
        });
        expect(shown(after)).toEqual(
          wanted.map((url, at) => (shown(after)[at] === encodeURI(url) ? encodeURI(url) : url)),
        );
      }),
    );
  });
});
