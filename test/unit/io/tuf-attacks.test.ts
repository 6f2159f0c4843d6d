import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { refreshTrust } from '../../../src/io/tuf-client.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { publicKeyOf } from '../../../src/protocol/ed25519.ts';
import { tufKeyId } from '../../../src/protocol/tuf-metadata.ts';
import { signTimestamp } from '../../../src/protocol/tuf-repository.ts';
import { spkiPem } from '../../../src/protocol/vkey.ts';
import {
  at,
  exchangeWith,
  lay,
  METADATA,
  partnerSeeds,
  refreshed,
  rootOf,
  signed,
} from '../../support/signed-inbox.ts';
import { days, hex, newPartner, partnerAtFive, refused, resigned, seeds } from '../../support/tuf-partner.ts';

describe('rollback', () => {
  test('to an older timestamp is refused', async () => {
    const { partner, exchange } = await partnerAtFive();
    await lay(exchange, signed(seeds, at(4), 'four'), 'four');
    expect(await partner.refusal(exchange)).toEqual(refused('TIEUP_E_ROLLBACK', 'timestamp 4 is older than 5'));
  });

  test('to an older snapshot under a newer timestamp is refused', async () => {
    const { partner, exchange } = await partnerAtFive();
    await lay(exchange, signed(seeds, { targets: 4, snapshot: 4, timestamp: 6 }, 'four'), 'four');
    expect(await partner.refusal(exchange)).toEqual(refused('TIEUP_E_ROLLBACK', 'snapshot 4 is older than 5'));
  });

  test('to an older release under a newer snapshot is refused', async () => {
    const { partner, exchange } = await partnerAtFive();
    await lay(exchange, signed(seeds, { targets: 4, snapshot: 6, timestamp: 6 }, 'four'), 'four');
    expect(await partner.refusal(exchange)).toEqual(refused('TIEUP_E_ROLLBACK', 'release 4 is older than 5'));
  });

  test('to an older root is refused', async () => {
    const renewed = partnerSeeds('partner-b', 1, 2);
    const partner = await newPartner();
    const exchange = await exchangeWith(renewed, at(5), 'five');
    await exchange.write(`${METADATA}/2.root.json`, rootOf(renewed, 2, seeds));
    expect(await partner.take(exchange)).toBe(5);
    await exchange.write(`${METADATA}/3.root.json`, rootOf(renewed, 1, seeds));
    expect(await partner.refusal(exchange)).toEqual(refused('TIEUP_E_ROLLBACK', 'root 1 is older than 2'));
  });

  test('to an older release is refused although the online key is new, when the release key is not', async () => {
    const { partner, exchange } = await partnerAtFive();
    const newOnline = { ...seeds, online: partnerSeeds('partner-b', 2).online };
    await exchange.write(`${METADATA}/2.root.json`, rootOf(newOnline, 2, seeds));
    await lay(exchange, signed(newOnline, { targets: 4, snapshot: 1, timestamp: 1 }, 'four'), 'four');
    expect(await partner.refusal(exchange)).toEqual(refused('TIEUP_E_ROLLBACK', 'release 4 is older than 5'));
    await lay(exchange, signed(newOnline, { targets: 6, snapshot: 1, timestamp: 1 }, 'six'), 'six');
    expect(await partner.take(exchange)).toBe(6);
  });
});

describe('a freeze', () => {
  test('is noticed when the timestamp expires: authentic, but stale', async () => {
    const { partner, exchange } = await partnerAtFive();
    expect(await partner.take(exchange, new Date(days(14).getTime() - 1000))).toBe(5);
    const why = 'authentic, but its time was over on 2026-12-07T12:00:00Z (timestamp 5)';
    expect(await partner.refusal(exchange, days(14))).toEqual(refused('TIEUP_E_EXPIRED', why));
    expect(await (await newPartner()).refusal(exchange, days(14))).toEqual(refused('TIEUP_E_EXPIRED', why));
  });

  test('is noticed when the snapshot expires under a fresh timestamp', async () => {
    const { partner, exchange, five } = await partnerAtFive();
    const later = refreshed(seeds, five, at(6), days(1));
    const bytes = signTimestamp({
      version: 7,
      expires: days(30),
      snapshotMeta: { version: 6, length: later.snapshot.bytes.length, sha256: sha256(later.snapshot.bytes) },
      signers: [seeds.online],
    });
    await lay(exchange, { snapshot: later.snapshot, timestamp: { name: 'timestamp.json', bytes } });
    expect(await partner.refusal(exchange, days(16))).toEqual(
      refused('TIEUP_E_EXPIRED', '2026-12-08T12:00:00Z (snapshot 6)'),
    );
  });

  test('is noticed when the release expires although it is signed freshly every day', async () => {
    const { partner, exchange, five } = await partnerAtFive();
    await lay(exchange, refreshed(seeds, five, { targets: 5, snapshot: 6, timestamp: 6 }, days(179)));
    expect(await partner.take(exchange, days(179))).toBe(5);
    const why = 'the release is authentic, but its time was over on 2027-05-22T12:00:00Z (targets 5)';
    expect(await partner.refusal(exchange, days(181))).toEqual(refused('TIEUP_E_EXPIRED', why));
    expect(await (await newPartner()).refusal(exchange, days(181))).toEqual(refused('TIEUP_E_EXPIRED', why));
  });

  test('is noticed when the root expires', async () => {
    const { partner, exchange, five } = await partnerAtFive();
    await lay(exchange, refreshed(seeds, five, { targets: 5, snapshot: 6, timestamp: 6 }, days(729)));
    expect(await partner.refusal(exchange, days(731))).toEqual(
      refused('TIEUP_E_EXPIRED', "the main site's root of trust is authentic"),
    );
  });

  test('is not said of metadata that is forged as well', async () => {
    const { partner, exchange } = await partnerAtFive();
    await lay(exchange, signed(partnerSeeds('partner-b', 9), at(6), 'forged'), 'forged');
    expect(await partner.refusal(exchange, days(400))).toEqual(
      refused('TIEUP_E_VERIFY', 'timestamp.json is not signed by the keys'),
    );
  });
});

describe('metadata that does not belong together', () => {
  test('mixed and matched: the snapshot of another push is refused', async () => {
    const { partner, exchange } = await partnerAtFive();
    const six = signed(seeds, at(6), 'six');
    const other = signed(seeds, { targets: 7, snapshot: 6, timestamp: 6 }, 'other');
    await lay(exchange, { ...six, snapshot: other.snapshot }, 'six');
    expect(await partner.refusal(exchange)).toEqual(
      refused('TIEUP_E_VERIFY', '6.snapshot.json is not the file which the timestamp refers to'),
    );
  });

  test('mixed and matched: the targets of another push are refused', async () => {
    const { partner, exchange } = await partnerAtFive();
    const other = signed(seeds, at(6), 'other');
    await lay(exchange, { ...signed(seeds, at(6), 'six'), targets: other.targets }, 'other');
    expect(await partner.refusal(exchange)).toEqual(
      refused('TIEUP_E_VERIFY', '6.targets.json is not the file which the snapshot refers to'),
    );
  });

  test.each([
    ['6.snapshot.json', 'snapshot'],
    ['6.targets.json', 'targets'],
  ] as const)('a missing %s is refused', async (name, role) => {
    const { partner, exchange } = await partnerAtFive();
    const { [role]: _, ...rest } = signed(seeds, at(6), 'six');
    await lay(exchange, rest, 'six');
    expect(await partner.refusal(exchange)).toEqual(
      refused('TIEUP_E_VERIFY', `${name} is missing, although signed metadata refers to it`),
    );
  });
});

describe('two different truths of one version', () => {
  test.each([
    ['timestamp', { targets: 6, snapshot: 6, timestamp: 5 }, 'received-5.timestamp.json'],
    // The client keeps the snapshot that it has, so the contradiction is in the timestamp that refers to another one.
    ['snapshot', { targets: 6, snapshot: 5, timestamp: 6 }, 'received-timestamp.json'],
    ['targets', { targets: 5, snapshot: 6, timestamp: 6 }, 'received-5.targets.json'],
  ] as const)('of the %s metadata are refused, and kept as evidence', async (role, versions, other) => {
    const { partner, exchange, five } = await partnerAtFive();
    const another = signed(seeds, versions, 'another five');
    await lay(exchange, another, 'another five');
    const { code, message, changed } = await partner.refusal(exchange);
    expect({ code, message }).toEqual({
      code: 'TIEUP_E_VERIFY',
      message: `there are two different signed versions 5 of the ${role} metadata`,
    });
    const [folder = ''] = changed.filter((path) => /^state\/evidence\/[0-9a-f]{16}$/.test(path));
    const files = ['root.json', `trusted-5.${role}.json`, other].map((name) => `${folder}/${name}`);
    expect(changed.toSorted()).toEqual(['state/evidence', folder, ...files].toSorted());
    const [root, trusted, received] = await Promise.all(files.map((path) => readFile(join(partner.folder, path))));
    expect(root).toEqual(Buffer.from(rootOf(seeds)));
    expect(trusted).toEqual(Buffer.from(five[role].bytes));
    expect(received).toEqual(Buffer.from(another[other === 'received-timestamp.json' ? 'timestamp' : role].bytes));
    expect((await stat(join(partner.folder, 'state/evidence'))).mode & 0o777).toBe(0o700);

    // Once is enough, and what was seen before is still what counts.
    expect((await partner.refusal(exchange)).changed).toEqual([]);
    await lay(exchange, signed(seeds, at(7), 'seven'), 'seven');
    expect(await partner.take(exchange)).toBe(7);
  });

  test('are said to be kept where they are kept', async () => {
    const { partner, exchange } = await partnerAtFive();
    await lay(exchange, signed(seeds, { ...at(6), timestamp: 5 }, 'another five'), 'another five');
    await expect(refreshTrust(partner.options(exchange))).rejects.toMatchObject({
      hint: expect.stringContaining(join(partner.folder, 'state/evidence/')),
    });
  });

  test('do not fill the disk of a site whose main site signs them for ever', async () => {
    const { partner, exchange } = await partnerAtFive();
    const cases = async (): Promise<number> => (await readdir(join(partner.folder, 'state/evidence'))).length;
    for (let count = 0; count < 22; count++) {
      await lay(exchange, signed(seeds, { ...at(6), timestamp: 5 }, `five ${count}`), `five ${count}`);
      expect((await partner.refusal(exchange)).code).toBe('TIEUP_E_VERIFY');
      expect(await cases()).toBe(Math.min(count + 1, 20));
    }
  });

  test('are refused all the same when there is no room for the evidence', async () => {
    const { partner, exchange } = await partnerAtFive();
    await writeFile(join(partner.folder, 'state/evidence'), 'in the way');
    await lay(exchange, signed(seeds, { ...at(6), timestamp: 5 }, 'another five'), 'another five');
    expect(await partner.refusal(exchange)).toEqual(refused('TIEUP_E_VERIFY', 'two different signed versions 5'));
  });
});

describe('keys that are not the right ones', () => {
  test.each([
    ['online', 'timestamp.json is not signed by the keys'],
    ['targets', '6.targets.json is not signed by the keys'],
  ] as const)('another %s key is refused', async (role, why) => {
    const { partner, exchange } = await partnerAtFive();
    const stolen = { ...seeds, [role]: partnerSeeds('partner-b', 2)[role] };
    await lay(exchange, signed(stolen, at(6), 'six'), 'six');
    expect(await partner.refusal(exchange)).toEqual(refused('TIEUP_E_VERIFY', why));
  });

  test('a root that is signed by itself alone is refused', async () => {
    const { partner, exchange } = await partnerAtFive();
    const stranger = partnerSeeds('partner-b', 2);
    await exchange.write(`${METADATA}/2.root.json`, rootOf(stranger, 2));
    await lay(exchange, signed(stranger, at(6), 'six'), 'six');
    expect(await partner.refusal(exchange)).toEqual(
      refused('TIEUP_E_VERIFY', '2.root.json is not signed by the root keys that this site trusts'),
    );
  });

  test('the repository of another partner of the same main site is refused, with and without its next root', async () => {
    const partner = await newPartner();
    const neighbour = partnerSeeds('partner-a');
    const renewed = partnerSeeds('partner-a', 1, 2);
    expect(await partner.refusal(await exchangeWith(neighbour, at(5), 'five'))).toEqual(
      refused('TIEUP_E_VERIFY', 'timestamp.json is not signed'),
    );
    const exchange = await exchangeWith(renewed, at(5), 'five');
    await exchange.write(`${METADATA}/2.root.json`, rootOf(renewed, 2, neighbour));
    expect(await partner.refusal(exchange)).toEqual(
      refused('TIEUP_E_VERIFY', '2.root.json is not signed by the root keys that this site trusts'),
    );
  });

  test('a root with a key that is weak, not in hex, or under an id that is not its own is refused, old or new', async () => {
    const renewed = partnerSeeds('partner-b', 1, 2);
    const key = hex(publicKeyOf(renewed.online));
    const weak = `01${'0'.repeat(62)}`;
    const pem = spkiPem(publicKeyOf(renewed.online)).trim().replaceAll('\n', '\\n');
    const text = Buffer.from(rootOf(renewed, 2, seeds)).toString();
    const roots = [
      text.replaceAll(tufKeyId(key), tufKeyId(weak)).replaceAll(key, weak),
      text.replaceAll(`"${key}"`, `"${pem}"`),
      text.replaceAll(tufKeyId(key), '0'.repeat(64)),
    ].map((changed) => resigned(changed, [...renewed.root, ...seeds.root]));
    const { partner, exchange } = await partnerAtFive();
    for (const root of roots) {
      await exchange.write(`${METADATA}/2.root.json`, root);
      const why = refused('TIEUP_E_VERIFY', 'the root metadata is malformed');
      expect(await partner.refusal(exchange)).toEqual(why);
      expect(await (await newPartner(root)).refusal(exchange)).toEqual(why);
    }
    // It was the keys: signed again as it was, the same root is taken.
    await exchange.write(`${METADATA}/2.root.json`, resigned(text, [...renewed.root, ...seeds.root]));
    await lay(exchange, signed(renewed, at(6), 'six'), 'six');
    expect(await partner.take(exchange)).toBe(6);
  });
});

describe('rotation of the root', () => {
  test('is followed over three versions at once', async () => {
    const [second, third] = [partnerSeeds('partner-b', 1, 2), partnerSeeds('partner-b', 1, 3)];
    const { partner, exchange } = await partnerAtFive();
    await exchange.write(`${METADATA}/2.root.json`, rootOf(second, 2, seeds));
    await exchange.write(`${METADATA}/3.root.json`, rootOf(third, 3, second));
    await lay(exchange, signed(third, at(6), 'six'), 'six');
    const verified = await refreshTrust(partner.options(exchange));
    expect(verified.versions.root).toBe(3);
    await verified.commit();
    await lay(exchange, signed(seeds, at(7), 'by the first keys'), 'by the first keys');
    expect(await partner.refusal(exchange)).toEqual(
      refused('TIEUP_E_VERIFY', 'timestamp.json is not signed by the keys'),
    );
  });

  test('that leaves out a version is not followed', async () => {
    const [second, third] = [partnerSeeds('partner-b', 1, 2), partnerSeeds('partner-b', 1, 3)];
    const { partner, exchange } = await partnerAtFive();
    await exchange.write(`${METADATA}/2.root.json`, rootOf(third, 3, seeds));
    expect(await partner.refusal(exchange)).toEqual(refused('TIEUP_E_VERIFY', 'it says that it is version 3'));
    await exchange.write(`${METADATA}/2.root.json`, rootOf(third, 3, second));
    expect(await partner.refusal(exchange)).toEqual(
      refused('TIEUP_E_VERIFY', 'not signed by the root keys that this site trusts'),
    );
  });
});
