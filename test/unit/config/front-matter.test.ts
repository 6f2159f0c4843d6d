import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFrontMatter } from '../../../src/config/front-matter.ts';
import { isTieupError } from '../../../src/errors.ts';
import { placed } from '../content/site-builder.ts';

const parse = (text: string) => parseFrontMatter(text, 'pages/a.md');
function faults(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_CONTENT')) return error.problems.map(placed);
    throw error;
  }
  return [];
}

describe('front matter', () => {
  it('says everything that a page can say', () => {
    const text = `---
title: " Opening hours "
description: When we are open
inherit: framework
template: wide
slots:
  hours: {description: When, fallback: "*ask*", required: true}
  news:
    content: none
values: {colour: red, seats: 12, wifi: true}
partners: [alpha, cafe]
draft: true
aliases: old.html
order: 2.5
navigation: Hours
language: de-CH
translates: hours.md
image: assets/door.png
date: 2026-11-23
updated: 2026-11-24T10:00Z
publish-from: 2026-12-20
publish-until: 2026-12-24T18:00
tags: [news, events]
paginate: latest
---
text
`;
    expect(parse(text)).toEqual({
      meta: {
        title: 'Opening hours',
        description: 'When we are open',
        inherit: 'framework',
        template: 'wide',
        slots: {
          hours: { description: 'When', content: undefined, fallback: '*ask*', required: true },
          news: { description: '', content: 'none', fallback: undefined, required: false },
        },
        values: { colour: 'red', seats: '12', wifi: 'true' },
        partners: ['alpha', 'cafe'],
        draft: true,
        aliases: ['old.html'],
        order: 2.5,
        navigation: 'Hours',
        language: 'de-CH',
        translates: 'hours.md',
        image: 'assets/door.png',
        date: '2026-11-23',
        updated: '2026-11-24T10:00Z',
        publishFrom: '2026-12-20',
        publishUntil: '2026-12-24T18:00',
        tags: ['news', 'events'],
        paginate: { collection: 'latest', size: 10 },
      },
      markdown: 'text\n',
      firstLine: 26,
    });
  });

  it('can be left out, wholly or in part', () => {
    const { meta, markdown, firstLine } = parse('# Hello\n\ntext');
    expect(meta).toEqual({
      title: 'Hello',
      description: '',
      inherit: 'full',
      template: 'page',
      slots: {},
      values: {},
      partners: undefined,
      draft: false,
      aliases: [],
      order: undefined,
      navigation: undefined,
      tags: [],
    });
    expect([markdown, firstLine]).toEqual(['# Hello\n\ntext', 1]);
    expect(parse('---\n---\n# A')).toMatchObject({ markdown: '# A', firstLine: 3 });
    expect(parse('---\n# nothing yet\n---\n# A')).toMatchObject({ firstLine: 4 });
    expect(parse('---\nnavigation: false\n---\n# A').meta.navigation).toBe(false);
  });

  it('is the same with a byte order mark and with line ends of any kind', () => {
    const text = '---\ntitle: A\n---\nb\nc\n';
    expect(parse(`\uFEFF${text.replaceAll('\n', '\r\n')}`)).toEqual(parse(text));
  });

  it.each([
    ['# A *b* `c` [d](e) ##', 'A b c d'],
    ['\n\n## <b>A</b> \\* ![i](j)', 'A * i'],
    ['# Q&amp;A &lt;x&gt;', 'Q&A <x>'],
    ['A title\n===\nb', 'A title'],
    ['A title\n---\nb', 'A title'],
  ])('takes the title from the heading of %j', (text, title) => {
    expect(parse(text).meta.title).toBe(title);
  });

  it.each([
    [
      'text',
      'pages/a.md:1:1 the page has no title: write `title` in the front matter, or start the text with a heading',
    ],
    ['text\n\n# Later', 'the page has no title'],
    ['# ', 'the page has no title'],
    ['---\ndraft: true\n---\n# At {{ partner.name }}', 'pages/a.md:4:1 the title cannot hold a variable'],
    ['---\ntitle: A\n', 'pages/a.md:1:1 the front matter is not closed by a line ---'],
    ['---\ntitel: A\n---\n', 'pages/a.md:2:1 unknown key `titel` (did you mean `title`?)'],
    [
      '---\ntitle: A\nslots:\n  x: {requird: true}\n---\n',
      'pages/a.md:4:7 unknown key `slots.x.requird` (did you mean `required`?)',
    ],
    [
      '---\ntitle: A\ninherit: ful\n---\n',
      'pages/a.md:3:10 `inherit` must be one of full, framework, link (it is "ful"; did you mean full?)',
    ],
    ['---\ntitle: A\nslots: {"A b": {}}\n---\n', 'is no slot name'],
    ['---\ntitle: A\nvalues: {"a b": x}\n---\n', 'is no name'],
    ['---\ntitle: A\nvalues: {a: [x]}\n---\n', 'pages/a.md:3:13 `values.a` must be'],
    ['---\ntitle: "A\\nB"\n---\n', 'must be one line'],
    ['---\ntitle: ""\n---\n# A', 'pages/a.md:2:8 `title` must not be empty'],
    ['---\ntitle: A\ntitle: B\n---\n', 'pages/a.md:3:1 this key is there twice'],
    ['---\ntitle: A: B\n---\n', 'pages/a.md:2:8'],
    ['---\n\ttitle: A\n---\n', 'pages/a.md:2:1'],
    ['---\n- title\n---\n', 'pages/a.md:2:1'],
    ['---\ntitle: A\norder: first\n---\n', 'pages/a.md:3:8 `order` must be a number'],
    ['---\ntitle: A\nnavigation: true\n---\n', 'pages/a.md:3:13 `navigation` must be'],
  ])('refuses %j with its place', (text, problem) => {
    expect(faults(text).join('\n')).toContain(problem);
  });

  it('finds everything that is wrong at once', () => {
    expect(faults('---\ntitel: A\ninherit: ful\ndraft: maybe\n---\n')).toHaveLength(3);
  });

  it('either takes a text apart without losing a character of it, or refuses it', () => {
    const piece = fc.constantFrom('---', '\n', 'title: A', ' ', '# B', 'c', '- ', ':', '{', '...', '--- ', '\n---\n');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        if (faults(text).length > 0) return;
        const { markdown, firstLine } = parse(text);
        expect(text.endsWith(markdown)).toBe(true);
        expect(text.slice(0, text.length - markdown.length).split('\n')).toHaveLength(firstLine);
      }),
      { numRuns: 1000 },
    );
  });
});
