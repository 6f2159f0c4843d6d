/** SHA-256 of many short messages at a time: what hashing costs a log of millions of records. */
import { hash } from 'node:crypto';
import { FREE_MEMORY, GROUP_LENGTH, OVERREAD, sha256Kernel } from './sha256-kernel.ts';

const DIGEST_LENGTH = 32;
const BLOCK = 64;
/** 0x80 and the length in bits. */
const LEAST_PADDING = 9;
/** Messages that are hashed in one call, and the bytes which they lie in. */
const MOST_MESSAGES = 1024;
const MOST_BYTES = 256 * 1024;
const MOST_BLOCKS = Math.ceil((MOST_BYTES + LEAST_PADDING) / BLOCK);

// What the types of Node do not know: https://webassembly.github.io/spec/js-api/
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
      readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
    }
  | undefined;

/**
 * For each of `count` messages SHA-256(prefix ‖ message), 32 bytes one behind the other in `digests`.
 *
 * Message n is `bytes[bounds[2n], bounds[2n + 1])`; they lie in ascending order.
 */
export type HashMany = (
  prefix: number,
  bytes: Uint8Array,
  bounds: Uint32Array,
  count: number,
  digests: Uint8Array,
) => void;

/** Making the module takes as long as hashing so many in turn: whoever comes that far is likely to go on. */
const WORTH_MAKING = 16_384;
/** Fewer are hashed sooner in turn. */
const WORTH_CALLING = 4;

let hashed = 0;
let fastest: HashMany = hashManyInTurn;

/** By the way that takes the least time. */
export function hashMany(...[prefix, bytes, bounds, count, digests]: Parameters<HashMany>): void {
  if (hashed < WORTH_MAKING) {
    hashed += count;
    if (hashed >= WORTH_MAKING) fastest = hashManyInLanes() ?? hashManyInTurn;
  }
  const way = count < WORTH_CALLING ? hashManyInTurn : fastest;
  way(prefix, bytes, bounds, count, digests);
}

/** One after the other, by node:crypto. */
export function hashManyInTurn(...[prefix, bytes, bounds, count, digests]: Parameters<HashMany>): void {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const target = Buffer.from(digests.buffer, digests.byteOffset, digests.byteLength);
  let message = Buffer.alloc(MOST_MESSAGES);
  for (let index = 0; index < count; index += 1) {
    const [from = 0, to = 0] = [bounds[2 * index], bounds[2 * index + 1]];
    if (message.length <= to - from) message = Buffer.alloc(2 * (to - from));
    message[0] = prefix;
    source.copy(message, 1, from, to);
    const digest = hash('sha256', message.subarray(0, 1 + to - from), 'binary');
    target.write(digest, DIGEST_LENGTH * index, 'latin1');
  }
}

/** Four at a time; undefined where WebAssembly or its 128-bit values are not to be had. */
export function hashManyInLanes(): HashMany | undefined {
  const input = FREE_MEMORY + 1;
  const output = FREE_MEMORY + MOST_BYTES + OVERREAD;
  // A lane that has no message works on its neighbour's once more.
  const nowhere = output + MOST_MESSAGES * DIGEST_LENGTH;
  const groupsAt = nowhere + DIGEST_LENGTH;
  // One for each number of blocks can stay incomplete.
  const kernel = started(sha256Kernel(groupsAt + (MOST_MESSAGES / 4 + MOST_BLOCKS) * GROUP_LENGTH));
  const { memory, hash: hashGroups } = kernel ?? {};
  const buffer = typeof memory === 'object' && memory !== null ? Reflect.get(memory, 'buffer') : undefined;
  if (!(buffer instanceof ArrayBuffer) || typeof hashGroups !== 'function') return undefined;
  const memoryBytes = new Uint8Array(buffer);
  const groups = new Int32Array(buffer, groupsAt);
  const digestsOf = memoryBytes.subarray(output, nowhere);
  /** By number of blocks: where in `groups` the next message goes, -1 for into a new one. */
  const open = new Int32Array(MOST_BLOCKS + 1).fill(-1);

  /** Messages from `first` to `next`, which lie within reach of each other. */
  const hashRun = (prefix: number, bounds: Uint32Array, first: number, next: number): void => {
    const start = bounds[2 * first] ?? 0;
    let used = 0;
    for (let index = first; index < next; index += 1) {
      const from = input + (bounds[2 * index] ?? 0) - start - 1;
      const length = 1 + (bounds[2 * index + 1] ?? 0) - (bounds[2 * index] ?? 0);
      const blocks = (length + LEAST_PADDING + BLOCK - 1) >>> 6;
      let place = open[blocks] ?? -1;
      if (place < 0) {
        place = used;
        used += GROUP_LENGTH / 4;
        groups.fill(from, place, place + 4);
        groups.fill(length, place + 4, place + 8);
        groups.fill(nowhere, place + 8, place + 12);
        groups[place + 12] = blocks;
      } else {
        groups[place] = from;
        groups[place + 4] = length;
      }
      groups[place + 8] = output + DIGEST_LENGTH * (index - first);
      open[blocks] = (place & 3) === 3 ? -1 : place + 1;
    }
    open.fill(-1);
    hashGroups(groupsAt, used / (GROUP_LENGTH / 4), prefix);
  };

  return (prefix, bytes, bounds, count, digests) => {
    for (let first = 0; first < count;) {
      const start = bounds[2 * first] ?? 0;
      let next = first + 1;
      while (next < count && next - first < MOST_MESSAGES && (bounds[2 * next + 1] ?? 0) - start < MOST_BYTES)
        next += 1;
      const end = bounds[2 * next - 1] ?? 0;
      if (end - start < MOST_BYTES) {
        memoryBytes.set(bytes.subarray(start, end), input);
        hashRun(prefix, bounds, first, next);
        digests.set(digestsOf.subarray(0, DIGEST_LENGTH * (next - first)), DIGEST_LENGTH * first);
      } else {
        hashManyInTurn(prefix, bytes, bounds.subarray(2 * first, 2 * next), 1, digests.subarray(DIGEST_LENGTH * first));
      }
      first = next;
    }
  };
}

/** What the module exports; undefined when the engine does not take it. */
function started(module: Uint8Array<ArrayBuffer>): Readonly<Record<string, unknown>> | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(module)).exports;
  } catch {
    // Without 128-bit values (processors before 2008) or with an engine that may not compile.
    return undefined;
  }
}
