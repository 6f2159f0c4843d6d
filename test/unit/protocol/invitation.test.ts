import { describe, expect, it } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import {
  answersInvitation,
  parseAnswer,
  parseInvitation,
  renderAnswer,
  renderInvitation,
  secretDigest,
  transcriptDigest,
  type Answer,
  type Invitation,
} from '../../../src/protocol/invitation.ts';
import { renderTerms, parseTerms, type Terms } from '../../../src/protocol/terms.ts';

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
    ['a short secret', (text: string) => text.replace(secret, '5e')],
    ['no JSON', () => 'tieup-invitation/1\nhello\n'],
  ])('is refused with %s', (_, alter) => {
    expect(() => parseInvitation(alter(renderInvitation(invitation)))).toThrow(TieupError);
  });
});

describe('an answer', () => {
  const kept = secretDigest(secret);

  it('shows that its writer knew the secret', () => {
    expect(answersInvitation(parseAnswer(renderAnswer(answer, secret)), kept)).toBe(true);
    expect(answersInvitation(parseAnswer(renderAnswer(answer, '00'.repeat(32))), kept)).toBe(false);
  });

  it.each([
    ['accept key', (text: string) => text.replace('"accept": "a"', '"accept": "b"')],
    ['server', (text: string) => text.replace('main@harbour', 'main@evil')],
    ['host key', (text: string) => text.replace('ssh-ed25519 AAAA', 'ssh-ed25519 BBBB')],
    ['address', (text: string) => text.replace('https://harbour', 'https://evil')],
  ])('proves nothing once the %s is exchanged', (_, alter) => {
    const altered = alter(renderAnswer(answer, secret));
    expect(altered).not.toBe(renderAnswer(answer, secret));
    expect(answersInvitation(parseAnswer(altered), kept)).toBe(false);
  });

  it('does not give the secret away', () => expect(renderAnswer(answer, secret)).not.toContain(secret));

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
