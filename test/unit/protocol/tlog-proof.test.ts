import { describe, expect, test } from 'vitest';
import { proveRecord } from '../../../src/protocol/log-part.ts';
import { parseRecord } from '../../../src/protocol/log-record.ts';
import { noteSigner } from '../../../src/protocol/note.ts';
import { openProof, renderProof } from '../../../src/protocol/tlog-proof.ts';
import { verifierKey } from '../../../src/protocol/vkey.ts';
import { hits, inChunks, logKey, partOf } from '../../support/exported-log.ts';

const keys = [logKey];
const proof = await proveRecord(inChunks(partOf(hits(6))), { keys }, 2);
const file = Buffer.from(renderProof(proof)).toString();
const refusal = (why: string) =>
  expect.objectContaining({ code: 'TIEUP_E_VERIFY', message: expect.stringContaining(why) });

describe('a proof in a file of its own', () => {
  test('has the lines that the specification wants', () => {
    const [type, extra, index, ...rest] = file.split('\n');
    expect(type).toBe('c2sp.org/tlog-proof@v1');
    expect(extra).toBe(`extra ${Buffer.concat([proof.salt, proof.record]).toString('base64')}`);
    expect(index).toBe('index 2');
    expect(rest.slice(0, 3)).toEqual(proof.hashes.map((hash) => Buffer.from(hash).toString('base64')));
    expect(rest.slice(3, 6)).toEqual(['', 'harbour.example/tieup-log/harbour/T/1', '6']);
  });

  test('holds, and gives the record', () => {
    const opened = openProof(Buffer.from(file), keys);
    expect(parseRecord(opened.record).seq).toBe(3);
    expect(opened.checkpoint.origin.log).toBe('T');
  });

  test.each<[string, (text: string) => string, string]>([
    ['another version', (was) => was.replace('@v1', '@v2'), 'it does not start with'],
    ['no extra line', (was) => was.replace(/extra .*\n/, ''), 'its second line is not "extra"'],
    ['a salt without a record', (was) => was.replace(/extra .*/, `extra ${'A'.repeat(22)}==`), 'its second line'],
    ['base64 in another spelling', (was) => was.replace(/(extra .*?)=*\n/, '$1\n'), 'its second line'],
    ['a leading zero', (was) => was.replace('index 2', 'index 02'), 'its third line'],
    ['a huge index', (was) => was.replace('index 2', 'index 9999999999999999'), 'its third line'],
    ['an index behind the end', (was) => was.replace('index 2', 'index 6'), 'the log has 6 records'],
    ['another index', (was) => was.replace('index 2', 'index 3'), 'do not lead to the signed root'],
    ['another record', (was) => was.replace(/extra ./, 'extra B'), 'do not lead to the signed root'],
    ['a hash too few', (was) => was.replace(/(index 2\n).*\n/, '$1'), 'do not lead to the signed root'],
    ['a hash too many', (was) => was.replace('\n\n', `\n${'A'.repeat(43)}=\n\n`), 'do not lead to the signed root'],
    ['a hash that is too short', (was) => was.replace(/(index 2\n)/, '$1AAAA\n'), 'line 4 is not a hash'],
    ['CRLF', (was) => was.replaceAll('\n', '\r\n'), 'no blank line before its checkpoint'],
    ['no checkpoint', (was) => was.slice(0, was.indexOf('\n\n')), 'no blank line before its checkpoint'],
    ['an empty checkpoint', (was) => was.slice(0, was.indexOf('\n\n') + 2), 'no blank line before its signatures'],
    ['another size', (was) => was.replace('\n6\n', '\n7\n'), 'the signature of "harbour/log'],
    ['bytes behind it', (was) => `${was}x`, 'does not end with a line end'],
  ])('with %s is refused', (_, edit, why) => {
    expect(() => openProof(Buffer.from(edit(file)), keys)).toThrow(refusal(why));
  });

  test('of another key, or without end, is refused', () => {
    const stranger = noteSigner('harbour/log', new Uint8Array(32).fill(8));
    expect(() => openProof(Buffer.from(file), [verifierKey(stranger.name, stranger.publicKey)])).toThrow(
      refusal('none of the known keys'),
    );
    expect(() => openProof(Buffer.alloc(1024 * 1024, 'x'), keys)).toThrow(refusal('it is longer than'));
  });

  test('cut off at any byte is refused', () => {
    const bytes = Buffer.from(file);
    for (let end = 0; end < bytes.length; end += 1) {
      expect(() => openProof(bytes.subarray(0, end), keys)).toThrow(refusal('refused'));
    }
  });
});
