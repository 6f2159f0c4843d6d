import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLedger, percentDecode, percentEncode, renderLedger } from '../../../src/merge/ledger.ts';

const A = 'a'.repeat(64);
const HEAD = `tieup-ledger/1 ${A}\n`;
const encode = (text: string) => new TextEncoder().encode(text);

describe('the ledger', () => {
  it('comes back as it was written, whatever the names', () => {
    const entry = fc.record({
      path: fc.string({ unit: 'grapheme', minLength: 1 }),
      length: fc.nat(),
      digest: fc.constant(A),
      release: fc.nat(),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(entry, { selector: ({ path }) => path }),
        fc.constantFrom(A, null),
        (entries, digest) => {
          const ledger = parseLedger(renderLedger(digest, entries), 'ledger');
          expect(ledger.releaseDigest).toBe(digest);
          expect(ledger.entries).toEqual(new Map(entries.map((each) => [each.path, each])));
        },
      ),
    );
  });

  it('reads as documented', () => {
    const text = new TextDecoder().decode(
      renderLedger(A, [
        { path: 'with-main/ü b.html', length: 12, digest: A, release: 3 },
        { path: 'index.html', length: 0, digest: A, release: 0 },
      ]),
    );
    expect(text).toBe(`${HEAD}${A} 0 0 index.html\n${A} 12 3 with-main/%C3%BC%20b.html\n`);
  });

  it.each([
    ['nothing at all', ''],
    ['another type', `tieup-ledger/2 ${A}\n`],
    ['a short release digest', `tieup-ledger/1 ${A.slice(1)}\n`],
    ['no line feed at the end', `${HEAD}${A} 1 1 x`],
    ['an empty line', `${HEAD}\n`],
    ['an upper-case digest', `${HEAD}${A.toUpperCase()} 1 1 x\n`],
    ['a negative length', `${HEAD}${A} -1 1 x\n`],
    ['a length with a leading zero', `${HEAD}${A} 01 1 x\n`],
    ['a length that is no number', `${HEAD}${A} 1e3 1 x\n`],
    ['a missing field', `${HEAD}${A} 1 x\n`],
    ['one field too many', `${HEAD}${A} 1 1 x y\n`],
    ['two blanks', `${HEAD}${A}  1 1 x\n`],
    ['an empty path', `${HEAD}${A} 1 1 \n`],
    ['a path that is not encoded', `${HEAD}${A} 1 1 ü\n`],
    ['a needless encoding', `${HEAD}${A} 1 1 %61\n`],
    ['lower-case hex', `${HEAD}${A} 1 1 %c3%bc\n`],
    ['an encoded slash', `${HEAD}${A} 1 1 a%2Fb\n`],
    ['bytes that are no text', `${HEAD}${A} 1 1 %FF\n`],
    ['paths out of order', `${HEAD}${A} 1 1 b\n${A} 1 1 a\n`],
    ['a path that is there twice', `${HEAD}${A} 1 1 a\n${A} 1 1 a\n`],
    ['Windows line ends', `tieup-ledger/1 ${A}\r\n`],
  ])('refuses %s: a damaged ledger must not decide what may be deleted', (_, text) => {
    expect(() => parseLedger(encode(text), 'published/3.ledger')).toThrow(/^published\/3\.ledger:\d+: /);
  });

  it('spells every path in one way only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (path) => {
        expect(percentEncode(path)).toMatch(/^(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})*$/);
        expect(percentDecode(percentEncode(path))).toBe(path);
      }),
    );
  });
});
