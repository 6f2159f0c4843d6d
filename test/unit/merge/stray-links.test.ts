import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linksTo, type StrayLinks } from '../../../src/merge/stray-links.ts';

const targets = (...paths: readonly string[]) =>
  new Map(paths.map((path): [string, StrayLinks['instead']] => [path, 'nothing']));
const ABSENT = targets('m/story.html', 'm/topic/index.html', 'm/über uns.html', 'm/q&a.html');
const links = (html: string, path = 'm/a/page.html') => linksTo(ABSENT, new TextEncoder().encode(html), path);

describe('a link that leads to a page which is not there', () => {
  it.each([
    ['beside it', '<a href="../story.html">x</a>', ['m/story.html']],
    ['with a fragment and a query', '<a href="../story.html?a=1#b">x</a>', ['m/story.html']],
    ['from the top', "<A HREF='/m/story.html'>x</A>", ['m/story.html']],
    ['to a folder', '<a href="../topic/">x</a>', ['m/topic/index.html']],
    ['to a folder without its slash', '<a href="../topic">x</a>', ['m/topic/index.html']],
    ['with escapes', '<a href="../%C3%BCber%20uns.html">x</a>', ['m/über uns.html']],
    ['with a character reference', '<a href="../q&amp;a.html">x</a>', ['m/q&a.html']],
    ['several times', '<a href="../story.html">x</a><area href="/m/story.html">', ['m/story.html']],
    [
      'to two of them',
      '<a href="../topic/">x</a><a href="/m/story.html">x</a>',
      ['m/topic/index.html', 'm/story.html'],
    ],
  ])('is found: %s', (_, html, expected) => expect(links(html)).toEqual(expected));

  it.each([
    ['a page that is there', '<a href="other.html">x</a>'],
    ['the same path elsewhere', '<a href="https://elsewhere.example/m/story.html">x</a>'],
    ['another folder', '<a href="story.html">x</a>'],
    ['an address that cannot be', '<a href="https://[">x</a><a href="%E0%A4%A">x</a>'],
    ['mail', '<a href="mailto:story.html">x</a>'],
    ['what only talks about it', '<p>../story.html</p><a data-href=x>href = "../story.html"</a>'],
  ])('is not found in a link to %s', (_, html) => expect(links(html)).toEqual([]));

  it('is looked for in any page whatever', () => {
    const piece = fc.constantFrom(
      '<a href="',
      "href='",
      '../',
      'story.html',
      '/m/',
      '"',
      "'",
      '%',
      '&amp;',
      ':',
      '//',
      '\0',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ unit: 'binary' }))), (pieces) => {
        expect([...ABSENT.keys()]).toEqual(expect.arrayContaining([...links(pieces.join(''))]));
      }),
    );
  });
});
