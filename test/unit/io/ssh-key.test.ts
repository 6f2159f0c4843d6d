import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { algorithmsOf, parseHostKey, renderHostKey, sshFingerprint } from '../../../src/io/host-key.ts';
import { createSshKey } from '../../../src/io/ssh-key.ts';
import { realPart } from '../../support/real-parts.ts';

/** RFC 8032 section 7.1, test 1. */
const SEED = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
const PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';

describe('a key that tieup makes', () => {
  test('holds the public key that belongs to its seed', () => {
    const { publicKey } = createSshKey('main@example', SEED);
    const [type, base64, comment] = publicKey.split(' ');
    expect([type, comment]).toEqual(['ssh-ed25519', 'main@example']);
    expect(Buffer.from(base64 ?? '', 'base64').toString('hex')).toBe(`0000000b7373682d6564323535313900000020${PUBLIC}`);
  });

  test('is another one each time', () => {
    expect(createSshKey('a').publicKey).not.toBe(createSshKey('a').publicKey);
  });

  test.each(['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef', 'abcdefg', 'with blanks and ü'])(
    'with the comment %j is read by ssh2',
    (comment) => {
      const { privateKey, publicKey } = createSshKey(comment, SEED);
      const parsed = ssh2.utils.parseKey(privateKey);
      if (parsed instanceof Error) throw parsed;
      const [key] = [parsed].flat();
      expect(key?.isPrivateKey()).toBe(true);
      expect(key?.comment).toBe(comment);
      expect(publicKey).toContain(key?.getPublicSSH().toString('base64'));
    },
  );
});

const keygen = realPart('ssh-keygen');

describe.skipIf(keygen === undefined)('a key that tieup makes, seen by OpenSSH', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tieup-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is a good private key with the same public key and fingerprint', () => {
    const { privateKey, publicKey } = createSshKey('main@example', SEED);
    const file = join(folder, 'key');
    writeFileSync(file, privateKey, { mode: 0o600 });
    writeFileSync(`${file}.pub`, `${publicKey}\n`);
    expect(runKeygen('-y', '-f', file)).toBe(publicKey);
    expect(runKeygen('-l', '-f', `${file}.pub`)).toBe(
      `256 ${sshFingerprint(parseHostKey(publicKey).blob)} main@example (ED25519)`,
    );
  });
});

function runKeygen(...options: string[]): string {
  return execFileSync(keygen ?? '', options, { encoding: 'utf8' }).trim();
}

describe('a host key', () => {
  const line = createSshKey('', SEED).publicKey;

  test('is read with and without a comment, and written without', () => {
    const key = parseHostKey(`${line} root@server`);
    expect(key).toEqual(parseHostKey(line));
    expect(renderHostKey(key.blob)).toBe(line);
    expect(algorithmsOf([key, key])).toEqual(['ssh-ed25519']);
  });

  test('of the type RSA is asked for with SHA-2 alone', () => {
    const rsa = Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from('ssh-rsa'), Buffer.alloc(40, 1)]);
    expect(algorithmsOf([parseHostKey(`ssh-rsa ${rsa.toString('base64')}`)])).toEqual(['rsa-sha2-512', 'rsa-sha2-256']);
  });

  test.each([
    '',
    'ssh-ed25519',
    'ssh-ed25519 !!!!',
    `ssh-dss ${line.split(' ')[1]}`,
    `ssh-rsa ${line.split(' ')[1]}`,
    `${line}A`,
    `constructor ${line.split(' ')[1]}`,
    'ssh-ed25519 AAAA',
    'ssh-ed25519 /////w==',
  ])('%j is refused', (wrong) => {
    expect(() => parseHostKey(wrong)).toThrow(expect.objectContaining({ code: 'TIEUP_E_CONFIG' }));
  });
});
