/**
 * Fragments as bytes, to be kept and to be sent between threads:
 * u32 big-endian length of the head; the head, a JSON array with an entry for each part; the constant parts, UTF-8.
 *
 * An entry is the length of a constant part, or a hole: `["variable" | "followed", name, context, line, column]`,
 * `["slot-start", name, line, column]`, `["slot-end", name]`, `["link" | "source" | "image", address, line, column]`,
 * `["dropped", message, line, column]`.
 */
import type { HoleContext } from './encode.ts';
import type { FragmentHole, FragmentPart } from './fragment.ts';

const HEAD_LENGTH = 4;

export function encodeParts(parts: readonly FragmentPart[]): Uint8Array<ArrayBuffer> {
  const constants: Uint8Array[] = [];
  const entries = parts.map((part) => {
    if (typeof part !== 'string' && !(part instanceof Uint8Array)) return encodeHole(part);
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    constants.push(bytes);
    return bytes.length;
  });
  const head = Buffer.from(JSON.stringify(entries));
  const length = constants.reduce((sum, bytes) => sum + bytes.length, HEAD_LENGTH + head.length);
  // Of its own, not of a pool: it may change sides between threads.
  const encoded = new Uint8Array(length);
  new DataView(encoded.buffer).setUint32(0, head.length);
  let offset = HEAD_LENGTH;
  for (const bytes of [head, ...constants]) {
    encoded.set(bytes, offset);
    offset += bytes.length;
  }
  return encoded;
}

/** Constant parts share the memory of `encoded`. @returns undefined when it is no encoded fragment. */
export function decodeParts(encoded: Uint8Array): readonly FragmentPart[] | undefined {
  if (encoded.length < HEAD_LENGTH) return undefined;
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.length);
  let offset = HEAD_LENGTH + view.getUint32(0);
  if (offset > encoded.length) return undefined;
  const entries = parseHead(encoded.subarray(HEAD_LENGTH, offset));
  if (entries === undefined) return undefined;
  const parts: FragmentPart[] = [];
  for (const entry of entries) {
    if (typeof entry === 'number') {
      if (!Number.isSafeInteger(entry) || entry < 0 || entry > encoded.length - offset) return undefined;
      parts.push(encoded.subarray(offset, offset + entry));
      offset += entry;
    } else {
      const hole = decodeHole(entry);
      if (hole === undefined) return undefined;
      parts.push(hole);
    }
  }
  return offset === encoded.length ? parts : undefined;
}

function encodeHole(hole: FragmentHole): readonly (string | number)[] {
  switch (hole.kind) {
    case 'variable':
      return [hole.follow === true ? 'followed' : hole.kind, hole.name, hole.context, hole.at.line, hole.at.column];
    case 'slot-start':
      return [hole.kind, hole.name, hole.at.line, hole.at.column];
    case 'slot-end':
      return [hole.kind, hole.name];
    case 'dropped':
      return [hole.kind, hole.message, hole.at.line, hole.at.column];
    case 'reference':
      return [hole.use, hole.address, hole.at.line, hole.at.column];
  }
}

function parseHead(bytes: Uint8Array): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const CONTEXTS: ReadonlySet<unknown> = new Set<HoleContext>([
  'text',
  'attribute',
  'address',
  'address-next',
  'address-path',
  'address-part',
]);

function decodeHole(entry: unknown): FragmentHole | undefined {
  if (!Array.isArray(entry)) return undefined;
  const [kind, name, ...rest]: unknown[] = entry;
  if (typeof name !== 'string') return undefined;
  if (kind === 'slot-end') return rest.length === 0 ? { kind, name } : undefined;
  const isVariable = kind === 'variable' || kind === 'followed';
  const context = isVariable ? rest.shift() : undefined;
  const [line, column] = rest;
  if (rest.length !== 2 || typeof line !== 'number' || typeof column !== 'number') return undefined;
  const at = { line, column };
  if (isVariable) {
    if (!isContext(context)) return undefined;
    return { kind: 'variable', name, context, ...(kind === 'followed' ? { follow: true } : {}), at };
  }
  if (kind === 'slot-start') return { kind, name, at };
  if (kind === 'dropped') return { kind, message: name, at };
  return kind === 'link' || kind === 'source' || kind === 'image'
    ? { kind: 'reference', address: name, use: kind, at }
    : undefined;
}

function isContext(value: unknown): value is HoleContext {
  return CONTEXTS.has(value);
}
