import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteOrder } from '../../../src/protocol/byte-order.ts';
import { parseSums, renderSums } from '../../../src/protocol/sums.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const path = fc.string({
  unit: fc.constantFrom('a', 'b', '/', ' ', '\\', '\n', '\r', 'n', 'ü', '😀', '\uFFEE'),
  minLength: 1,
});

describe('SHA256SUMS', () => {
  it('comes back as it was written, sorted by path, whatever the names', () => {
    fc.assert(
      fc.property(fc.uniqueArray(path), (paths) => {
        const lines = paths.map((each) => ({ path: each, digest: A }));
        const sorted = lines.toSorted((x, y) => Buffer.compare(Buffer.from(x.path), Buffer.from(y.path)));
        expect(parseSums(renderSums(lines), 'SHA256SUMS')).toEqual(sorted);
      }),
    );
  });

  it('escapes names as coreutils does', () => {
    const text = new TextDecoder().decode(
      renderSums([
        { path: 'a\\b\nc\rd', digest: A },
        { path: 'plain name', digest: B },
      ]),
    );
    expect(text).toBe(`\\${A}  a\\\\b\\nc\\rd\n${B}  plain name\n`);
  });

  it.each([
    ['an upper-case digest', `${A.toUpperCase()}  x\n`],
    ['binary mode', `${A} *x\n`],
    ['one blank', `${A} x\n`],
    ['a short digest', `${A.slice(1)}  x\n`],
    ['no name', `${A}  \n`],
    ['no line feed at the end', `${A}  x`],
    ['an empty line', `${A}  x\n\n`],
    ['a comment', `# sums\n${A}  x\n`],
    ['Windows line ends', `${A}  x\r\n`],
    ['a name that is there twice', `${A}  x\n${B}  x\n`],
    ['names out of order', `${A}  y\n${B}  x\n`],
    ['a needless escape', `\\${A}  x\n`],
    ['an escape that does not exist', `\\${A}  x\\ty\n`],
    ['a backslash without the mark', `${A}  x\\\\y\n`],
    ['a byte order mark', `\uFEFF${A}  x\n`],
  ])('refuses %s', (_, text) => {
    expect(() => parseSums(new TextEncoder().encode(text), 'SHA256SUMS')).toThrow(/^SHA256SUMS:\d+: /);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseSums(Uint8Array.of(0x61, 0xff), 'SHA256SUMS')).toThrow('SHA256SUMS is not UTF-8');
  });
});

describe('the order of bytes', () => {
  it('is that of UTF-8 for every two strings', () => {
    const any = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(any, any, (a, b) => {
        expect(Math.sign(byteOrder(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
    expect(byteOrder('\uFFEE', '😀')).toBeLessThan(0);
  });
});
