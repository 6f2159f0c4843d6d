import { describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { refreshTrust } from '../../../src/io/tuf-client.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import {
  at,
  exchangeWith,
  lay,
  METADATA,
  refreshed,
  releaseBytes,
  rootOf,
  signed,
  TARGETS,
} from '../../support/signed-inbox.ts';
import { contentsOf } from '../../support/temporary-folder.ts';
import { days, newPartner, partnerAtFive, refused, resigned, seeds } from '../../support/tuf-partner.ts';

describe('a release that is in order', () => {
  test('is verified, and trusted once it is committed', async () => {
    const partner = await newPartner();
    const exchange = await exchangeWith(seeds, { targets: 5, snapshot: 8, timestamp: 21 }, 'five');
    const verified = await refreshTrust(partner.options(exchange));
    expect(verified.versions).toEqual({ root: 1, targets: 5, snapshot: 8, timestamp: 21 });
    expect(verified.expires).toEqual({
      root: '2028-11-22T12:00:00Z',
      targets: '2027-05-22T12:00:00Z',
      snapshot: '2026-12-07T12:00:00Z',
      timestamp: '2026-12-07T12:00:00Z',
    });
    expect(verified.targetsBytes).toEqual(await exchange.read(`${METADATA}/5.targets.json`, 10_000));
    expect(verified.targetsDigest).toBe(sha256(verified.targetsBytes));
    expect([...verified.targets.keys()]).toEqual(['release.json']);
    expect(await verified.readTarget('release.json', 1000)).toEqual(releaseBytes('five'));

    expect(Object.keys(await contentsOf(partner.folder)).filter((name) => name.startsWith('state/tuf/'))).toEqual([]);
    await verified.commit();
    await verified.commit();
    await verified.discard();
    expect(Object.keys(await contentsOf(partner.folder)).toSorted()).toEqual([
      'state',
      'state/tuf',
      'state/tuf/root.json',
      'state/tuf/snapshot.json',
      'state/tuf/targets.json',
      'state/tuf/timestamp.json',
    ]);
  });

  test('leaves nothing behind when it is discarded, and cannot be committed then', async () => {
    const { partner, exchange } = await partnerAtFive();
    const before = await contentsOf(partner.folder);
    await lay(exchange, signed(seeds, at(6), 'six'), 'six');
    const verified = await refreshTrust(partner.options(exchange));
    await verified.discard();
    await verified.discard();
    expect(await contentsOf(partner.folder)).toEqual(before);
    await expect(verified.commit()).rejects.toThrow('already discarded');
  });

  test('can be looked at again and again; committing the same once more changes nothing', async () => {
    const { partner, exchange } = await partnerAtFive();
    const before = await contentsOf(partner.folder);
    expect(await partner.take(exchange)).toBe(5);
    expect(await contentsOf(partner.folder)).toEqual(before);
  });

  test('is followed by newer ones, by fresh signatures over the same one, and by a release after skipped ones', async () => {
    const { partner, exchange, five } = await partnerAtFive();
    await lay(exchange, refreshed(seeds, five, { targets: 5, snapshot: 6, timestamp: 6 }, days(10)));
    expect(await partner.take(exchange, days(20))).toBe(5);
    await lay(exchange, signed(seeds, at(9), 'nine', days(20)), 'nine');
    expect(await partner.take(exchange, days(20))).toBe(9);
  });

  test('is read once, file by file: what is exchanged afterwards is not looked at', async () => {
    const exchange = await exchangeWith(seeds, at(5), 'five');
    const reads: string[] = [];
    const watched: FileTree = {
      ...exchange,
      read: async (path, maxLength) => {
        reads.push(path);
        const bytes = await exchange.read(path, maxLength);
        await exchange.write(path, Buffer.from('exchanged after it was read'));
        return bytes;
      },
    };
    const partner = await newPartner();
    const verified = await refreshTrust(partner.options(watched));
    expect(await verified.readTarget('release.json', 1000)).toEqual(releaseBytes('five'));
    await verified.commit();
    expect(new Set(reads).size).toBe(reads.length);
    expect(await partner.refusal(exchange)).toEqual(refused('TIEUP_E_VERIFY', 'cannot be read as JSON'));
  });
});

describe('an inbox without a release', () => {
  test('is told apart: nothing pushed yet, or something gone', async () => {
    const empty = memoryTree('exchange');
    expect(await (await newPartner()).refusal(empty)).toEqual(
      refused('TIEUP_E_NOT_FOUND', 'nothing has been pushed yet'),
    );
    const { partner } = await partnerAtFive();
    expect(await partner.refusal(empty)).toEqual(refused('TIEUP_E_NOT_FOUND', 'timestamp.json is gone from the inbox'));
  });

  test('that cannot be reached is a fault of the connection, as it came', async () => {
    const { partner, exchange } = await partnerAtFive();
    const broken: FileTree = {
      ...exchange,
      read: (path) => Promise.reject(new TieupError('TIEUP_E_CONNECTION', `lost while reading ${path}`)),
    };
    expect(await partner.refusal(broken)).toEqual(
      refused('TIEUP_E_CONNECTION', 'lost while reading inbox/metadata/2.root.json'),
    );
    await lay(exchange, signed(seeds, at(6), 'six'), 'six');
    const breaking: FileTree = {
      ...exchange,
      read: (path, maxLength) => (path.endsWith('6.snapshot.json') ? broken : exchange).read(path, maxLength),
    };
    expect(await partner.refusal(breaking)).toEqual(
      refused('TIEUP_E_CONNECTION', 'lost while reading inbox/metadata/6.snapshot.json'),
    );
  });
});

describe('files that are too long or broken', () => {
  test.each([
    ['2.root.json', 512_001],
    ['timestamp.json', 16_385],
    ['6.snapshot.json', 1000],
    ['6.targets.json', 1000],
  ])('%s with more bytes than allowed is not read', async (name, extra) => {
    const { partner, exchange } = await partnerAtFive();
    await lay(exchange, signed(seeds, at(6), 'six'), 'six');
    await exchange.write(`${METADATA}/${name}`, new Uint8Array(extra + 5000).fill(0x20));
    expect(await partner.refusal(exchange)).toEqual(refused('TIEUP_E_TOO_LARGE', name));
  });

  test.each(['2.root.json', 'timestamp.json', '6.snapshot.json', '6.targets.json'])(
    '%s that is cut, no JSON, no object, or of another type is refused',
    async (name) => {
      const { partner, exchange, five } = await partnerAtFive();
      const six = signed(seeds, at(6), 'six');
      await lay(exchange, six, 'six');
      const whole = name === '2.root.json' ? rootOf(seeds, 2) : await exchange.read(`${METADATA}/${name}`, 100_000);
      // The other two are bound to a length: a longer file of another type is not even read.
      const other = name.startsWith('6.') ? Buffer.from('{}') : five.snapshot.bytes;
      const replacements = [
        whole.subarray(0, -3),
        Buffer.of(),
        Buffer.from('[]'),
        Buffer.from('null'),
        Buffer.of(0xff),
        other,
      ];
      for (const bytes of replacements) {
        await exchange.write(`${METADATA}/${name}`, bytes);
        expect(await partner.refusal(exchange)).toEqual(refused('TIEUP_E_VERIFY', ''));
      }
    },
  );

  test('an expiry that is no date is refused, also when it is signed', async () => {
    const { partner, exchange } = await partnerAtFive();
    const six = signed(seeds, at(6), 'six');
    const text = Buffer.from(six.timestamp.bytes)
      .toString()
      .replace(/"expires": "[^"]+"/, '"expires": "never"');
    const bytes = resigned(text, [seeds.online]);
    await lay(exchange, { ...six, timestamp: { name: 'timestamp.json', bytes } }, 'six');
    expect(await partner.refusal(exchange)).toEqual(refused('TIEUP_E_VERIFY', 'not an instant'));
  });
});

describe('a target', () => {
  const path = `${TARGETS}/${sha256(releaseBytes('five'))}.release.json`;

  test('that was changed, cut, made longer or removed is refused', async () => {
    const { partner, exchange } = await partnerAtFive();
    const verified = await refreshTrust(partner.options(exchange));
    const whole = releaseBytes('five');
    const read = (): Promise<Uint8Array> => verified.readTarget('release.json', 1000);
    await exchange.write(path, releaseBytes('fixe'));
    await expect(read()).rejects.toMatchObject({
      code: 'TIEUP_E_VERIFY',
      message: 'release.json is not the file that was signed',
    });
    await exchange.write(path, whole.subarray(0, -1));
    await expect(read()).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
    await exchange.write(path, Buffer.concat([whole, Buffer.of(0)]));
    await expect(read()).rejects.toMatchObject({ code: 'TIEUP_E_TOO_LARGE' });
    await exchange.remove(path);
    await expect(read()).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY', message: expect.stringContaining('missing') });
    await exchange.write(path, whole);
    expect(await read()).toEqual(whole);
    await verified.discard();
  });

  test('that nobody signed, or longer than its reader wants, is not read', async () => {
    const { partner, exchange } = await partnerAtFive();
    await exchange.write(`${TARGETS}/${'0'.repeat(64)}.evil.html`, Buffer.from('evil'));
    const verified = await refreshTrust(partner.options(exchange));
    await expect(verified.readTarget('evil.html', 1000)).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
    const { length } = releaseBytes('five');
    await expect(verified.readTarget('release.json', length - 1)).rejects.toMatchObject({ code: 'TIEUP_E_TOO_LARGE' });
    await verified.discard();
  });
});
