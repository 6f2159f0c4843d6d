import { describe, expect, it } from 'vitest';
import { findActiveContent, judgeActiveContent } from '../../../src/merge/active-content.ts';
import { cssReferences } from '../../../src/protocol/css-references.ts';
import type { ContentPolicy } from '../../../src/protocol/terms.ts';

const STRICT: ContentPolicy = { scripts: 'none', remoteOrigins: [], serviceWorkers: false, search: 'own' };
const find = (html: string, path = 'with-main/a.html') => findActiveContent(new TextEncoder().encode(html), path);
const kinds = (html: string, path?: string) =>
  find(html, path).map(({ kind, origin }) => (origin === undefined ? kind : `${kind} ${origin}`));
const judge = (html: string, policy: Partial<ContentPolicy> = {}, path?: string) =>
  judgeActiveContent(find(html, path), { ...STRICT, ...policy }).map(({ message }) => message);

const remote = (integrity: string) => `<script src="https://cdn.example/a.js" integrity="${integrity}"></script>`;

describe('a page that can only be looked at', () => {
  it.each([
    '<!doctype html><title>x</title><p>Hello <a href="https://main.example/">there</a> <a href="mailto:a@b.example">mail</a>',
    '<link rel="canonical" href="https://main.example/a"><link rel=alternate hreflang=de href="https://main.example/de">',
    '<link rel="stylesheet" href="style.css"><img src="../img/a.png" srcset="a.png 1x, b.png 2x"><style>p{background:url(a.png)}</style>',
    '<meta http-equiv="refresh" content="0; url=../new.html"><meta charset="utf-8"><meta name=viewport content="width=device-width">',
    '<form action="/search"><input name=q></form><form><button>x</button></form>',
    '<script type="application/ld+json">{"url":"https://main.example/"}</script>',
    '<img src="data:image/png;base64,AAAA"><iframe src="map.html"></iframe><video src=a.mp4 poster=a.jpg></video>',
    '<p title="javascript: the good parts" data-onclick="x">on click</p><blockquote cite="https://elsewhere.example/">x</blockquote>',
    '<svg viewBox="0 0 1 1"><use href="#a"/><a href="https://main.example/"><text>x</text></a></svg>',
    '<!-- <script src="https://evil.example/x.js"></script> --><pre>&lt;script&gt;</pre><p style="color:red">x</p>',
    '<style>p::before{content:"https://evil.example/"} /* url(https://evil.example/) */</style>',
  ])('has no active content: %s', (html) => {
    expect(find(html)).toEqual([]);
  });
});

describe('a file is judged by what some server makes of its whole name', () => {
  const SCRIPT = '<!doctype html><title>x</title><script>alert(1)</script>';

  it.each([
    'page.html',
    'page.html.avif',
    'page.html.webp',
    'page.html.md',
    'page.html.en.map',
    'page.htm.unheard-of',
    'page.html.7z',
    'page.HTML.WOFF2',
    'page.svg.json',
    'page',
    'page.unheard-of',
    'page.png.unheard-of',
    'page.css.unheard-of',
  ])('%s may be a page', (path) => expect(kinds(SCRIPT, path)).toContain('script'));

  it.each(['app.js', 'app.min.js', 'app.js.map', 'app.js.en'])('%s may be a script', (path) =>
    expect(kinds('let x = 1;', path)).toEqual(['script']),
  );

  it.each(['page.svgz', 'page.html.gz', 'page.js.br', 'page.avif.html.gz', 'page.svgz.webp'])(
    '%s may be anything',
    (path) => expect(kinds(SCRIPT, path)).toEqual(['unreadable']),
  );

  it.each(['node.js.png', 'page.html.png', 'page.html.txt', 'photo.avif', 'photo.min.webp', 'data.json', 'a.png.gz'])(
    '%s can only be looked at',
    (path) => expect(kinds(SCRIPT, path)).toEqual([]),
  );

  it.each(['style.min.css', 'style.css.map'])('%s may be a style sheet', (path) =>
    expect(kinds('p{background:url(https://evil.example/)}', path)).toEqual(['remote https://evil.example']),
  );
});

describe('active content', () => {
  it.each([
    ['<script>alert(1)</script>', ['script']],
    ['<SCRIPT TYPE=module>1</SCRIPT>', ['script']],
    ['<script type="importmap">{}</script>', ['script']],
    ['<script type="speculationrules">{}</script>', ['script']],
    ['<script src="a.js"></script>', ['script']],
    ['<script src="//evil.example/a.js"></script>', ['script https://evil.example']],
    ['<script src="\\\\evil.example/a.js"></script>', ['script https://evil.example']],
    ['<script src="data:text/javascript,1"></script>', ['script data:']],
    ['<img src=x onerror=alert(1)>', ['script']],
    ['<body onload="x">', ['script']],
    ['<svg/onload=alert(1)>', ['script']],
    ['<a href="javascript:alert(1)">x</a>', ['script']],
    ['<a href=" java\n&#9;script:alert(1)">x</a>', ['script']],
    ['<a href="&#1;JaVaScRiPt:alert(1)">x</a>', ['script']],
    ['<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>', ['script']],
    ['<svg><a><animate attributeName=href values="x;javascript:alert(1)"/></a></svg>', ['script']],
    ['<form action="javascript:x"></form>', ['script']],
    ['<button formaction="javascript:x">x</button>', ['script']],
    ['<svg><script href="https://evil.example/a.js"></script></svg>', ['script https://evil.example']],
    ['<template><script>1</script></template>', ['script']],
    ['<noscript><p title="</noscript><script>1</script>"></noscript>', ['script']],
    [
      '<noscript><meta http-equiv=refresh content="0;url=https://evil.example/"></noscript>',
      ['refresh https://evil.example'],
    ],
    ['<iframe srcdoc="&lt;script&gt;1&lt;/script&gt;"></iframe>', ['script']],
    ['<iframe src="https://evil.example/"></iframe>', ['frame https://evil.example']],
    ['<iframe src="data:text/html,<script>1</script>"></iframe>', ['script']],
    [
      '<object data="https://evil.example/x"></object><embed src="https://evil.example/y">',
      ['frame https://evil.example', 'frame https://evil.example'],
    ],
    ['<img src="https://cdn.example/a.png">', ['remote https://cdn.example']],
    ['<img srcset="a.png 1x, https://cdn.example/a.png 2x">', ['remote https://cdn.example']],
    ['<img srcset="https://cdn.example/a.png,b.png 2x">', ['remote https://cdn.example']],
    ['<link rel="stylesheet" href="http://cdn.example/a.css">', ['remote http://cdn.example']],
    ['<link rel="canonical preload" href="https://cdn.example/a.css">', ['remote https://cdn.example']],
    ['<link rel="dns-prefetch" href="//cdn.example">', ['remote https://cdn.example']],
    ['<link rel="modulepreload" href="//cdn.example/m.js">', ['script https://cdn.example']],
    [
      '<video poster="//cdn.example/p.jpg"><source src="//cdn.example/v.mp4"></video>',
      ['remote https://cdn.example', 'remote https://cdn.example'],
    ],
    [
      '<svg><image href="https://cdn.example/a.png"/><use xlink:href="https://cdn.example/b.svg#x"/></svg>',
      ['remote https://cdn.example', 'remote https://cdn.example'],
    ],
    ['<p style="background:u\\72l(https://cdn.example/a.png)">', ['remote https://cdn.example']],
    ['<style>@import "https://cdn.example/a.css";</style>', ['remote https://cdn.example']],
    ['<p style="background:url(https://cdn.example/a\\">', ['remote https://cdn.example']],
    ["<style>@import 'https://cdn.example/a.css\\</style>", ['remote https://cdn.example']],
    ['<a href="/x" ping="https://spy.example/">x</a>', ['remote https://spy.example']],
    [
      '<base href="https://evil.example/"><img src="a.png">',
      ['remote https://evil.example', 'remote https://evil.example'],
    ],
    ['<form action="https://evil.example/"></form>', ['form https://evil.example']],
    ['<button formaction="//evil.example/">x</button>', ['form https://evil.example']],
    ['<meta http-equiv="Refresh" content="5, URL=\'https://evil.example/\'">', ['refresh https://evil.example']],
    ['<meta http-equiv="refresh" content="0;https://evil.example/">', ['refresh https://evil.example']],
    ['<script>navigator.serviceWorker.register("sw.js")</script>', ['script', 'service-worker']],
    ['<script type=module>import x from "https://cdn.example/x.js"</script>', ['script', 'script https://cdn.example']],
    ['<meta charset="iso-2022-jp">', ['unreadable']],
    ['<meta http-equiv="content-type" content="text/html; charset=gbk">', ['unreadable']],
  ])('%s is found', (html, expected) => {
    expect(kinds(html)).toEqual(expected);
  });

  it('tells the line and column', () => {
    expect(find('<p>x\n<b>\n  <i onclick="x">')).toMatchObject([
      { path: 'with-main/a.html', line: 3, column: 3, what: 'the event handler onclick of <i>' },
    ]);
  });

  it('is looked for deep down without running out of stack', () => {
    expect(kinds(`${'<div>'.repeat(20_000)}<script>1</script>`)).toEqual(['script']);
  });
});

describe('files that are no pages', () => {
  it.each([
    ['a.js', 'let x', ['script']],
    ['sw.js', 'self.registration; navigator.serviceWorker', ['script', 'service-worker']],
    ['a.mjs', 'import("https://cdn.example/x.js")', ['script', 'script https://cdn.example']],
    ['a.wasm', '\0asm', ['script']],
    ['a.css', '@import/**/url( "//cdn.example/x.css" );', ['remote https://cdn.example']],
    ['a.css', 'p{background:image-set("https://cdn.example/a.png" 1x)}', ['remote https://cdn.example']],
    ['a.svg', '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', ['script']],
    ['a.svg', '<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:script>1</s:script></s:svg>', ['script']],
    ['a.svg', '<!DOCTYPE svg [<!ENTITY x "&lt;script/>">]><svg>&x;</svg>', ['unreadable']],
    ['a.xml', '<?xml-stylesheet type="text/xsl" href="a.xsl"?><a/>', ['script']],
    ['a.svgz', '\x1f\x8b', ['unreadable']],
    ['a.html.gz', '\x1f\x8b', ['unreadable']],
    ['a.js.br', 'x', ['unreadable']],
    ['noending', '<script>1</script>', ['script']],
    ['a.strange', '<img src=//cdn.example/a.png>', ['remote https://cdn.example']],
    ['a.png', '<script>1</script>', []],
    ['a.txt', '<script>1</script>', []],
    ['a.tar.gz', '\x1f\x8b', []],
    ['a.strange', 'plain words', []],
  ])('%s with %j', (path, text, expected) => {
    expect(kinds(text, path)).toEqual(expected);
  });

  it('a page that is not UTF-8 is unreadable, and looked at all the same', () => {
    const bytes = Buffer.concat([Buffer.from('<p>caf'), Buffer.from([0xe9]), Buffer.from('<script>1</script>')]);
    expect(findActiveContent(bytes, 'a.html').map(({ kind }) => kind)).toEqual(['unreadable', 'script']);
  });
});

describe('the terms', () => {
  const pin = `sha256-${Buffer.alloc(32).toString('base64')}`;

  it('refuse scripts unless they allow them', () => {
    expect(judge('<script>1</script>')).toEqual(['an inline script: the terms allow no scripts']);
    expect(judge('<script>1</script><i onclick=x>', { scripts: 'own' })).toEqual([]);
    expect(judge(remote(pin), { scripts: 'own' })).toEqual([
      'the remote script "https://cdn.example/a.js": the terms allow no scripts from other sites',
    ]);
  });

  it.each([
    '',
    'sha256-',
    'sha256-AAAA',
    'md5-AAAA',
    `sha-256-${pin}`,
    'sha384-' + Buffer.alloc(32).toString('base64'),
  ])('refuse a remote script with the integrity %j', (integrity) => {
    expect(judge(remote(integrity), { scripts: 'remote' })).toEqual([
      'the remote script "https://cdn.example/a.js": a script from another site needs subresource integrity',
    ]);
  });

  it('let a remote script pass whose bytes are pinned', () => {
    expect(judge(remote(pin), { scripts: 'remote' })).toEqual([]);
  });

  it('name the origins from which pages may load, to which they may lead and send', () => {
    const html =
      '<img src="https://cdn.example/a"><iframe src="https://cdn.example/b"></iframe><form action="https://cdn.example/c"></form>';
    expect(judge(html)).toHaveLength(3);
    expect(judge(html, { remoteOrigins: ['https://cdn.example'] })).toEqual([]);
    expect(
      judge(html, { remoteOrigins: ['http://cdn.example', 'https://cdn.example:8443', 'https://example'] }),
    ).toHaveLength(3);
  });

  it('allow service workers by themselves alone', () => {
    const html = '<script>navigator.serviceWorker.register("sw.js")</script>';
    expect(judge(html, { scripts: 'own' })).toEqual([
      'a script that uses service workers: the terms allow no service workers',
    ]);
    expect(judge(html, { scripts: 'own', serviceWorkers: true })).toEqual([]);
  });

  it('never allow what cannot be read', () => {
    const all: ContentPolicy = {
      scripts: 'remote',
      remoteOrigins: ['https://cdn.example'],
      serviceWorkers: true,
      search: 'own',
    };
    expect(judge('<meta charset="utf-7">', all)).toHaveLength(1);
  });

  it('say file, line and column of each problem', () => {
    expect(judgeActiveContent(find('<p>\n<script>1</script>'), STRICT)).toMatchObject([
      { file: 'with-main/a.html', line: 2, column: 1 },
    ]);
  });
});

describe('addresses in style sheets', () => {
  it.each([
    ['a{b:url(x.png)}', ['x.png']],
    ['a{b:URL( "x y.png" )}', ['x y.png']],
    ["a{b:url('x\\'y')}", ["x'y"]],
    ['a{b:u\\72 l(x)}', ['x']],
    ['a{b:url(x\\29 y)}', ['x)y']],
    ['@import "a.css" screen;', ['a.css']],
    ['@\\69mport url(a.css);', ['a.css']],
    ['a{b:src("x")}', ['x']],
    ['a{b:image-set("x" 1x, url(y) 2x, type("image/png"))}', ['x', 'y']],
    ['a{content:"url(x)"}', []],
    ['/* url(x) */ a{/*"*/b:url(y)/*"*/}', ['y']],
    ['a{b:"open\n;c:url(x)}', ['x']],
    ['a{b:url(x', ['x']],
    ['a{b:url(x\\', ['x\uFFFD']],
    ['a{b:url("x\\', ['x']],
    ["@import 'x\\", ['x']],
    ['"url(x)\\', []],
    ['a[href^="https://x"]{b:c}', []],
    ['@charset "utf-8";@font-face{src:url(f.woff2)format("woff2")}', ['f.woff2']],
  ])('%j', (css, expected) => {
    expect(cssReferences(css).map(({ url }) => url)).toEqual(expected);
  });

  it('are found in one pass, also where a style sheet is made to be slow', () => {
    const escapes = '\\aaaaaa'.repeat(20_000);
    expect(cssReferences(`a{b:url(${escapes}(x`)).toHaveLength(0);
    expect(cssReferences('url('.repeat(20_000))).toHaveLength(1);
    expect(cssReferences('"'.repeat(20_001))).toHaveLength(0);
  });
});

describe('pages inside pages', () => {
  const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  const nested = (depth: number, inner: string, around = ''): string =>
    depth === 0 ? inner : `${around}<iframe srcdoc="${escaped(nested(depth - 1, inner, around))}"></iframe>`;

  it('are looked into', () => {
    expect(kinds(nested(4, '<script>1</script>'))).toEqual(['script']);
    expect(kinds(nested(4, '<p>x</p>'))).toEqual([]);
  });

  it('are refused where they are nested deeper than anybody needs, and parsed no further', () => {
    expect(kinds(nested(5, '<p>x</p>'))).toEqual(['unreadable']);
    expect(kinds(nested(200, '<script>1</script>'))).toEqual(['unreadable']);
    expect(judge(nested(5, '<p>x</p>'))).toEqual([
      'more than 4 pages inside each other in srcdoc: nobody can tell what a browser makes of it',
    ]);
  });

  it('are parsed once, however many browsers there are', () => {
    const hidden = '<noscript></noscript>';
    expect(kinds(nested(40, '<script>1</script>', hidden))).toEqual(['unreadable']);
    expect(kinds(nested(4, '<script>1</script>', hidden))).toEqual(['script']);
  });
});

it('a page with more elements side by side than a call takes arguments is looked at to its end', () => {
  const many = 130_000;
  expect(kinds(`${'<hr>'.repeat(many)}<script>1</script>`)).toEqual(['script']);
  expect(kinds(`<a ping="${'/x '.repeat(many)}https://evil.example/">x</a>`)).toEqual(['remote https://evil.example']);
});
