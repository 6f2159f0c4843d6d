import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinkCheck, type LinkScope } from '../../../src/merge/link-check.ts';
import { hasLinks, readLinks } from '../../../src/merge/page-links.ts';

function check(files: Readonly<Record<string, string>>, scope: Partial<LinkScope> = {}): string[] {
  const checked = new LinkCheck({ files: new Set(Object.keys(files)), within: '', ...scope });
  for (const [path, text] of Object.entries(files)) if (hasLinks(path)) checked.add(path, readLinks(path, text));
  return checked
    .finish()
    .map(({ kind, path, line, column, message }) => `${path}:${line}:${column} ${kind} ${message}`);
}

const OTHERS = { 'a/b.html': '<h2 id="here">', 'a/index.html': '', 'index.html': '', 'a/p q.png': '', 'f.woff2': '' };

describe('links that lead somewhere', () => {
  it.each([
    '<a href="b.html">',
    '<a href="./">',
    '<a href="/">',
    '<a href="../a">',
    '<a href="/a/b.html?x=1#here">',
    '<a href="b.html#">',
    '<a href="b.html#top">',
    '<a href="b.html#:~:text=x">',
    '<a href="b.html#here:~:text=x">',
    '<a href="">',
    '<a href="#">',
    '<a href="#x y"><i id="x y">',
    '<a href="#x%20y"><i id="x y">',
    '<a href="#old"><a name="old">',
    '<a href="mailto:x@y.example"><a href="tel:1"><a href="javascript:x"><img src="data:image/png;base64,AA">',
    '<a href="https://elsewhere.example/nowhere.html">',
    '<a href="//elsewhere.example/nowhere.html">',
    '<img src="p%20q.png" srcset="p%20q.png 1x, /a/p%20q.png 2x">',
    '<base href="/a/"><a href="b.html">',
    '<svg><use href="#shape"/></svg>',
    '<style>@font-face{src:url(/f.woff2)}</style><p style="background:url(p%20q.png)">',
    '<link rel="canonical" href="/nowhere.html"><link rel="alternate" href="/nowhere.xml">',
    '<meta http-equiv="refresh" content="0; url=b.html">',
    '<!-- <a href="nowhere.html"> --><script>"<a href=nowhere.html>"</script>',
  ])('are no finding: %s', (html) => {
    expect(check({ ...OTHERS, 'a/x.html': html })).toEqual([]);
  });
});

describe('what leads nowhere', () => {
  it.each([
    ['<p>\n  <a href="nowhere.html">', 'a/x.html:2:3 link "nowhere.html" leads to no file'],
    ['<a href="B.html">', 'a/x.html:1:1 link "B.html" leads to no file: the file is called "a/b.html"'],
    ['<a href="b">', 'a/x.html:1:1 link "b" leads to no file: the page is "a/b.html"'],
    ['<a href="/c/">', 'a/x.html:1:1 link "/c/" leads to no file'],
    ['<a href="http://">', 'a/x.html:1:1 link "http://" is no address'],
    ['<a href="%ff.html">', 'a/x.html:1:1 link "%ff.html" is no address'],
    ['<a href="b.html#gone">', 'a/x.html:1:1 anchor "b.html#gone": the page there has no id "gone"'],
    ['<a href="#gone">', 'a/x.html:1:1 anchor "#gone": this page has no id "gone"'],
    ['<area href="nowhere.html">', 'a/x.html:1:1 link "nowhere.html" leads to no file'],
    ['<img src="no.png">', 'a/x.html:1:1 file "no.png" leads to no file'],
    ['<img srcset="p%20q.png 1x, no.png 2x">', 'a/x.html:1:1 file "no.png" leads to no file'],
    ['<video poster=no.png></video>', 'a/x.html:1:1 file "no.png" leads to no file'],
    ['<link rel="preload stylesheet" href="/no.css">', 'a/x.html:1:1 file "/no.css" leads to no file'],
    ['<style>@import "no.css"</style>', 'a/x.html:1:1 file "no.css" leads to no file'],
    ['<p style="background:url(no.png)">', 'a/x.html:1:1 file "no.png" leads to no file'],
    ['<meta http-equiv=refresh content="0;URL=\'no.html\'">', 'a/x.html:1:1 link "no.html" leads to no file'],
    ['<i id="a">\n<b id="b"><i id="a">', 'a/x.html:2:11 id the id "a" is there twice, in line 1 as well'],
    ['<template><a href="no.html"></a></template>', 'a/x.html:1:11 link "no.html" leads to no file'],
  ])('is found: %s', (html, expected) => {
    expect(check({ ...OTHERS, 'a/x.html': html })).toEqual([expected]);
  });

  it('is found in a style sheet with its own place', () => {
    expect(check({ 'css/a.css': 'p{}\n q{background:url(../no.png)}' })).toEqual([
      'css/a.css:2:15 file "../no.png" leads to no file',
    ]);
  });

  it('is nobody’s business outside of the part that is known', () => {
    const pages = { 'with/a.html': '<a href="/theirs.html"><a href="gone.html"><img src="/logo.png">' };
    expect(check(pages, { within: 'with/' })).toEqual(['with/a.html:1:24 link "gone.html" leads to no file']);
  });

  it('is found behind the site’s own full address as well, where that is known', () => {
    const page = { 'a.html': '<a href="https://shop.example/x/gone.html"><a href="https://shop.example/y/gone.html">' };
    expect(check(page)).toEqual([]);
    expect(check(page, { siteUrl: 'https://shop.example/x/' })).toEqual([
      'a.html:1:1 link "https://shop.example/x/gone.html" leads to no file',
    ]);
  });

  it('is looked for in any page at all', () => {
    const attributes = fc.constantFrom('href', 'src', 'srcset', 'style');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), attributes, (text, attribute) => {
        const value = text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
        const page = `<a ${attribute}="${value}"><img ${attribute}="${value}">${text}<a href="gone.html">`;
        expect(check({ 'x.html': page, 'x.css': text })).toBeInstanceOf(Array);
      }),
    );
  });
});
