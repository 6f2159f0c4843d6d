import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import {
  answerKey,
  answerSigner,
  assertKnowsSecret,
  parseAnswer,
  parseInvitation,
  renderAnswer,
  renderInvitation,
  transcriptDigest,
  type Answer,
  type Invitation,
} from '../../../src/protocol/invitation.ts';
import { noteSigner, signNote, type NoteSigner } from '../../../src/protocol/note.ts';
import { renderTerms, parseTerms, type Terms } from '../../../src/protocol/terms.ts';
import { parseVkey } from '../../../src/protocol/vkey.ts';

const terms: Terms = {
  partner: 'harbour',
  main: { name: 'Northwind', url: 'https://northwind.example/' },
  period: { from: '2026-01-01T00:00:00Z', until: null },
  mount: '/with-northwind/',
  publisher: 'partner',
  policy: { scripts: 'none', remoteOrigins: [], serviceWorkers: false, search: 'canonical-to-main' },
  services: ['pages'],
  tariff: null,
};
const secret = '5e'.repeat(32);
const invitation: Invitation = {
  terms,
  root: Buffer.from('{"signed":{}}'),
  documentKey: 'northwind.example/document+00000000+AAAA',
  sshKey: 'ssh-ed25519 AAAA tieup',
  secret,
  created: '2026-11-23T22:00:00Z',
  until: '2026-11-26T22:00:00Z',
};
const answer: Answer = {
  partner: 'harbour',
  invitation: 'ab'.repeat(32),
  keys: { accept: 'a', site: 's', log: 'l' },
  sftp: { url: 'sftp://main@harbour.example/exchange', hostKeys: ['ssh-ed25519 AAAA'] },
  url: 'https://harbour.example/',
  created: '2026-11-24T08:00:00Z',
};

describe('an invitation', () => {
  it('is read back as it was written', () => expect(parseInvitation(renderInvitation(invitation))).toEqual(invitation));

  it.each([
    ['another type', (text: string) => text.replace('invitation/1', 'invitation/2')],
    ['an unknown field', (text: string) => text.replace('"created"', '"more": 1, "created"')],
    ['terms that are none', (text: string) => text.replace('/with-northwind/', '../')],
    ['options before the SSH key', (text: string) => text.replace('"ssh-ed25519 ', '"command=\\"sh\\" ssh-ed25519 ')],
    ['a control character in the SSH key', (text: string) => text.replace('"ssh-ed25519 ', '"ssh-ed25519\\u001b ')],
    ['a short secret', (text: string) => text.replace(secret, '5e')],
    ['no JSON', () => 'tieup-invitation/1\nhello\n'],
  ])('is refused with %s', (_, alter) => {
    expect(() => parseInvitation(alter(renderInvitation(invitation)))).toThrow(TieupError);
  });
});

describe('an answer', () => {
  const kept = answerKey({ terms, secret });
  const text = renderAnswer(answer);
  const signed = (...signers: NoteSigner[]) => signNote(text, signers);
  const stranger = noteSigner('harbour/invitation', Buffer.alloc(32, 7));
  const knows = (note: Uint8Array) => () => assertKnowsSecret(note, kept);

  it('is read back as it was written', () => expect(parseAnswer(text)).toEqual(answer));

  it('shows that its writer knew the secret', () => {
    expect(knows(signed(answerSigner({ terms, secret })))).not.toThrow();
    expect(knows(signed(stranger))).toThrow('none of the known keys');
    expect(knows(signed(answerSigner({ terms, secret: '00'.repeat(32) })))).toThrow('none of the known keys');
    expect(knows(signed(answerSigner({ terms: { ...terms, partner: 'moor' }, secret })))).toThrow(TieupError);
  });

  it('cannot be made from what the main site keeps', () => {
    const { publicKey } = parseVkey(kept);
    expect(knows(signed(noteSigner('harbour/invitation', publicKey)))).toThrow('none of the known keys');
    const claimed = Buffer.from(signed({ ...stranger, publicKey }));
    expect(knows(claimed)).toThrow('is not valid');
  });

  it.each([
    ['accept key', '"accept": "a"', '"accept": "b"'],
    ['server', 'main@harbour', 'main@evil'],
    ['host key', 'ssh-ed25519 AAAA', 'ssh-ed25519 BBBB'],
    ['address', 'https://harbour', 'https://evil'],
  ])('proves nothing once the %s is exchanged', (_, from, to) => {
    const note = new TextDecoder().decode(signed(answerSigner({ terms, secret })));
    expect(note).toContain(from);
    expect(knows(Buffer.from(note.replace(from, to)))).toThrow('is not valid');
  });

  it('gives neither the secret nor its key away, and neither does what the main site keeps', () => {
    const seed = Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'hex'), '', 'tieup/v1/invitation/harbour', 32));
    expect(knows(signed(noteSigner('harbour/invitation', seed)))).not.toThrow();
    const shown = `${Buffer.from(signed(answerSigner({ terms, secret }))).toString()}${kept}`;
    for (const hidden of [seed, Buffer.from(secret, 'hex')])
      for (const form of ['hex', 'base64'] as const) expect(shown).not.toContain(hidden.toString(form));
  });

  it('has a transcript that depends on both files', () => {
    expect(transcriptDigest('a', 'b')).not.toBe(transcriptDigest('a', 'c'));
    expect(transcriptDigest('a', 'b')).not.toBe(transcriptDigest('c', 'b'));
  });
});

describe('terms', () => {
  it('are read back as they were written', () => expect(parseTerms(renderTerms(terms))).toEqual(terms));

  it.each([
    ['no JSON', '{'],
    ['another type', JSON.stringify({ type: 'tieup-partnership/2', ...terms })],
    ['an unknown field', JSON.stringify({ type: 'tieup-partnership/1', ...terms, fee: 1 })],
    ['a mount that is the whole site', JSON.stringify({ type: 'tieup-partnership/1', ...terms, mount: '/' })],
    [
      'an address that runs code',
      JSON.stringify({ type: 'tieup-partnership/1', ...terms, main: { name: 'x', url: 'javascript:1' } }),
    ],
  ])('are refused with %s', (_, text) => expect(() => parseTerms(Buffer.from(text))).toThrow(TieupError));
});
