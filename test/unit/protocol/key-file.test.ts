import { createPrivateKey, scryptSync } from 'node:crypto';
import nacl from 'tweetnacl';
import { describe, expect, test } from 'vitest';
import { isTieupError, type ErrorCode } from '../../../src/errors.ts';
import { pkcs8Of } from '../../../src/protocol/ed25519.ts';
import { isEncrypted, openKey, renderPlainKey, sealKey } from '../../../src/protocol/key-file.ts';
import { Stretched } from '../../../src/protocol/stretched.ts';

const seed = Uint8Array.from({ length: 32 }, (_, index) => 200 - index);
const random = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 7 + length) % 256);
const sealed = await sealKey(seed, 'correct horse', random);

type Content = Readonly<Record<string, unknown>>;

/** The JSON in the PEM, changed. */
function withContent(
  pem: string,
  change: (content: { kdf: Content; cipher: Content; ciphertext: string }) => unknown,
): string {
  return pemOf('ENCRYPTED SIGSTORE PRIVATE KEY', Buffer.from(JSON.stringify(change(contentOf(pem)))));
}

function contentOf(pem: string): { kdf: Content; cipher: Content; ciphertext: string } {
  const [, body] = /-----\n([\s\S]+)\n-----END/.exec(pem) ?? [];
  return JSON.parse(Buffer.from(body ?? '', 'base64').toString());
}

function pemOf(label: string, body: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(body).toString('base64')}\n-----END ${label}-----\n`;
}

/** Sealed by hand as go-securesystemslib does it, with a cost of one's choice. */
function sealedWith(N: number): string {
  const [salt, nonce] = [random(32), random(24)];
  const key = scryptSync('pw', salt, 32, { N, r: 8, p: 1, maxmem: 2 ** 28 });
  return withContent(sealed, () => ({
    kdf: { name: 'scrypt', params: { N, r: 8, p: 1 }, salt: Buffer.from(salt).toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: Buffer.from(nonce).toString('base64') },
    ciphertext: Buffer.from(nacl.secretbox(pkcs8Of(seed), nonce, key)).toString('base64'),
  }));
}

/** The refusal of `act`; its text never holds the password. */
function refusal(act: () => unknown): { readonly code: ErrorCode; readonly message: string; readonly leaks: boolean } {
  try {
    act();
  } catch (error) {
    if (!isTieupError(error)) throw error;
    const leaks = `${error.message} ${error.hint} ${error.stack} ${String(error.cause)}`.includes('correct horse');
    return { code: error.code, message: error.message, leaks };
  }
  throw new Error('it was not refused');
}

function refused(code: ErrorCode, why: string): unknown {
  return { code, message: expect.stringContaining(why), leaks: false };
}

describe('an encrypted key', () => {
  test('opens with its password alone', () => {
    expect(isEncrypted(sealed)).toBe(true);
    expect(openKey(sealed, 'correct horse')).toEqual(seed);
    expect(refusal(() => openKey(sealed, 'correct horsf'))).toEqual(
      refused('TIEUP_E_PASSWORD', 'the password does not open the key'),
    );
    expect(refusal(() => openKey(sealed, ''))).toEqual(
      refused('TIEUP_E_PASSWORD', 'the password does not open the key'),
    );
    expect(refusal(() => openKey(sealed, undefined))).toEqual(refused('TIEUP_E_PASSWORD', 'needs its password'));
  });

  test('has exactly the form that sigstore reads', () => {
    expect(sealed).toMatch(
      /^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n$/,
    );
    withContent(sealed, (content) => {
      expect(content).toEqual({
        kdf: { name: 'scrypt', params: { N: 131072, r: 8, p: 1 }, salt: Buffer.from(random(32)).toString('base64') },
        cipher: { name: 'nacl/secretbox', nonce: Buffer.from(random(24)).toString('base64') },
        ciphertext: expect.any(String),
      });
      return content;
    });
  });

  test('shares its salt with those which one command seals with the same password, and nothing else', async () => {
    let given = 0;
    const fresh = (length: number): Uint8Array => new Uint8Array(length).fill(++given);
    const stretched = new Stretched();
    const [one, other, third] = await Promise.all([
      sealKey(seed, 'pw', fresh, stretched),
      sealKey(new Uint8Array(32), 'pw', fresh, stretched),
      sealKey(seed, 'another', fresh, stretched),
    ]);
    const all = [one, other, third].map(contentOf);
    expect(new Set(all.map(({ kdf }) => kdf['salt'])).size).toBe(2);
    expect(all[0]?.kdf['salt']).toBe(all[1]?.kdf['salt']);
    expect(new Set(all.map(({ cipher }) => cipher['nonce'])).size).toBe(3);

    // Each opens for whoever knows nothing of the others, and for whoever has opened another one.
    expect(openKey(one, 'pw')).toEqual(seed);
    expect(openKey(one, 'pw', stretched)).toEqual(seed);
    expect(openKey(other, 'pw', stretched)).toEqual(new Uint8Array(32));
    expect(refusal(() => openKey(third, 'pw', stretched)).code).toBe('TIEUP_E_PASSWORD');
    expect(refusal(() => openKey(one, 'another', stretched)).code).toBe('TIEUP_E_PASSWORD');
    expect(contentOf(await sealKey(seed, 'pw', fresh)).kdf['salt']).not.toBe(all[0]?.kdf['salt']);
  });

  test('may have an empty password, which is not the same as none', async () => {
    const open = await sealKey(seed, '', random);
    expect(openKey(open, '')).toEqual(seed);
    expect(refusal(() => openKey(open, undefined))).toEqual(refused('TIEUP_E_PASSWORD', 'needs its password'));
  });

  test.each([2 ** 15, 2 ** 16])('opens with the lower cost N=%i, which cosign writes', (N) => {
    expect(openKey(sealedWith(N), 'pw')).toEqual(seed);
  });

  test.each([
    { N: 2 ** 14, r: 8, p: 1 },
    { N: 2 ** 18, r: 8, p: 1 },
    { N: 2 ** 16 + 1, r: 8, p: 1 },
    { N: 2 ** 16, r: 16, p: 1 },
    { N: 2 ** 16, r: 8, p: 4 },
    { N: 0, r: 8, p: 1 },
    { N: 2 ** 40, r: 8, p: 1 },
  ])('with the cost %j is refused before anything is computed', (params) => {
    const pem = withContent(sealed, (content) => ({ ...content, kdf: { ...content.kdf, params } }));
    expect(refusal(() => openKey(pem, 'correct horse'))).toEqual(
      refused('TIEUP_E_KEY', `scrypt with N=${params.N} r=${params.r}`),
    );
  });

  const short = Buffer.alloc(8).toString('base64');
  test.each<[string, Parameters<typeof withContent>[1], string]>([
    [
      'another key derivation',
      (content) => ({ ...content, kdf: { ...content.kdf, name: 'pbkdf2' } }),
      'not scrypt and nacl',
    ],
    [
      'another cipher',
      (content) => ({ ...content, cipher: { ...content.cipher, name: 'aes' } }),
      'not scrypt and nacl',
    ],
    ['a field that nobody knows', (content) => ({ ...content, extra: 1 }), 'not scrypt and nacl'],
    ['no ciphertext', ({ kdf, cipher }) => ({ kdf, cipher }), 'not scrypt and nacl'],
    ['base64 that is none', (content) => ({ ...content, ciphertext: 'a*b' }), 'not scrypt and nacl'],
    [
      'a short salt',
      (content) => ({ ...content, kdf: { ...content.kdf, salt: short } }),
      'its salt has 8 bytes, not 32',
    ],
    [
      'a short nonce',
      (content) => ({ ...content, cipher: { ...content.cipher, nonce: short } }),
      'its nonce has 8 bytes',
    ],
    ['a list', () => [1], 'not scrypt and nacl'],
  ])('with %s is refused', (_, change, why) => {
    expect(refusal(() => openKey(withContent(sealed, change), 'correct horse'))).toEqual(refused('TIEUP_E_KEY', why));
  });

  test('whose content is not an Ed25519 key is refused', () => {
    const [salt, nonce] = [random(32), random(24)];
    const key = scryptSync('pw', salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 28 });
    const pem = withContent(sealedWith(2 ** 15), (content) => ({
      ...content,
      ciphertext: Buffer.from(nacl.secretbox(Buffer.from('something else'), nonce, key)).toString('base64'),
    }));
    expect(refusal(() => openKey(pem, 'pw'))).toEqual(refused('TIEUP_E_KEY', 'does not hold an Ed25519 key'));
  });
});

describe('a plain key', () => {
  const plain = renderPlainKey(seed);

  test('is PKCS#8 as OpenSSL reads it, and opens without a password', () => {
    expect(isEncrypted(plain)).toBe(false);
    expect(openKey(plain, undefined)).toEqual(seed);
    const read = createPrivateKey(plain).export({ format: 'jwk' });
    expect(Buffer.from(read.d ?? '', 'base64url')).toEqual(Buffer.from(seed));
  });

  test('survives the blanks and line ends which settings of CI systems add', () => {
    expect(openKey(`\n  ${plain.replaceAll('\n', '\r\n')}\n\n`, undefined)).toEqual(seed);
  });

  test.each([
    ['nothing', '', 'not one PEM block'],
    ['some text', 'hello', 'not one PEM block'],
    ['a public key', plain.replaceAll('PRIVATE', 'PUBLIC'), 'it holds "PUBLIC KEY"'],
    ['two keys', `${plain}${plain}`, 'not one PEM block'],
    ['text before the key', `x\n${plain}`, 'not one PEM block'],
    ['different labels', plain.replace('END PRIVATE', 'END PUBLIC'), 'not one PEM block'],
    ['base64 of the wrong length', plain.replace('\n-----END', '=\n-----END'), 'base64 is not strict'],
    ['half a key', pemOf('PRIVATE KEY', pkcs8Of(seed).subarray(0, 40)), 'does not hold an Ed25519 key'],
    ['more than a key file can have', plain + ' '.repeat(20_000), 'more than 16384 characters'],
  ])('is not found in %s', (_, pem, why) => {
    expect(refusal(() => openKey(pem, 'correct horse'))).toEqual(refused('TIEUP_E_KEY', why));
  });
});
