/**
 * The visitor of a hit: a pseudonym that holds for one day, and what of the address may leave.
 *
 * HMAC-SHA-256 under the day's salt over the full address, its first eight bytes in hex: enough to count the visitors of a
 * day, useless once the salt is destroyed.
 */
import { hash } from 'node:crypto';
import { type AddressPolicy, parseAddress, shownAddress } from './address.ts';
import { ByteCache } from './byte-cache.ts';
import { FIELD, type Line } from './line.ts';

/** The salt of a day (UTC, `2026-11-23`), at most 64 bytes; undefined when it is destroyed: the visitor of the hit is `-`. */
export type SaltOfDay = (day: string) => Uint8Array | undefined;

/** A pseudonym's length in hex digits. */
export const VISITOR_LENGTH = 16;

const BLOCK = 64;
const SLOTS = 32_768;
const DAY_MS = 86_400_000;
/** Neighbouring days take turns in a log whose lines have different offsets. */
const DAYS = 2;

export class Visitors {
  /** Where the shown address of slot n is: from `n * ADDRESS_ROOM`, `addressLengths[n]` bytes. */
  readonly addresses: Buffer = Buffer.alloc(SLOTS * ADDRESS_ROOM);
  readonly addressLengths: Uint8Array = new Uint8Array(SLOTS);
  readonly visitors: Buffer = Buffer.alloc(SLOTS * DAYS * VISITOR_LENGTH);
  readonly #policy: AddressPolicy;
  readonly #saltOfDay: SaltOfDay | undefined;
  readonly #cache = new ByteCache(SLOTS, ADDRESS_ROOM);
  /** The day whose visitor stands in `visitors`, plus one; 0 for none. */
  readonly #days = new Int32Array(SLOTS * DAYS);
  readonly #keys: (DayKey | undefined)[] = [];

  /** Without `saltOfDay` there are no visitors. */
  constructor(policy: AddressPolicy, saltOfDay: SaltOfDay | undefined) {
    this.#policy = policy;
    this.#saltOfDay = saltOfDay;
  }

  /** The slot of the line's address. */
  slot(line: Line): number {
    const start = line.start[FIELD.ip] ?? 0;
    const end = line.end[FIELD.ip] ?? 0;
    const found = this.#cache.find(line.view, start, end);
    if (found >= 0) return found;
    const slot = -1 - found;
    const shown = shownAddress(line.latin1(start, Math.min(end, start + 255)), this.#policy);
    // What is longer is no address but a host name, and only shown whole.
    this.addressLengths[slot] = this.addresses.write(shown, slot * ADDRESS_ROOM, ADDRESS_ROOM, 'latin1');
    this.#days.fill(0, slot * DAYS, (slot + 1) * DAYS);
    return slot;
  }

  /** Where in {@link Visitors.visitors} the visitor of the slot that {@link Visitors.slot} gave for this line is; -1 for none. */
  find(line: Line, slot: number, day: number): number {
    const key = this.#key(day);
    if (key === undefined) return -1;
    const place = slot * DAYS + (day % DAYS);
    if (this.#days[place] !== day + 1) {
      this.visitors.write(key.pseudonym(line), place * VISITOR_LENGTH, 'latin1');
      this.#days[place] = day + 1;
    }
    return place * VISITOR_LENGTH;
  }

  #key(day: number): DayKey | undefined {
    if (this.#saltOfDay === undefined) return undefined;
    const known = this.#keys[day % DAYS];
    if (known?.day === day) return known.salt === undefined ? undefined : known;
    const key = new DayKey(day, this.#saltOfDay(new Date(day * DAY_MS).toISOString().slice(0, 10)));
    this.#keys[day % DAYS] = key;
    return key.salt === undefined ? undefined : key;
  }
}

/** The longest IPv6 address in text with a port is 53 bytes. */
export const ADDRESS_ROOM = 56;

/** HMAC (RFC 2104) with the two padded keys made once a day. */
class DayKey {
  readonly day: number;
  readonly salt: Uint8Array | undefined;
  readonly #inner: Buffer = Buffer.alloc(BLOCK + 256, 0x36);
  readonly #outer: Buffer = Buffer.alloc(BLOCK + 32, 0x5c);

  constructor(day: number, salt: Uint8Array | undefined) {
    this.day = day;
    this.salt = salt;
    salt?.forEach((byte, index) => {
      this.#inner[index] = byte ^ 0x36;
      this.#outer[index] = byte ^ 0x5c;
    });
  }

  pseudonym(line: Line): string {
    const start = line.start[FIELD.ip] ?? 0;
    const text = line.latin1(start, Math.min(line.end[FIELD.ip] ?? 0, start + 255));
    const address = parseAddress(text) ?? Buffer.from(text, 'latin1');
    this.#inner.set(address, BLOCK);
    this.#outer.write(hash('sha256', this.#inner.subarray(0, BLOCK + address.length), 'binary'), BLOCK, 'latin1');
    return hash('sha256', this.#outer, 'hex').slice(0, VISITOR_LENGTH);
  }
}
