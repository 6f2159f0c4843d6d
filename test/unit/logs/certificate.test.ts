import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { proveFrom, type Reread, verifyCertificate } from '../../../src/logs/certificate.ts';
import { renderRecord, switchRecord } from '../../../src/protocol/log-record.ts';
import { noteSigner } from '../../../src/protocol/note.ts';
import { verifierKey } from '../../../src/protocol/vkey.ts';
import { hit, hits, inChunks, logKey, partOf, sealed } from '../../support/exported-log.ts';

const KEYS = [logKey];
const part = partOf(hits(20), { discloses: (index) => index % 3 === 0 });
const file = (bytes: Uint8Array, chunk = 1000): Reread =>
  async function* () {
    yield* inChunks(bytes, chunk);
  };
const refusal = (why: string) =>
  expect.objectContaining({ code: 'TIEUP_E_VERIFY', message: expect.stringContaining(why) });

describe('an exported log by itself', () => {
  test.each([
    ['as it was exported', gzipSync(part)],
    ['in several gzip members', Buffer.concat([gzipSync(part.subarray(0, 500)), gzipSync(part.subarray(500))])],
    ['decompressed', part],
  ])('is verified %s, with nothing but the key', async (_, bytes) => {
    for (const chunk of [1, 7, 1000]) {
      expect(await verifyCertificate(file(bytes, chunk), KEYS)).toMatchObject({
        kind: 'part',
        part: { from: 0, disclosed: 7, withheld: 13, classes: { T: 7 }, checkpoint: { size: 20 } },
      });
    }
  });

  test.each<[string, Uint8Array, string]>([
    ['that was altered', Buffer.from(part.toString('latin1').replace('5120', '5121'), 'latin1'), 'do not add up'],
    ['that was cut off', part.subarray(0, -10), 'cut off'],
    ['that was cut off when it was compressed', gzipSync(part).subarray(0, -20), 'cut off'],
    ['that is empty', new Uint8Array(0), 'cut off'],
    ['that is something else', Buffer.from('hello\nworld\n'), 'does not start with'],
    ['of zeros that were compressed', gzipSync(Buffer.alloc(2 ** 26)), 'a line of more than'],
  ])('is refused %s', async (_, bytes, why) => {
    await expect(verifyCertificate(file(bytes), KEYS)).rejects.toThrow(refusal(why));
  });

  test('is refused with another key', async () => {
    const other = noteSigner('harbour/log', new Uint8Array(32).fill(8));
    const keys = [verifierKey(other.name, other.publicKey)];
    await expect(verifyCertificate(file(part), keys)).rejects.toThrow(refusal('none of the known keys'));
  });

  test('is not called damaged when the disk fails while it is read', async () => {
    let reads = 0;
    const failing: Reread = async function* () {
      reads += 1;
      yield gzipSync(part).subarray(0, 100);
      if (reads > 1) throw new Error('the disk is gone');
    };
    await expect(verifyCertificate(failing, KEYS)).rejects.toThrow('the disk is gone');
  });
});

describe('the proof of one record', () => {
  test('is made for every record that is shown, by the number of its line or by its place, and verified', async () => {
    for (let index = 0; index < 20; index += 3) {
      const proof = await proveFrom(file(gzipSync(part)), KEYS, { kind: 'line', seq: index + 1 });
      expect(Buffer.from(proof)).toEqual(Buffer.from(await proveFrom(file(part), KEYS, { kind: 'index', index })));
      expect(await verifyCertificate(file(proof), KEYS)).toMatchObject({
        kind: 'proof',
        index,
        record: { seq: index + 1, page: 'with-main/story.html' },
        checkpoint: { size: 20 },
      });
    }
  });

  test('is not made for one that is only counted, or not there', async () => {
    for (const wanted of [
      { kind: 'line', seq: 2 },
      { kind: 'line', seq: 99 },
      { kind: 'index', index: 1 },
      { kind: 'index', index: 99 },
    ] as const) {
      await expect(proveFrom(file(part), KEYS, wanted)).rejects.toMatchObject({ code: 'TIEUP_E_NOT_FOUND' });
    }
  });

  test('is of the hit, when a live switch has the number of the same line', async () => {
    const release = { publication: 1, release: 1, releaseDigest: 'ab'.repeat(32) };
    const live = switchRecord(1, { time: '2026-11-23T12:00:00Z', ...release });
    const log = partOf(sealed([hit(1), live, hit(2)].map(renderRecord)));
    const proof = await proveFrom(file(log), KEYS, { kind: 'line', seq: 1 });
    expect(await verifyCertificate(file(proof), KEYS)).toMatchObject({ index: 0, record: { class: 'T' } });
    const ofSwitch = await proveFrom(file(log), KEYS, { kind: 'index', index: 1 });
    expect(await verifyCertificate(file(ofSwitch), KEYS)).toMatchObject({ index: 1, record: { class: 'S' } });
  });

  test('is not made from a log that was altered', async () => {
    const altered = Buffer.from(part.toString('latin1').replace('5120', '5121'), 'latin1');
    await expect(proveFrom(file(altered), KEYS, { kind: 'line', seq: 4 })).rejects.toThrow(refusal('do not add up'));
  });

  test('is refused with one character of it changed', async () => {
    const proof = Buffer.from(await proveFrom(file(part), KEYS, { kind: 'line', seq: 4 })).toString('latin1');
    for (let at = 0; at < proof.length; at += 37) {
      const changed = proof.slice(0, at) + (proof[at] === 'A' ? 'B' : 'A') + proof.slice(at + 1);
      const verified = verifyCertificate(file(Buffer.from(changed, 'latin1')), KEYS);
      await expect(verified, `character ${at}`).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
    }
    const long = Buffer.from(proof + 'x'.repeat(1e6));
    await expect(verifyCertificate(file(long), KEYS)).rejects.toThrow(refusal('longer than'));
  });
});
