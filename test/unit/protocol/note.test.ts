import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type NoteSigner, noteSigner, openNote, signNote } from '../../../src/protocol/note.ts';
import { parseVkey, type VerifierKey, verifierKey } from '../../../src/protocol/vkey.ts';
import { vectors } from '../../support/vectors.ts';

const strings = z.array(z.string());
const accepted = z.strictObject({
  name: z.string(),
  note: z.string(),
  keys: strings,
  lines: strings,
  signers: strings,
});
const rejected = z.strictObject({ name: z.string(), note: z.string(), keys: strings, why: z.string() });

const seed = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const keyOf = ({ name, publicKey }: NoteSigner): VerifierKey => verifierKey(name, publicKey);

const accept = noteSigner('partner-a/accept', seed(1));
const site = noteSigner('partner-a/site', seed(2));

describe('opening a note', () => {
  test.each(vectors('notes/accept', accepted))('takes $name', ({ note, keys, lines, signers }) => {
    const opened = openNote(bytesOf(note), keys.map(parseVkey));
    expect(opened.lines).toEqual(lines);
    expect(opened.text).toBe(`${lines.join('\n')}\n`);
    expect(opened.signers.map((key) => key.name)).toEqual(signers);
  });

  test.each(vectors('notes/reject', rejected))('refuses $name', ({ note, keys, why }) => {
    expect(() => openNote(bytesOf(note), keys.map(parseVkey))).toThrow(
      expect.objectContaining({ code: 'TIEUP_E_VERIFY', message: expect.stringContaining(why) }),
    );
  });

  test('says which type was wanted and which it is', () => {
    const note = signNote('tieup-receipt/1\nrest\n', [site]);
    expect(openNote(note, [keyOf(site)], { type: 'tieup-receipt/1' }).lines[1]).toBe('rest');
    expect(() => openNote(note, [keyOf(site)], { type: 'tieup-decision/1' })).toThrow(
      'it is of the type "tieup-receipt/1", not "tieup-decision/1"',
    );
    expect(() => openNote(note, [keyOf(site)], { type: 'tieup-receipt' })).toThrow('it is of the type');
  });

  test('refuses bytes that are not UTF-8, and more than a mebibyte', () => {
    const note = signNote('text\n', [site]);
    const broken = Buffer.concat([Uint8Array.of(0xff), note]);
    expect(() => openNote(broken, [keyOf(site)])).toThrow('it is not UTF-8');
    expect(() => openNote(new Uint8Array(1024 * 1024 + 1), [keyOf(site)])).toThrow('more than 1048576 bytes');
  });

  test('takes the same key given twice, and does not guess between two keys of one name and id', () => {
    const note = signNote('text\n', [site]);
    expect(openNote(note, [keyOf(site), keyOf(site)]).signers).toHaveLength(1);
    const twin = { ...keyOf(site), publicKey: accept.publicKey };
    expect(() => openNote(note, [keyOf(site), twin])).toThrow('two known keys are called');
    expect(() => openNote(note, [twin, keyOf(site)])).toThrow('two known keys are called');
  });

  test('refuses a note after any change of a bit', () => {
    const note = signNote('tieup-test/1\nseq 7\n', [accept]);
    const keys = [keyOf(accept)];
    for (let index = 0; index < note.length; index += 1) {
      const changed = Uint8Array.from(note);
      changed[index] = (changed[index] ?? 0) ^ (1 << (index % 8));
      expect(() => openNote(changed, keys)).toThrow(expect.objectContaining({ code: 'TIEUP_E_VERIFY' }));
    }
  });
});

describe('signing a note', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replaceAll(/\p{Cc}/gu, ''));
  const texts = fc
    .array(line, { minLength: 1, maxLength: 8 })
    .map((lines) => `${lines.join('\n')}\n`)
    .filter((text) => text !== '\n');

  test('whatever is signed opens again as it was, with all its signers', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const note = signNote(text, [accept, site]);
        const opened = openNote(note, [keyOf(site), keyOf(accept)]);
        expect(opened.text).toBe(text);
        expect(opened.signers).toEqual([keyOf(accept), keyOf(site)]);
        expect(signNote(opened.text, [accept, site])).toEqual(note);
      }),
      { numRuns: 40, seed: 3 },
    );
  });

  test.each([
    ['', 'does not end with a line end'],
    ['\n', 'is empty'],
    ['no line end', 'does not end with a line end'],
    ['a\r\n', 'carriage return'],
    ['a\tb\n', 'control character'],
    ['\u{85}\n', 'control character'],
    ['\ud800\n', 'not valid Unicode'],
  ])('refuses the text %j: it %s', (text, why) => {
    expect(() => signNote(text, [accept])).toThrow(why);
  });

  test('refuses no signers, one signer twice, a name with a blank and a note that nobody would open', () => {
    expect(() => signNote('text\n', [])).toThrow('a note has 1 to 100 signatures, not 0');
    expect(() => signNote('text\n', [accept, accept])).toThrow('a key signs the note twice');
    expect(() => noteSigner('partner a', seed(1))).toThrow('contains a blank, a control character or a plus');
    expect(() => signNote(`${'x'.repeat(1024 * 1024)}\n`, [accept])).toThrow('the note exceeds 1048576 bytes');
  });
});
