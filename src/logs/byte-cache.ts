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
    const whole = end - 3;
    let hash = length;
    let at = start;
    for (; at < whole; at += 4) hash = Math.imul(hash ^ view.getInt32(at, true), 0x2c1b3c6d) ^ (hash >>> 15);
    for (; at < end; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x2c1b3c6d);
    hash ^= hash >>> 16;
    const slot = (hash ^ (hash >>> 7)) & (this.slots - 1);
    const key = slot * this.#longest;
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
