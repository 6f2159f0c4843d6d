import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readImageHeader } from '../../../src/content/image-header.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const hex = (digits: string): Uint8Array => new Uint8Array(Buffer.from(digits.replaceAll(' ', ''), 'hex'));
const ascii = (value: string): string => Buffer.from(value, 'latin1').toString('hex');
const u32 = (value: number): string => value.toString(16).padStart(8, '0');
const box = (type: string, content: string): string => u32(content.length / 2 + 8) + ascii(type) + content;
const sizeOf = (bytes: Uint8Array) => {
  const header = readImageHeader(bytes);
  return header?.size === undefined ? header?.format : `${header.format} ${header.size.width}×${header.size.height}`;
};

const FRAME = 'ffc2 0011 08 0140 00f0 03 012200 021101 031101';
const exif = (orientation: string) =>
  `ffe1 0022 457869660000 4d4d002a00000008 0001 0112 0003 00000001 ${orientation} 0000 00000000`;
const AVIF = (properties: string) =>
  hex(
    box('ftyp', ascii('avif') + '00000000' + ascii('mif1')) +
      box('meta', '00000000' + box('hdlr', '00') + box('iprp', box('ipco', properties))),
  );

const PICTURES: readonly (readonly [string, Uint8Array])[] = [
  ['png 800×600', hex(`89504e470d0a1a0a 0000000d 49484452 ${u32(800)} ${u32(600)} 08060000`)],
  ['gif 16×9', hex('474946383961 1000 0900 800000')],
  ['jpeg 240×320', hex(`ffd8 ffe0 0004 0000 ${FRAME}`)],
  ['jpeg 240×320', hex(`ffd8 ${exif('0001')} ${FRAME}`)],
  ['jpeg 320×240', hex(`ffd8 ffff ${exif('0006')} ${FRAME}`)],
  ['webp 550×368', hex(`${ascii('RIFF')} 00000000 ${ascii('WEBPVP8 ')} 00000000 300000 9d012a 2602 7001 00`)],
  ['webp 386×395', hex(`${ascii('RIFF')} 00000000 ${ascii('WEBPVP8L')} 00000000 2f 81816200 0000000000`)],
  ['webp 4096×2', hex(`${ascii('RIFF')} 00000000 ${ascii('WEBPVP8X')} 0a000000 10000000 ff0f00 010000`)],
  ['avif 640×480', AVIF(box('ispe', '00000000' + u32(640) + u32(480)) + box('ispe', '00000000' + u32(64) + u32(48)))],
  ['avif 480×640', AVIF(box('irot', '01') + box('ispe', '00000000' + u32(640) + u32(480)))],
  ['svg 32×24', text('<svg width="32" height="24px">')],
  [
    'svg 100×50',
    text(
      '<?xml version="1.0"?>\n<!-- a > b -->\n<!DOCTYPE svg>\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50"/>',
    ),
  ],
  ['svg 200×100', text("\uFEFF<s:svg width='200' viewBox='0,0,2,1'>")],
  ['svg', text('<svg width="100%">')],
];

describe('the header of a picture', () => {
  it.each(PICTURES)('says what it is: %s', (expected, bytes) => {
    expect(sizeOf(bytes)).toBe(expected);
  });

  it.each([
    ['nothing', ''],
    ['a page', '<!doctype html><svg width="1" height="1">'],
    ['text', 'svg'],
    ['a comment without an end', '<!-- <svg width="1" height="1">'],
    ['another element', '<svgx width="1" height="1">'],
    ['a film', '\0\0\0\x18ftypisom\0\0\0\0isomiso2'],
  ])('is not found in %s', (_, content) => {
    expect(readImageHeader(text(content))).toBeUndefined();
  });

  it('has no size when its size is zero or beyond all measure', () => {
    const png = (width: number) => hex(`89504e470d0a1a0a 0000000d 49484452 ${u32(width)} ${u32(600)} 08060000`);
    expect([png(0), png(4_000_000_000)].map((bytes) => readImageHeader(bytes)?.size)).toEqual([undefined, undefined]);
  });

  it('is read without a fault where it is cut off or damaged, and quickly', () => {
    const damaged = fc.tuple(
      fc.constantFrom(...PICTURES.map(([, bytes]) => bytes)),
      fc.nat(),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
    );
    fc.assert(
      fc.property(damaged, fc.uint8Array({ maxLength: 40 }), ([whole, cut, flips], tail) => {
        const bytes = new Uint8Array([...whole.subarray(0, cut % (whole.length + 1)), ...tail]);
        for (const [at, value] of flips) if (bytes.length > 0) bytes[at % bytes.length] = value;
        const size = readImageHeader(bytes)?.size;
        expect(size === undefined || (size.width >= 1 && size.height >= 1)).toBe(true);
      }),
      { numRuns: 2000 },
    );
    for (const slow of [
      '<svg ' + 'a="'.repeat(20_000),
      '<!'.repeat(30_000),
      '<svg' + ' '.repeat(60_000),
      '<svg ' + 'a='.repeat(30_000),
    ])
      expect(readImageHeader(text(slow))?.size).toBeUndefined();
  });
});
