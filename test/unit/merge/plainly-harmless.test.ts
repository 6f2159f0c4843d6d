/** What is told without parsing is what the parser tells. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { activeContentOf, addressOf } from '../../../src/merge/active-elements.ts';
import { elementsOf, parseHtml } from '../../../src/merge/html.ts';
import { isPlainlyHarmless } from '../../../src/merge/plainly-harmless.ts';

/** What the parser finds, as browsers with and without scripts parse the page. */
function findings(text: string): readonly string[] {
  return [true, false].flatMap((scripting) => {
    const elements = [...elementsOf(parseHtml(text, scripting))];
    const nested = elements.filter(({ attributes }) => attributes.has('srcdoc'));
    const bases = elements.filter(({ name, attributes }) => name === 'base' && attributes.has('href'));
    const active = elements.flatMap((element) => activeContentOf(element, addressOf('with-main/a.html')));
    return [...active.map(({ what }) => what), ...nested.map(() => 'a nested page'), ...bases.map(() => 'a base')];
  });
}

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Roast &amp; brew</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="../style.css">
<link rel="canonical" href="https://main.example/a?b&amp;c"><style>p { color: red }</style></head>
<body class='wide'><!-- navigation --><nav aria-label="Pages"><a href="/">Home</a> <a href=guide/intro.html>Guide</a></nav>
<main><h1 id="top">Roast</h1><p data-level=3>1 < 2, a &lt; b <br/><img src="img/a.png" alt="A > B" width=3 hidden>
<a href="https://main.example/x?y&z" rel="noopener">there</a><a href="mailto:a@b.example">mail</a></p></main></body></html>
`;

describe('without a parser', () => {
  test('a page of headings, text, links and pictures of its own is known to be harmless', () => {
    expect(isPlainlyHarmless(PAGE)).toBe(true);
    expect(findings(PAGE)).toEqual([]);
  });

  test.each([
    '<script>x</script>',
    '<p onclick="x">',
    '<a href="javascript:x">',
    '<a href="java&#115;cript:x">',
    '<a href="&#106avascript:x">',
    '<a href=" javascript:x">',
    '<a href="&Tab;javascript&colon;x">',
    '<img src="https://elsewhere.example/a.png">',
    '<img src=//elsewhere.example/a.png>',
    '<img src="&#47&#47elsewhere.example/a.png">',
    '<img src="\\\\elsewhere.example">',
    '<img src=a.png srcset="//elsewhere.example/b.png 2x">',
    '<image src="//elsewhere.example/a.png">',
    '<link rel="stylesheet" href="//elsewhere.example/a.css">',
    '<link rel="canonical" rel="stylesheet" href="//elsewhere.example/a.css">',
    '<link rel="canonical" href="a" href="//elsewhere.example">',
    '<link rel="modulepreload" href="a.js">',
    '<link rel=serviceworker href=a.js>',
    '<meta http-equiv="refresh" content="0;url=//elsewhere.example">',
    '<meta charset="utf-16">',
    '<p style="background:url(//elsewhere.example/a.png)">',
    '<style>p{background:url(//elsewhere.example/a.png)}</style>',
    '<style>@import "//elsewhere.example"</style>',
    '<base href="//elsewhere.example/"><img src="a.png">',
    '<form action="//elsewhere.example">',
    '<button formaction="//elsewhere.example">',
    '<iframe srcdoc="&lt;script>x&lt;/script>"></iframe>',
    '<svg><use href="//elsewhere.example/a.svg#b"/></svg>',
    '<p title="<script>x</script>">',
    '<title><p title="</title><script>x</script>">',
    '<!-- --!><script>x</script> -->',
    '<!--><script>x</script>-->',
    '<a href=a/onclick=x>',
    '<a title=""onclick=x>',
    '<a title = "x" onclick=x>',
    "<a title='\"><script>x</script>'>",
    '<noscript><p title="</noscript><script>x</script>"></noscript>',
  ])('the parser is asked about %s', (markup) => {
    expect(isPlainlyHarmless(markup)).toBe(false);
    expect(isPlainlyHarmless(PAGE.replace('<main>', `<main>${markup}`))).toBe(false);
  });
});

const PIECES =
  String.raw`<|>|"|'|=|/|&|;|:|-| |<a|<img|<p|<div>|<link|<meta|<title>|</title>|<style>|</style>|<textarea>|<xmp>
|<!--|-->|--!>|<!doctype html>|<![CDATA[|<?x|<select>|<table>|</p>|</a|<svg|<base|<script>|</script>|<noscript>|<template>|<iframe
|<button|<form|<html|<body|<plaintext>| href=| src=| rel=| title=| onclick=| style=| charset=| http-equiv=| content=| srcset=
|javascript:|//elsewhere.example|https:|refresh|0;url=|stylesheet|canonical|a.png|utf-8|url(|)|@import |\|&#47|&colon;|&Tab;|&lt;
|&quot;|&#106;avascript:|x| href="| src="| rel="stylesheet"| title="x"|" |' | hidden|/>| href=a| src="a.png"`
    .split('|')
    .concat('\t', '\0', '\r');

describe('whatever is called harmless, the parser finds nothing in', () => {
  const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }).map((parts) => parts.join(''));
  /** What is found in a page that is called harmless. */
  const overlooked = (text: string): readonly string[] => (isPlainlyHarmless(text) ? findings(text) : []);

  test('pieces of markup', () => {
    fc.assert(
      fc.property(pieces, (text) => {
        expect(overlooked(text)).toEqual([]);
      }),
      { numRuns: 4000 },
    );
  });

  test('a page into which pieces of markup were put', () => {
    const place = fc.nat({ max: PAGE.length });
    const changed = fc.tuple(place, fc.nat({ max: 6 }), pieces).map(([at, cut, text]) => {
      return PAGE.slice(0, at) + text + PAGE.slice(at + cut);
    });
    fc.assert(
      fc.property(changed, (text) => {
        expect(overlooked(text)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});
