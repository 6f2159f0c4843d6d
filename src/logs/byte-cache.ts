/** Answers remembered by the bytes they were given for, in a fixed number of slots. */

/**
 * A map from short byte strings to slots; a newcomer takes the slot of the one before it.
 *
 * What the answer is lies with the owner, in arrays of {@link ByteCache.slots} entries. Keys are compared whole, so that no
 * visitor can be given another's answer by a collision.
 */
export class ByteCache {
  readonly slots: number;
  readonly #longest: number;
  readonly #keys: DataView;
  readonly #lengths: Int32Array;
  #last = 0;

  /** `slots` is a power of two, `longest` the longest key that is remembered, a multiple of four. */
  constructor(slots: number, longest: number) {
    this.slots = slots;
    this.#longest = longest;
    this.#keys = new DataView(new ArrayBuffer(slots * longest));
    this.#lengths = new Int32Array(slots).fill(-1);
  }

  clear(): void {
    this.#lengths.fill(-1);
  }

  /**
   * The slot of `[start, end)`; when it was not known, `-1 - slot`, and the slot is now its own: the owner fills in the answer.
   *
   * A key that is too long is never known and has slot 0 with no key.
   */
  find(view: DataView, start: number, end: number): number {
    const length = end - start;
    if (length > this.#longest) {
      this.#lengths[0] = -1;
      return -1;
    }
    // Neighbours in a log are often from the same visitor.
    const last = this.#last;
    if (this.#lengths[last] === length && this.#same(view, start, end, last * this.#longest)) return last;
    const slot = hashOf(view, start, end) & (this.slots - 1);
    const key = slot * this.#longest;
    this.#last = slot;
    if (this.#lengths[slot] === length && this.#same(view, start, end, key)) return slot;
    this.#lengths[slot] = length;
    for (let index = 0; index < length; index++) this.#keys.setUint8(key + index, view.getUint8(start + index));
    return -1 - slot;
  }

  #same(view: DataView, start: number, end: number, key: number): boolean {
    let at = start;
    let to = key;
    for (; at + 4 <= end; at += 4, to += 4) {
      if (view.getInt32(at, true) !== this.#keys.getInt32(to, true)) return false;
    }
    for (; at < end; at++, to++) if (view.getUint8(at) !== this.#keys.getUint8(to)) return false;
    return true;
  }
}

/** In two lanes, of which a processor works on both at a time. */
function hashOf(view: DataView, start: number, end: number): number {
  let [one, two] = [end - start, 0];
  let at = start;
  for (; at + 8 <= end; at += 8) {
    one = Math.imul(one ^ view.getInt32(at, true), 0x2c1b3c6d);
    two = Math.imul(two ^ view.getInt32(at + 4, true), 0x297a2d39);
    one ^= one >>> 15;
    two ^= two >>> 16;
  }
  for (; at < end; at++) one = Math.imul(one ^ view.getUint8(at), 0x2c1b3c6d) ^ (one >>> 15);
  const hash = Math.imul(one ^ (two << 7) ^ (two >>> 9), 0x2c1b3c6d);
  return hash ^ (hash >>> 16);
}
