import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PagePart } from '../../../src/content/dissect.ts';
import { matchPage } from '../../../src/content/match-page.ts';
import { compile, pageFor, partner } from './site-builder.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const constant = (text: string): PagePart => ({ kind: 'constant', bytes: bytes(text) });
const hole = (name: string, text: string): PagePart => ({ kind: 'hole', name, bytes: bytes(text) });
const slot = (name: string, text: string): PagePart => ({ kind: 'slot', name, bytes: bytes(text) });

const PARTS = [
  constant('<h1>\n'),
  hole('partner.name', 'Alpha'),
  slot('a', 'x'),
  constant('</h1>'),
  slot('b', ''),
  constant('.'),
];
const match = (text: string) => matchPage(PARTS, bytes(text));

describe('a page compared with what it has to be', () => {
  it('may differ in its slots', () => {
    expect(match('<h1>\nAlphax</h1>.')).toMatchObject({
      kind: 'equal',
      slots: [{ isFilled: false }, { isFilled: false }],
    });
    expect(match('<h1>\nAlpha</h1></h1>!.')).toMatchObject({
      kind: 'equal',
      slots: [{ isFilled: true }, { isFilled: true }],
    });
  });

  it('may differ in nothing else, and says where it does', () => {
    expect(match('<h1>\nAlphy</h1>.')).toEqual({ kind: 'different', part: 'partner.name', line: 2, column: 5 });
    expect(match('<h2>\nAlpha</h1>.')).toMatchObject({ part: "the main site's text", line: 1, column: 3 });
    expect(match('<h1>\nAlphax')).toMatchObject({ kind: 'different' });
    expect(match('<h1>\nAlphax</h1>. and more')).toMatchObject({ kind: 'different' });
    expect(match('')).toMatchObject({ kind: 'different', line: 1, column: 1 });
    expect(matchPage([constant('a')], bytes('ab'))).toMatchObject({ kind: 'different' });
  });

  it('is found equal for any content of slots, and different for any other change', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b') });
    const part = fc.oneof(
      text.map(constant),
      text.map((value) => hole('h', value)),
      text.map((value) => slot('s', value)),
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.array(text, { minLength: 8, maxLength: 8 }),
        text,
        (parts, fills, end) => {
          let next = 0;
          const written = parts.map((each) => (each.kind === 'slot' ? bytes(fills[next++] ?? '') : each.bytes));
          expect(matchPage(parts, Buffer.concat(written)).kind).toBe('equal');
          const closed = [...parts, constant('.')];
          expect(matchPage(closed, Buffer.concat([...written, bytes(`.${end}c`)])).kind).toBe('different');
        },
      ),
    );
  });

  it('is taken apart into the very bytes that it is rendered to', () => {
    const site = compile({
      pages: {
        'a.md':
          '---\ninherit: framework\nslots:\n  s: {fallback: "hi {{ partner.name }}"}\n---\n# A\n\n{{ partner.id }}\n\n<slot name="s"></slot>\n\n[b](b.md)',
        'b.md': '---\npartners: [other]\n---\n# B',
      },
    });
    const page = pageFor(site, 'with-main/a.html');
    const parts = page.dissect(7);
    expect(Buffer.concat(parts.map((part) => part.bytes))).toEqual(Buffer.from(page.render(7).bytes));
    const names = parts.flatMap((part) => (part.kind === 'constant' ? [] : [part.name]));
    expect(names).toEqual(['search', 'partner.id', 'release.since', 'partner.id', 's', 'link to b.md']);
    // What is constant is the same for everybody.
    const constants = (view: ReturnType<typeof partner>) =>
      pageFor(site, 'with-main/a.html', view)
        .dissect(7)
        .filter(({ kind }) => kind === 'constant');
    expect(constants(partner())).toEqual(constants(partner({ id: 'beta', name: 'B', search: 'own' })));
  });
});
