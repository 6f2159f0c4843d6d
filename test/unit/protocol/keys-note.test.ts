import { describe, expect, test } from 'vitest';
import { isTieupError } from '../../../src/errors.ts';
import { publicKeyOf } from '../../../src/protocol/ed25519.ts';
import { parseKeys, renderKeys, type PartnerKeys } from '../../../src/protocol/keys-note.ts';
import { addSignature, noteSigner, openNote, signNote } from '../../../src/protocol/note.ts';
import { renderVkey, verifierKey } from '../../../src/protocol/vkey.ts';

const seed = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const vkey = (name: string, fill: number): string => renderVkey(name, publicKeyOf(seed(fill)));
const KEYS: PartnerKeys = {
  partner: 'harbour',
  seq: 3,
  accept: vkey('harbour/accept', 1),
  site: vkey('harbour/site', 2),
  log: vkey('harbour/log', 3),
  time: '2026-11-23T12:00:00Z',
};

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_VERIFY')) return error.message;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a statement of keys', () => {
  test('is read as it was written', () => {
    expect(renderKeys(KEYS).split('\n')[0]).toBe('tieup-keys/1');
    expect(parseKeys(renderKeys(KEYS))).toEqual(KEYS);
  });

  test.each([
    ['of another type', (text: string) => text.replace('tieup-keys/1', 'tieup-keys/2'), 'does not consist of'],
    ['with a line more', (text: string) => `${text}more x\n`, 'does not consist of'],
    ['with lines in another order', (text: string) => text.replace('site', 'tise'), 'is not "site" with 1 values'],
    [
      'with the key of another partner',
      (text: string) => text.replaceAll(KEYS.site, vkey('moor/site', 2)),
      'is called "moor/site"',
    ],
    [
      'with a site key as accept key',
      (text: string) => text.replaceAll(KEYS.accept, KEYS.site),
      'is called "harbour/site"',
    ],
    [
      'with a key that is none',
      (text: string) => text.replaceAll(KEYS.log, 'harbour/log+00000000+AQ=='),
      'is not a verifier key',
    ],
    ['with the number zero', (text: string) => text.replace('seq 3', 'seq 0'), 'canonical form'],
    ['with a leading zero', (text: string) => text.replace('seq 3', 'seq 03'), 'is not a whole number'],
  ])('%s is refused', (_what, change, expected) => {
    expect(messageOf(() => parseKeys(change(renderKeys(KEYS))))).toContain(expected);
  });
});

describe('a signature that is added', () => {
  const text = renderKeys(KEYS);
  const [old, next] = [noteSigner('harbour/accept', seed(1)), noteSigner('harbour/accept', seed(9))];

  test('leaves the text and the signatures before as they are, so that either key opens the note', () => {
    const both = addSignature(signNote(text, [old]), next);
    expect(both).toEqual(Buffer.from(signNote(text, [old, next])));
    for (const signer of [old, next]) {
      expect(openNote(both, [verifierKey(signer.name, signer.publicKey)]).text).toBe(text);
    }
  });

  test('that is there already is not added again: nobody would open the note any more', () => {
    const both = addSignature(signNote(text, [old]), next);
    for (const signer of [next, old]) expect(addSignature(both, signer)).toEqual(both);
  });

  test('cannot be added to something that is no note', () => {
    expect(messageOf(() => addSignature(Buffer.from('no note'), next))).toContain('no blank line');
  });
});
