import { describe, expect, test } from 'vitest';
import {
  type Checkpoint,
  openCheckpoint,
  parseCheckpoint,
  parseOrigin,
  renderCheckpoint,
  renderOrigin,
  signCheckpoint,
} from '../../../src/protocol/checkpoint.ts';
import { cosign, openCosignature } from '../../../src/protocol/cosignature.ts';
import { emptyRoot, leafHash } from '../../../src/protocol/merkle.ts';
import { addSignature, noteSigner, openNote } from '../../../src/protocol/note.ts';
import { verifierKey } from '../../../src/protocol/vkey.ts';
import { logKey, logSigner, origin } from '../../support/exported-log.ts';

const checkpoint: Checkpoint = { origin, size: 20852163, root: leafHash(Buffer.from('x')) };
const note = signCheckpoint(checkpoint, logSigner);
const text = renderCheckpoint(checkpoint);
const main = noteSigner('docs.example/document', new Uint8Array(32).fill(5));
const mainKey = verifierKey(main.name, main.publicKey);
const TIME = '2026-11-23T22:00:00Z';
const cosigned = cosign(note, main, TIME);

const refusal = (why: string) =>
  expect.objectContaining({ code: 'TIEUP_E_VERIFY', message: expect.stringContaining(why) });

describe('a checkpoint', () => {
  test('has three lines and opens as it was signed', () => {
    expect(text).toBe(
      `harbour.example/tieup-log/harbour/T/1\n20852163\n${Buffer.from(checkpoint.root).toString('base64')}\n`,
    );
    const { origin: opened, size, root } = openCheckpoint(note, [logKey]);
    expect(opened).toEqual(origin);
    expect(size).toBe(20852163);
    expect(Buffer.from(root)).toEqual(Buffer.from(checkpoint.root));
    expect(parseCheckpoint(renderCheckpoint({ ...checkpoint, size: 0, root: emptyRoot() })).size).toBe(0);
  });

  test.each<[string, (text: string) => string, string]>([
    ['an extension line', (was) => `${was}more\n`, 'three lines'],
    ['no root', (was) => was.split('\n').slice(0, 2).join('\n'), 'three lines'],
    ['no line end', (was) => was.slice(0, -1), 'three lines'],
    ['a leading zero', (was) => was.replace('\n2', '\n02'), 'its size "020852163"'],
    ['a size with a sign', (was) => was.replace('\n2', '\n+2'), 'its size'],
    ['a size that cannot be counted', (was) => was.replace('20852163', '9007199254740993'), 'its size'],
    ['no size', (was) => was.replace('20852163', ''), 'its size ""'],
    ['a root that is too short', (was) => was.replace(/\n[^\n]+\n$/, '\nAAAA\n'), 'not 32 bytes in base64'],
    ['a root in another spelling', (was) => was.replace(/.=\n$/, 'b=\n'), 'not 32 bytes in base64'],
    ['a root that nothing can have', (was) => was.replace('20852163', '0'), 'not the root of an empty tree'],
    ['no origin', (was) => was.replace(/^[^\n]+/, ''), 'is not <host>/tieup-log/'],
    ['another origin', (was) => was.replace('tieup-log', 'log'), 'is not <host>/tieup-log/'],
    ['another tree', (was) => was.replace('/T/', '/U/'), 'is not <host>/tieup-log/'],
    ['epoch 0', (was) => was.replace('/T/1', '/T/0'), 'is not <host>/tieup-log/'],
    ['a partner that cannot be one', (was) => was.replace('/harbour/', '/Harbour/'), 'is not <host>/tieup-log/'],
  ])('with %s is refused', (_, edit, why) => {
    expect(() => parseCheckpoint(edit(text))).toThrow(refusal(why));
  });

  test('names hosts with a port', () => {
    for (const host of ['127.0.0.1:8080', '[::1]:8080', 'xn--bcher-kva.example']) {
      expect(parseOrigin(renderOrigin({ ...origin, host })).host).toBe(host);
    }
  });

  test('of one partner cannot be signed by the log key of another, or by another key of its own', () => {
    for (const name of ['pier/log', 'harbour/site']) {
      const other = noteSigner(name, new Uint8Array(32).fill(4));
      const signed = signCheckpoint(checkpoint, other);
      expect(() => openCheckpoint(signed, [verifierKey(name, other.publicKey)])).toThrow(
        refusal(`of the log of "harbour", but "${name}" has signed it`),
      );
    }
  });

  test('that is longer than any is refused unread', () => {
    expect(() => openCheckpoint(new Uint8Array(8 * 1024 + 1), [logKey])).toThrow(refusal('longer than 8192 bytes'));
  });
});

describe('a cosignature', () => {
  test('has the form that the specification shows', () => {
    // The example of https://c2sp.org/tlog-cosignature comes without its public key: four bytes of id, eight of time, the signature.
    const example =
      'jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==';
    const shown = Buffer.from(example, 'base64');
    const line = Buffer.from(cosigned).toString().trimEnd().split('\n').at(-1) ?? '';
    const ours = Buffer.from(line.split(' ')[2] ?? '', 'base64');
    expect(ours.length).toBe(shown.length);
    expect(Number(shown.readBigUInt64BE(4))).toBe(1679315147);
    expect(Number(ours.readBigUInt64BE(4))).toBe(Date.parse(TIME) / 1000);
  });

  test('says when, and leaves the signature of the log as it was', () => {
    expect(openCosignature(cosigned, mainKey)).toEqual({ time: TIME });
    expect(openCheckpoint(cosigned, [logKey]).size).toBe(20852163);
    expect(Buffer.from(cosigned).subarray(0, note.length)).toEqual(Buffer.from(note));
  });

  test('is no signature of the document key on a note, and the other way round', () => {
    expect(() => openNote(cosigned, [mainKey])).toThrow(refusal('none of the known keys'));
    expect(() => openCosignature(addSignature(note, main), mainKey)).toThrow(refusal('has not cosigned it'));
  });

  test('of another key, for another checkpoint, changed or doubled is refused', () => {
    const other = noteSigner(main.name, new Uint8Array(32).fill(6));
    expect(() => openCosignature(cosigned, verifierKey(other.name, other.publicKey))).toThrow(
      refusal('has not cosigned'),
    );
    expect(() => openCosignature(note, mainKey)).toThrow(refusal('has not cosigned it'));
    const line = Buffer.from(cosigned).toString().slice(Buffer.from(note).toString().length);
    const smaller = signCheckpoint({ ...checkpoint, size: 7 }, logSigner);
    expect(() => openCosignature(Buffer.concat([smaller, Buffer.from(line)]), mainKey)).toThrow(
      refusal('is not valid'),
    );
    expect(() => openCosignature(cosign(cosigned, main, TIME), mainKey)).toThrow(refusal('has cosigned it twice'));
    const short = `— ${main.name} ${Buffer.from(line.split(' ')[2] ?? '', 'base64')
      .subarray(0, 12)
      .toString('base64')}\n`;
    expect(() => openCosignature(Buffer.concat([note, Buffer.from(short)]), mainKey)).toThrow(refusal('too short'));
    for (const [at, why] of [
      [4, 'impossible time'],
      [11, 'is not valid'],
      [30, 'is not valid'],
    ] as const) {
      const bytes = Buffer.from(line.split(' ')[2] ?? '', 'base64');
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      const changed = Buffer.from(`— ${main.name} ${bytes.toString('base64')}\n`);
      expect(() => openCosignature(Buffer.concat([note, changed]), mainKey)).toThrow(refusal(why));
    }
  });

  test('is not given at a time that is none', () => {
    expect(() => cosign(note, main, 'now')).toThrow(expect.objectContaining({ code: 'TIEUP_E_FAILED' }));
    expect(() => cosign(Buffer.from('x'), main, TIME)).toThrow(refusal('no blank line'));
  });
});
