/**
 * What the first bytes of a picture say: its real format, whatever its name is, and its size as it is shown. Reads
 * nothing beyond the bytes it is given and follows no length that leads out of them.
 *
 * Sources: PNG (W3C), GIF89a, JPEG (ITU-T T.81) with Exif 2.3 orientation, WebP container (RFC 9649), AVIF (ISO/IEC 14496-12,
 * 23008-12), SVG 2.
 */

export type ImageFormat = 'png' | 'gif' | 'jpeg' | 'webp' | 'avif' | 'svg';

export interface ImageHeader {
  readonly format: ImageFormat;
  /** Pixels; undefined where the header does not say it: SVG without sizes, bytes that are cut off. */
  readonly size: ImageSize | undefined;
}

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** Bytes from the start within which every ordinary picture says its size. */
export const IMAGE_HEADER_LENGTH = 512 * 1024;
/** Larger is a mistake, or an attempt at one. */
const MAX_SIDE = 100_000;

/** @param bytes the start of a file; undefined when it is no picture of these formats. */
export function readImageHeader(bytes: Uint8Array): ImageHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const format = formatOf(bytes, view);
  if (format === undefined) return undefined;
  const size = READERS[format](view, bytes);
  const fits = size !== undefined && [size.width, size.height].every((side) => side >= 1 && side <= MAX_SIDE);
  return { format, size: fits ? size : undefined };
}

type SizeReader = (view: DataView, bytes: Uint8Array) => ImageSize | undefined;

const READERS: Readonly<Record<ImageFormat, SizeReader>> = {
  png: (view) => (view.byteLength < 24 ? undefined : { width: view.getUint32(16), height: view.getUint32(20) }),
  gif: (view) =>
    view.byteLength < 10 ? undefined : { width: view.getUint16(6, true), height: view.getUint16(8, true) },
  jpeg: jpegSize,
  webp: webpSize,
  avif: avifSize,
  svg: (_, bytes) => svgSize(svgStart(bytes) ?? ''),
};

function formatOf(bytes: Uint8Array, view: DataView): ImageFormat | undefined {
  const ascii = (start: number, end: number): string => String.fromCharCode(...bytes.subarray(start, end));
  if (ascii(0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (/^GIF8[79]a$/.test(ascii(0, 6))) return 'gif';
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg';
  if (ascii(0, 4) === 'RIFF' && ascii(8, 12) === 'WEBP') return 'webp';
  if (ascii(4, 8) === 'ftyp' && bytes.length >= 16) {
    const brands = ascii(8, Math.min(view.getUint32(0), 256));
    if (/^(?:.{4})*?(?:avif|avis)/s.test(brands)) return 'avif';
  }
  return svgStart(bytes) === undefined ? undefined : 'svg';
}

const EXIF_ORIENTATION = 0x0112;

function jpegSize(view: DataView): ImageSize | undefined {
  let turned = false;
  let at = 2;
  while (at + 4 <= view.byteLength) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
      continue;
    }
    const length = view.getUint16(at + 2);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      if (at + 9 > view.byteLength) return undefined;
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      return turned ? { width: height, height: width } : { width, height };
    }
    // The picture itself begins, or the end: no size has come before it.
    if (marker === 0xda || marker === 0xd9 || length < 2) return undefined;
    if (marker === 0xe1) turned = isTurned(view, at + 4, at + 2 + length) || turned;
    at += 2 + length;
  }
  return undefined;
}

/** Whether Exif says that the picture is shown on its side: orientations 5 to 8. */
function isTurned(view: DataView, start: number, end: number): boolean {
  const tiff = start + 6;
  if (end > view.byteLength || tiff + 8 > end || view.getUint32(start) !== 0x45786966) return false;
  const little = view.getUint16(tiff) === 0x4949;
  const directory = tiff + view.getUint32(tiff + 4, little);
  if (directory + 2 > end) return false;
  const entries = view.getUint16(directory, little);
  for (let index = 0; index < entries; index++) {
    const entry = directory + 2 + index * 12;
    if (entry + 12 > end) return false;
    if (view.getUint16(entry, little) === EXIF_ORIENTATION) return view.getUint16(entry + 8, little) >= 5;
  }
  return false;
}

function webpSize(view: DataView): ImageSize | undefined {
  if (view.byteLength < 30) return undefined;
  const uint24 = (at: number): number => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  switch (view.getUint32(12)) {
    // "VP8 ": after its frame tag and start code
    case 0x56503820:
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    // "VP8L"
    case 0x5650384c: {
      const bits = view.getUint32(21, true);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    // "VP8X"
    case 0x56503858:
      return { width: uint24(24) + 1, height: uint24(27) + 1 };
    default:
      return undefined;
  }
}

/** The largest picture in the file: others are its tiles, its transparency or a thumbnail. */
function avifSize(view: DataView): ImageSize | undefined {
  let largest: ImageSize | undefined;
  let turned = false;
  // meta is a full box: version and flags stand before the boxes in it.
  for (const meta of boxes(view, 0, view.byteLength, 'meta')) {
    for (const iprp of boxes(view, meta.start + 4, meta.end, 'iprp')) {
      for (const ipco of boxes(view, iprp.start, iprp.end, 'ipco')) {
        for (const { start, end } of boxes(view, ipco.start, ipco.end, 'ispe')) {
          if (start + 12 > end) continue;
          const [width, height] = [view.getUint32(start + 4), view.getUint32(start + 8)];
          if (largest === undefined || width * height > largest.width * largest.height) largest = { width, height };
        }
        for (const { start, end } of boxes(view, ipco.start, ipco.end, 'irot')) {
          turned ||= start < end && (view.getUint8(start) & 1) === 1;
        }
      }
    }
  }
  return largest !== undefined && turned ? { width: largest.height, height: largest.width } : largest;
}

/** The contents of the boxes of one type that stand side by side from `start`. */
function* boxes(
  view: DataView,
  start: number,
  end: number,
  type: string,
): Iterable<{ readonly start: number; readonly end: number }> {
  let at = start;
  while (at + 8 <= end) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...[4, 5, 6, 7].map((offset) => view.getUint8(at + offset)));
    // 0: to the end; 1: a length of 64 bits, which no part of a header has.
    const next = length === 0 ? end : at + length;
    if (length !== 0 && length < 8) return;
    if (name === type) yield { start: at + 8, end: Math.min(next, end) };
    at = next;
  }
}

/** The start tag of the drawing, when the text is one. */
function svgStart(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(bytes.subarray(0, 64 * 1024));
  let at = /^\s*/.exec(text)?.[0].length ?? 0;
  if (/^<!doctype\s+html/i.test(text.slice(at, at + 100))) return undefined;
  // XML declaration, comments and document type may stand before it.
  for (;;) {
    const end = ['<?', '<!--', '<!'].map((open, index) => {
      return text.startsWith(open, at) ? text.indexOf(['?>', '-->', '>'][index] ?? '>', at) : undefined;
    });
    const found = end.find((each) => each !== undefined);
    if (found === undefined) break;
    if (found === -1) return undefined;
    at = text.indexOf('>', found) + 1;
    while (/\s/.test(text[at] ?? '')) at++;
  }
  const tag = /^<(?:[A-Za-z][\w.-]{0,50}:)?svg(?=[\s>/])(?:[^>"']|"[^"]*"|'[^']*')*>/.exec(
    text.slice(at, at + 16 * 1024),
  );
  return tag?.[0];
}

function svgSize(tag: string): ImageSize | undefined {
  const attributes = new Map(
    [...tag.matchAll(/\s([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, name, a, b]) => [name, a ?? b ?? '']),
  );
  const pixels = (name: string): number | undefined => {
    const [, digits] = /^\s*(\d{1,6}(?:\.\d{1,6})?)(?:px)?\s*$/.exec(attributes.get(name) ?? '') ?? [];
    return digits === undefined ? undefined : Number(digits);
  };
  const box = (attributes.get('viewBox') ?? '')
    .trim()
    .split(/[\s,]+/)
    .map(Number);
  const [boxWidth, boxHeight] = box.length === 4 ? [box[2], box[3]] : [undefined, undefined];
  const ratio =
    boxWidth !== undefined && boxHeight !== undefined && boxWidth > 0 && boxHeight > 0
      ? boxWidth / boxHeight
      : undefined;
  const [width, height] = [pixels('width'), pixels('height')];
  const whole = (w: number, h: number): ImageSize => ({ width: Math.round(w), height: Math.round(h) });
  if (width !== undefined && height !== undefined) return whole(width, height);
  if (ratio === undefined) return undefined;
  if (width !== undefined) return whole(width, width / ratio);
  if (height !== undefined) return whole(height * ratio, height);
  return boxWidth === undefined || boxHeight === undefined ? undefined : whole(boxWidth, boxHeight);
}
