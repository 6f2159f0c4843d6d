/** What is left out of the grammar of a text changes nothing about it. */
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { describe, expect, it } from 'vitest';
import { leaveOut, uselessConstructs } from '../../../src/content/grammar.ts';
import { commonMarkExamples, gfmExamples } from '../../support/markdown-examples.ts';

const all = unified().use(remarkParse).use(remarkGfm).freeze();

function parsed(text: string): unknown {
  return unified()
    .use(remarkParse)
    .use(remarkGfm)
    .use(leaveOut(uselessConstructs(text)))
    .parse(text);
}

describe('the grammar of a text', () => {
  it('is smaller where a text cannot use it', () => {
    expect(uselessConstructs('Only *words*, and [a link](page.md).')).toHaveLength(8);
    expect(uselessConstructs('a@b.c www http ~ | [^')).toEqual([]);
  });

  it('comes to the same tree as the whole of it, for every example of both specifications', () => {
    const texts = [...commonMarkExamples(), ...gfmExamples()].map(({ markdown }) => markdown);
    expect(texts.length).toBeGreaterThan(1_300);
    for (const text of texts) expect([text, parsed(text)]).toEqual([text, all.parse(text)]);
  });

  it.each([
    'a&#64;b.example',
    'a&commat;b.example and WWW.x.example',
    'a@&#98;.example',
    '&period;@b.example',
    'a\\-@b.example and a@\\-b.example',
    'a&period;b@c.example',
    'a @b.example a@ b.example',
    '+@b.example -@b.example _@b.example',
    'a@b&period;example',
    'hTTps://x.example',
    'http&sol;&#47;x.example www&period;x.example',
    'w&#119;w.x.example',
    'http&colon;//x.example',
    'ftp://x.example mailto:a xmpp:b',
    'a\\@b.example',
    'a\n:-\n',
    'a\n-:\n1\n',
    'a: b\n---\n',
    ':--\n:-:\n',
    '- a\n  -:\n',
    '~a~ ~~b~~',
    '[^1]\n\n[^1]: x',
    '- [x] a\n- [ ] b',
    'snake_case.and-more+plus www',
  ])('comes to the same tree for %j', (text) => {
    expect(parsed(text)).toEqual(all.parse(text));
  });
});
