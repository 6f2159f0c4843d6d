import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import {
  buildPack,
  decodeChunk,
  PACK_HEAD_LENGTH,
  packIndexLength,
  parsePackIndex,
  type PackObject,
} from '../../../src/protocol/pack.ts';

const object = (bytes: Uint8Array): PackObject => ({ digest: sha256(bytes), bytes });
const texts = (...lines: readonly string[]) => lines.map((line) => object(Buffer.from(line)));

async function unpack(pack: Uint8Array): Promise<Map<string, Uint8Array>> {
  const index = parsePackIndex(pack.subarray(0, packIndexLength(pack.subarray(0, PACK_HEAD_LENGTH))), pack.length);
  const found = new Map<string, Uint8Array>();
  let at = packIndexLength(pack);
  for (const [number, chunk] of index.chunks.entries()) {
    const raw = await decodeChunk(chunk, pack.subarray(at, at + chunk.stored));
    at += chunk.stored;
    for (const entry of index.entries.filter((each) => each.chunk === number)) {
      found.set(entry.digest, raw.subarray(entry.offset, entry.offset + entry.length));
    }
  }
  return found;
}

function refused(pack: Uint8Array): unknown {
  try {
    const length = packIndexLength(pack);
    return parsePackIndex(pack.subarray(0, length), pack.length);
  } catch (error) {
    return error;
  }
}

describe('a pack', () => {
  it('leaves what is compressed in itself as it is, apart from what is compressed with its siblings', async () => {
    const pages = texts('alpha '.repeat(1000), 'beta '.repeat(1000));
    const [picture, second] = texts('gamma '.repeat(1000), 'delta '.repeat(1000)).map((each) => ({
      ...each,
      isDense: true,
    }));
    const objects = [...pages.slice(0, 1), picture, ...pages.slice(1), second].flatMap((each) => each ?? []);
    const pack = await buildPack(objects);
    const { chunks } = parsePackIndex(
      pack.subarray(0, packIndexLength(pack.subarray(0, PACK_HEAD_LENGTH))),
      pack.length,
    );
    expect(chunks.map(({ codec }) => codec)).toEqual(['gzip', 'stored']);
    expect([...(await unpack(pack)).keys()].toSorted()).toEqual(objects.map(({ digest }) => digest).toSorted());
  });

  it('compresses what packs for others hold as well once, and nothing else into their place', async () => {
    const shared = new Map<string, Promise<Uint8Array>>();
    const common = texts('alpha '.repeat(1000), 'beta '.repeat(1000)).map((each) => ({ ...each, isShared: true }));
    const [own, other] = texts('gamma '.repeat(1000), 'delta '.repeat(1000));
    const packs = [];
    for (const each of [own, other]) packs.push(await buildPack([...common, ...(each ? [each] : [])], { shared }));
    expect(shared.size).toBe(1);
    for (const [number, each] of [own, other].entries()) {
      const found = await unpack(packs[number] ?? new Uint8Array());
      for (const { digest, bytes } of [...common, ...(each ? [each] : [])]) {
        expect(Buffer.from(found.get(digest) ?? []).equals(bytes)).toBe(true);
      }
      expect(found.size).toBe(3);
    }
    // What is known already is taken, so that the second one did not compress it again.
    const [key = ''] = shared.keys();
    shared.set(key, Promise.resolve(gzipSync(Buffer.concat(common.map(({ bytes }) => bytes)), { level: 9 })));
    const [first] = packs;
    expect(
      Buffer.from(await buildPack([...common, ...(own ? [own] : [])], { shared })).equals(first ?? Buffer.of()),
    ).toBe(false);
    // One object more is another chunk.
    await buildPack([...common, ...texts('epsilon').map((each) => ({ ...each, isShared: true }))], { shared });
    expect(shared.size).toBe(2);
  });

  it('gives back every object that was put in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.uint8Array({ maxLength: 300 }), { selector: (bytes) => sha256(bytes) }),
        async (contents) => {
          const found = await unpack(await buildPack(contents.map(object)));
          expect(found.size).toBe(contents.length);
          for (const bytes of contents) expect(Buffer.from(found.get(sha256(bytes)) ?? []).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('splits what is large into chunks that are decoded one at a time', async () => {
    const pack = await buildPack([0, 1, 2].map((fill) => object(Buffer.alloc(3 * 1024 * 1024, fill))));
    expect(parsePackIndex(pack.subarray(0, packIndexLength(pack)), pack.length).chunks).toHaveLength(3);
    expect((await unpack(pack)).size).toBe(3);
  });

  it('stores what does not compress', async () => {
    const noise = object(randomBytes(10_000));
    const pack = await buildPack([noise]);
    expect(parsePackIndex(pack.subarray(0, packIndexLength(pack)), pack.length).chunks[0]?.codec).toBe('stored');
  });

  it('is the same for the same objects', async () => {
    const objects = texts('one', 'two', 'three');
    expect(await buildPack(objects)).toEqual(await buildPack(objects));
  });

  it('is refused when any byte of its index is altered so that it contradicts itself', async () => {
    const pack = await buildPack(texts('alpha', 'beta', 'gamma'));
    const length = packIndexLength(pack);
    const sound = parsePackIndex(pack.subarray(0, length), pack.length);
    for (let at = 0; at < length; at += 1) {
      const altered = Buffer.from(pack);
      altered[at] = (altered[at] ?? 0) ^ 0xff;
      const outcome = refused(altered);
      if (outcome instanceof TieupError) continue;
      // A digest may change and stay in order, and gzip may claim another raw length: both are found when content is hashed.
      expect(outcome).not.toEqual(sound);
    }
  });

  it.each([
    ['an empty file', () => new Uint8Array()],
    ['another magic', (pack: Buffer) => pack.fill('X', 0, 1)],
    ['more objects than there may be', (pack: Buffer) => (pack.writeUInt32BE(2 ** 21, 12), pack)],
    [
      'a chunk that takes more room packed than unpacked',
      (pack: Buffer) => (pack.writeBigUInt64BE(2n ** 31n, 17), pack),
    ],
    ['trailing bytes', (pack: Buffer) => Buffer.concat([pack, Buffer.from('!')])],
    ['a missing end', (pack: Buffer) => pack.subarray(0, -1)],
    ['an unknown codec', (pack: Buffer) => (pack.writeUInt8(9, 16), pack)],
    ['a chunk that claims gigabytes', (pack: Buffer) => (pack.writeBigUInt64BE(2n ** 40n, 25), pack)],
  ])('is refused with %s', async (_, alter) => {
    const pack = Buffer.from(await buildPack(texts('alpha', 'beta', 'gamma')));
    expect(refused(alter(pack))).toMatchObject({ code: 'TIEUP_E_VERIFY' });
  });

  it('never decodes more than a chunk says', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    await expect(decodeChunk({ codec: 'gzip', stored: bomb.length, raw: 1000 }, bomb)).rejects.toMatchObject({
      code: 'TIEUP_E_VERIFY',
    });
    await expect(decodeChunk({ codec: 'gzip', stored: bomb.length, raw: 50_000_001 }, bomb)).rejects.toMatchObject({
      code: 'TIEUP_E_VERIFY',
    });
  });
});
