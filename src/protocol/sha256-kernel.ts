/**
 * SHA-256 (FIPS 180-4) of four messages at a time, as a WebAssembly module that this file assembles: each of the four lanes of a
 * 128-bit value works on a message of its own. Of a short record node:crypto takes longer for the call than for the hash.
 *
 * The module has a `memory` and a function `hash(groups, count, prefix)`. A group is 16 words of 32 bits in memory: where each of
 * four messages begins, how many bytes each has, where each digest goes, and how many blocks of 64 bytes there are, as many for all
 * four; the other three are not looked at. The first byte of every message is taken to be `prefix`, whatever stands there.
 */

/** Bytes of a group. */
export const GROUP_LENGTH = 64;
/** The kernel reads this far behind a message, and leaves aside what it finds. */
export const OVERREAD = 128;
/** Below lie the constants of the rounds. */
export const FREE_MEMORY = 256;

/** Instructions as bytes. */
type Code = readonly number[];

const PAGE = 65_536;
const LANES = [0, 1, 2, 3] as const;
const QUARTERS = LANES;
const STATE = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const WORDS = Array.from({ length: 16 }, (_, word) => word);

// Locals, the parameters first.
const [GROUPS, COUNT, PREFIX] = [0, 1, 2];
const [BLOCKS, ROUND] = [3, 4];
/** For each lane where its next block begins, and how many bytes the message has from there on. */
const [POINTER, LEFT] = [5, 9];
const LENGTHS = 13;
/** a to h in the rounds; and what they were before. */
const [HASH, BEFORE] = [14, 22];
const WORD = 30;
const [SCRATCH, CHANGED] = [46, 50];
const LAST = 51;

/** The module's bytes, with a memory of at least so many. */
export function sha256Kernel(memoryBytes: number): Uint8Array<ArrayBuffer> {
  const constants = primes(64).flatMap((prime) => littleEndian(fraction(Math.cbrt(prime))));
  return Uint8Array.from([
    ...MAGIC,
    ...section(1, [[0x60, ...list([[I32], [I32], [I32]]), ...list([])]]),
    ...section(3, [[0]]),
    ...section(5, [[0, ...unsigned(Math.ceil(memoryBytes / PAGE))]]),
    ...section(7, [
      [...name('memory'), 2, 0],
      [...name('hash'), 0, 0],
    ]),
    ...section(10, [sized([...locals(), ...eachGroup(), END])]),
    ...section(11, [[0, ...integer(0), END, ...sized(constants)]]),
  ]);
}

function locals(): Code {
  return list([
    [...unsigned(LENGTHS - BLOCKS), I32],
    [...unsigned(LAST - LENGTHS), V128],
  ]);
}

function eachGroup(): Code {
  const initial = primes(8).map((prime) => fraction(Math.sqrt(prime)));
  return repeat(COUNT, [
    ...LANES.flatMap((lane) => [
      ...set(POINTER + lane, loadInteger(GROUPS, 4 * lane)),
      ...set(LEFT + lane, loadInteger(GROUPS, 16 + 4 * lane)),
    ]),
    ...set(LENGTHS, load(GROUPS, 16)),
    ...set(BLOCKS, loadInteger(GROUPS, 48)),
    ...initial.flatMap((value, index) => set(HASH + index, [...integer(value), ...I32X4_SPLAT])),
    ...eachBlock(),
    ...transpose(HASH),
    ...transpose(HASH + 4),
    ...LANES.flatMap((lane) => [
      ...store(loadInteger(GROUPS, 32 + 4 * lane), 0, HASH + lane),
      ...store(loadInteger(GROUPS, 32 + 4 * lane), 16, HASH + 4 + lane),
    ]),
    ...set(GROUPS, [...get(GROUPS), ...integer(GROUP_LENGTH), I32_ADD]),
  ]);
}

function eachBlock(): Code {
  return repeat(BLOCKS, [
    ...QUARTERS.flatMap((quarter) =>
      LANES.flatMap((lane) => set(WORD + 4 * quarter + lane, load(POINTER + lane, 16 * quarter))),
    ),
    ...when(
      [...get(POINTER), ...loadInteger(GROUPS, 0), I32_EQ],
      LANES.flatMap((lane) => set(WORD + lane, [...get(WORD + lane), ...get(PREFIX), ...I8X16_REPLACE_LANE, 0])),
    ),
    // The padding may begin in the block before the last.
    ...when(
      [...get(BLOCKS), ...integer(3), I32_LESS],
      QUARTERS.flatMap((quarter) => LANES.flatMap((lane) => pad(lane, quarter))),
    ),
    ...QUARTERS.flatMap((quarter) => transpose(WORD + 4 * quarter)),
    ...when(
      [...get(BLOCKS), ...integer(2), I32_LESS],
      set(WORD + 15, [...get(WORD + 15), ...shift(LENGTHS, I32X4_SHL, 3), ...V128_OR]),
    ),
    ...STATE.flatMap((index) => set(BEFORE + index, get(HASH + index))),
    ...rounds(),
    ...STATE.flatMap((index) => set(HASH + index, sum(get(HASH + index), get(BEFORE + index)))),
    ...LANES.flatMap((lane) => [
      ...set(POINTER + lane, [...get(POINTER + lane), ...integer(64), I32_ADD]),
      ...set(LEFT + lane, [...get(LEFT + lane), ...integer(64), I32_SUBTRACT]),
    ]),
  ]);
}

/** What lies behind the message becomes 0x80 and zeros. */
function pad(lane: number, quarter: number): Code {
  const word = WORD + 4 * quarter + lane;
  const places = [...V128_CONST, ...WORDS];
  const [isBefore = [], isEnd = []] = [I8X16_LESS, I8X16_EQ].map((compare) => of(compare, places, get(SCRATCH)));
  const mark = [...V128_CONST, ...WORDS.map(() => 0x80)];
  return [
    ...set(SCRATCH, [...get(LEFT + lane), ...integer(16 * quarter), I32_SUBTRACT, ...I8X16_SPLAT]),
    ...set(word, of(V128_OR, of(V128_AND, get(word), isBefore), of(V128_AND, isEnd, mark))),
  ];
}

/** Four values from `at` on change rows for columns, and their words the order of bytes. */
function transpose(at: number): Code {
  const swapped = (words: Code): Code => words.flatMap((word) => [3, 2, 1, 0].map((byte) => 4 * word + byte));
  const plain = (words: Code): Code => words.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte));
  const shuffle = (a: number, b: number, bytes: Code): Code => [...get(a), ...get(b), ...I8X16_SHUFFLE, ...bytes];
  const [a, b, c, d] = [SCRATCH, SCRATCH + 1, SCRATCH + 2, SCRATCH + 3];
  return [
    ...set(a, shuffle(at, at + 1, swapped([0, 4, 1, 5]))),
    ...set(b, shuffle(at, at + 1, swapped([2, 6, 3, 7]))),
    ...set(c, shuffle(at + 2, at + 3, swapped([0, 4, 1, 5]))),
    ...set(d, shuffle(at + 2, at + 3, swapped([2, 6, 3, 7]))),
    ...set(at, shuffle(a, c, plain([0, 1, 4, 5]))),
    ...set(at + 1, shuffle(a, c, plain([2, 3, 6, 7]))),
    ...set(at + 2, shuffle(b, d, plain([0, 1, 4, 5]))),
    ...set(at + 3, shuffle(b, d, plain([2, 3, 6, 7]))),
  ];
}

/** Four times sixteen: `ROUND` is where the constants of the next sixteen lie. */
function rounds(): Code {
  return [
    ...set(ROUND, integer(0)),
    ...set(CHANGED, [...get(HASH + 1), ...get(HASH + 2), ...V128_XOR]),
    ...LOOP,
    ...WORDS.flatMap(round),
    ...when([...get(ROUND), ...integer(192), I32_LESS], WORDS.flatMap(extend)),
    ...set(ROUND, [...get(ROUND), ...integer(64), I32_ADD]),
    ...of([I32_LESS], get(ROUND), integer(256)),
    ...BRANCH_IF,
    END,
  ];
}

/** Instead of moving a to h along, each round calls them by their new places. */
function round(number: number): Code {
  const [a = 0, b = 0, , d = 0, e = 0, f = 0, g = 0, h = 0] = STATE.map((index) => HASH + ((index - number) & 7));
  const key = [...get(ROUND), ...V128_LOAD32_SPLAT, 2, ...unsigned(4 * number)];
  const choice = [...get(f), ...get(g), ...get(e), ...V128_BITSELECT];
  const [changes, before] = number % 2 === 0 ? [SCRATCH, CHANGED] : [CHANGED, SCRATCH];
  // The majority of a, b and c is b, unless both others differ from it. `before` is b ^ c from the round before.
  const majority = [...get(changes), ...get(before), ...V128_AND, ...get(b), ...V128_XOR];
  return [
    ...set(h, sum(get(h), rotated(e, 6, 11, 25), choice, key, get(WORD + number))),
    ...set(d, sum(get(d), get(h))),
    ...set(changes, [...get(a), ...get(b), ...V128_XOR]),
    ...set(h, sum(get(h), rotated(a, 2, 13, 22), majority)),
  ];
}

/** The word of sixteen rounds later, in the place of this one. */
function extend(number: number): Code {
  const word = (distance: number): number => WORD + ((number + distance) & 15);
  const small = (at: number, first: number, second: number, shifted: number): Code => [
    ...rotated(at, first, second),
    ...shift(at, I32X4_SHR, shifted),
    ...V128_XOR,
  ];
  return set(word(0), sum(get(word(0)), small(word(1), 7, 18, 3), get(word(9)), small(word(14), 17, 19, 10)));
}

/** The exclusive or of a value rotated to the right by each of these. */
function rotated(at: number, ...distances: readonly number[]): Code {
  return distances.flatMap((distance, index) => [
    ...of(V128_XOR, shift(at, I32X4_SHR, distance), shift(at, I32X4_SHL, 32 - distance)),
    ...(index === 0 ? [] : V128_XOR),
  ]);
}

function shift(at: number, instruction: Code, distance: number): Code {
  return [...get(at), ...integer(distance), ...instruction];
}

function sum(first: Code, ...others: readonly Code[]): Code {
  return [...first, ...others.flatMap((other) => [...other, ...I32X4_ADD])];
}

// Instructions: WebAssembly Core Specification 2.0, section 5.4.

const I32 = 0x7f;
const V128 = 0x7b;
const LOOP = [0x03, 0x40];
const BRANCH_IF = [0x0d, 0];
const END = 0x0b;
const I32_EQ = 0x46;
const I32_LESS = 0x48;
const I32_ADD = 0x6a;
const I32_SUBTRACT = 0x6b;
const V128_LOAD = [0xfd, 0x00];
const V128_LOAD32_SPLAT = [0xfd, 0x09];
const V128_STORE = [0xfd, 0x0b];
const V128_CONST = [0xfd, 0x0c];
const I8X16_SHUFFLE = [0xfd, 0x0d];
const I8X16_SPLAT = [0xfd, 0x0f];
const I32X4_SPLAT = [0xfd, 0x11];
const I8X16_REPLACE_LANE = [0xfd, 0x17];
const I8X16_EQ = [0xfd, 0x23];
const I8X16_LESS = [0xfd, 0x25];
const V128_AND = [0xfd, 0x4e];
const V128_OR = [0xfd, 0x50];
const V128_XOR = [0xfd, 0x51];
const V128_BITSELECT = [0xfd, 0x52];
const I32X4_SHL = [0xfd, 0xab, 0x01];
const I32X4_SHR = [0xfd, 0xad, 0x01];
const I32X4_ADD = [0xfd, 0xae, 0x01];

/** Operands first, as the machine has a stack. */
function of(instruction: Code, ...operands: readonly Code[]): Code {
  return [...operands.flat(), ...instruction];
}

function get(local: number): Code {
  return [0x20, local];
}

function set(local: number, value: Code): Code {
  return [...value, 0x21, local];
}

function integer(value: number): Code {
  return [0x41, ...signed(value)];
}

function loadInteger(pointer: number, offset: number): Code {
  return [...get(pointer), 0x28, 2, offset];
}

function load(pointer: number, offset: number): Code {
  return [...get(pointer), ...V128_LOAD, 0, offset];
}

function store(address: Code, offset: number, value: number): Code {
  return [...address, ...get(value), ...V128_STORE, 0, offset];
}

function when(condition: Code, then: Code): Code {
  return [...condition, 0x04, 0x40, ...then, END];
}

/** As often as the local says, at least once; counts it down. */
function repeat(local: number, body: Code): Code {
  return [...LOOP, ...body, ...get(local), ...integer(1), I32_SUBTRACT, 0x22, local, ...BRANCH_IF, END];
}

// The binary format: section 5.5.

/** `\0asm` and the version. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

function section(id: number, entries: readonly Code[]): Code {
  return [id, ...sized(list(entries))];
}

function list(entries: readonly Code[]): Code {
  return [...unsigned(entries.length), ...entries.flat()];
}

function sized(bytes: Code): Code {
  return [...unsigned(bytes.length), ...bytes];
}

function name(text: string): Code {
  return sized([...Buffer.from(text)]);
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  return value >= -64 && value < 64 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}

function littleEndian(value: number): Code {
  return [0, 8, 16, 24].map((bits) => (value >>> bits) & 255);
}

function primes(count: number): readonly number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate += 1) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}

/** The first 32 bits behind the point, of which the constants of SHA-256 are made. */
function fraction(value: number): number {
  return Math.floor((value % 1) * 2 ** 32) | 0;
}
