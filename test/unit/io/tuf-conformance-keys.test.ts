/** The cases of the public TUF conformance suite that are about keys and their rotation; see tuf-conformance.test.ts. */
import { describe, expect, test } from 'vitest';
import { conformance } from '../../support/conformance.ts';
import { ed25519Signer, otherSigner, type Signer } from '../../support/tuf-simulator.ts';

const ALL_AT_ONE = { root: 1, snapshot: 1, targets: 1, timestamp: 1 };

describe('keys', () => {
  test('snapshot does not meet threshold', async () => {
    const { repo, client } = await conformance();
    repo.rootRole('snapshot').threshold = 3;
    repo.addKey('snapshot');
    const last = repo.addKey('snapshot');
    repo.publish('root', 'targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('done');
    repo.signersOf('snapshot').delete(last.keyId);
    repo.publish('targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('refused');
    expect(await client.version('snapshot')).toBe(2);
  });

  test('root has keys but not snapshot', async () => {
    const { repo, client } = await conformance();
    expect(await client.refresh()).toBe('done');
    repo.rootRole('snapshot').threshold = 3;
    repo.rootRole('snapshot').keyids.push(repo.newSigner().keyId, repo.newSigner().keyId);
    repo.publish('root', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('refused');
    expect(await client.trusted()).toMatchObject({ root: 2, snapshot: 1 });
  });

  test('snapshot has too few keys', async () => {
    const { repo, client } = await conformance();
    for (let count = 0; count < 4; count++) repo.addKey('snapshot');
    repo.rootRole('snapshot').threshold = 6;
    repo.publish('root', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('refused');
    expect(await client.trusted()).toEqual({ root: 2, timestamp: 2 });
  });

  test('deprecated keyid hash algorithms', async () => {
    const { repo, client } = await conformance();
    for (const key of Object.values(repo.root.keys)) key['keyid_hash_algorithms'] = ['md5'];
    repo.publish('root');
    expect(await client.refresh()).toBe('done');
    expect(await client.trusted()).toEqual({ ...ALL_AT_ONE, root: 2 });
  });

  test('duplicate keys', async () => {
    const { repo, client } = await conformance();
    const signer = repo.addKey('snapshot');
    for (let count = 0; count < 8; count++) repo.rootRole('snapshot').keyids.push(signer.keyId);
    repo.rootRole('snapshot').threshold = 6;
    repo.publish('root', 'snapshot', 'timestamp');
    repo.tamper('snapshot', 2, ({ signatures }) => {
      const again = signatures.filter(({ keyid }) => keyid === signer.keyId);
      for (let count = 0; count < 8; count++) signatures.push(...again);
    });
    expect(await client.refresh()).toBe('refused');
    expect(await client.version('snapshot')).toBeUndefined();
  });

  test('duplicate sig keyids', async () => {
    const { repo, client } = await conformance();
    repo.tamper('snapshot', 1, ({ signatures }) => signatures.push(...signatures.slice(0, 1)));
    expect(await client.refresh()).toBe('refused');
    expect(await client.version('snapshot')).toBeUndefined();
  });

  test.each([
    ['rsa/rsassa-pss-sha256', () => otherSigner('rsa')],
    ['ecdsa/ecdsa-sha2-nistp256', () => otherSigner('ecdsa')],
    ['ed25519/ed25519', () => ed25519Signer(1000)],
  ])('keytype and scheme: %s', async (_, make) => {
    const { repo, client } = await conformance();
    const signer = repo.addKey('root', make());
    repo.rootRole('root').threshold = 2;
    repo.publish('root');
    expect(await client.refresh()).toBe('done');
    expect(await client.version('root')).toBe(2);
    const another = signer.sign(Buffer.from('something else'));
    repo.publish('root');
    repo.tamper('root', 3, ({ signatures }) => {
      for (const signature of signatures) if (signature.keyid === signer.keyId) signature.sig = another;
    });
    expect(await client.refresh()).toBe('refused');
    expect(await client.version('root')).toBe(2);
  });

  test('invalid sig in valid metadata', async () => {
    const { repo, client } = await conformance();
    const first = [...repo.signersOf('timestamp').keys()];
    repo.addKey('timestamp');
    for (const [version, wrong] of [
      [2, 'ab'.repeat(64)],
      [3, ''],
    ] as const) {
      if (version === 2) repo.publish('root');
      repo.publish('timestamp');
      repo.tamper('timestamp', version, ({ signatures }) => {
        for (const signature of signatures) if (first.includes(signature.keyid)) signature.sig = wrong;
      });
      expect(await client.refresh()).toBe('done');
      expect(await client.version('timestamp')).toBe(version);
    }
  });
});

describe('key rotations', () => {
  const signers: readonly Signer[] = Array.from({ length: 10 }, (_, index) => ed25519Signer(2000 + index));

  interface Version {
    readonly keys: readonly Signer[];
    readonly threshold: number;
    readonly sigs: readonly Signer[];
  }

  /** `01234/3/042`: keys 0 to 4, three of which must sign; 0, 4 and 2 do. */
  function version(text: string): Version {
    const [keys = '', threshold = '', sigs = ''] = text.split('/');
    const named = (digits: string): readonly Signer[] => signers.filter((_, index) => digits.includes(String(index)));
    return { keys: named(keys), threshold: Number(threshold), sigs: named(sigs) };
  }

  test.each([
    ['1-of-1-key-rotation', 'done', '1/1/1 2/1/21 2/1/2'],
    ['1-of-1-key-rotation-unused-signatures', 'done', '1/1/314 2/1/3214 2/1/324'],
    ['3-of-5-sign-with-different-keycombos', 'done', '01234/3/024 01234/3/041 01234/3/013 01234/3/013'],
    ['3-of-5-one-key-rotated', 'done', '01234/3/024 01345/3/041'],
    ['3-of-5-one-key-rotated-with-intermediate-step', 'done', '01234/3/024 01345/3/0245 01345/3/045'],
    ['3-of-5-all-keys-rotated-with-intermediate-step', 'done', '01234/3/024 56789/3/024567 56789/3/567'],
    ['1-of-3-threshold-increase-to-2-of-3', 'done', '123/1/1 123/2/12'],
    ['2-of-3-threshold-decrease-to-1-of-3', 'done', '123/2/12 123/1/12 123/1/1'],
    ['1-of-2-threshold-increase-to-2-of-2', 'done', '1/1/1 12/2/12'],
    ['1-of-1-key-rotation-fail-not-signed-with-old-key', 'refused', '1/1/1 2/1/234'],
    ['1-of-1-key-rotation-fail-not-signed-with-new-key', 'refused', '1/1/1 2/1/134'],
    ['3-of-5-one-key-rotate-fails-not-signed-with-3-new-keys', 'refused', '01234/3/024 01345/3/024'],
    ['3-of-5-one-key-rotate-fails-not-signed-with-3-old-keys', 'refused', '01234/3/024 01345/3/045'],
    ['1-of-3-threshold-bump-to-2-of-3-fails-new-threshold-not-reached', 'refused', '123/1/1 123/2/2'],
    ['2-of-3-threshold-decr-to-1-of-3-fails-old-threshold-not-reached', 'refused', '123/2/12 123/1/1'],
  ])('root rotation: %s', async (_, outcome, versions) => {
    const { repo, client } = await conformance();
    repo.unpublish('root');
    const roots = versions.split(' ').map(version);
    for (const [index, { keys, threshold, sigs }] of roots.entries()) {
      repo.clearKeys('root');
      repo.rootRole('root').threshold = threshold;
      for (const key of keys) repo.addKey('root', key);
      repo.signersOf('root').clear();
      for (const key of sigs) repo.signWith('root', key);
      repo.publishAs('root', index + 1);
    }
    await client.init(repo.bytes('root', 1));
    expect(await client.refresh()).toBe(outcome);
    const last = outcome === 'done' ? roots.length : roots.length - 1;
    expect(await client.bytes('root')).toEqual(Buffer.from(repo.bytes('root', last)));
  });

  test.each([
    ['1-of-1-key-rotation', 'done', '2/1/2'],
    ['1-of-1-key-rotation-unused-signatures', 'done', '1/1/314'],
    ['1-of-1-key-rotation-fail-not-signed-with-new-key', 'refused', '2/1/134'],
    ['3-of-5-one-key-signature-wrong-not-signed-with-3-expected-keys', 'refused', '01345/3/024'],
    ['2-of-5-one-key-signature-mising-threshold-not-reached', 'refused', '01345/3/04'],
    ['3-of-5-sign-first-combo', 'done', '01234/3/024'],
    ['3-of-5-sign-second-combo', 'done', '01234/3/041'],
    ['3-of-5-sign-third-combo', 'done', '01234/3/013'],
    ['3-of-5-sign-fourth-combo', 'done', '01234/3/123'],
    ['3-of-5-sign-fifth-combo', 'done', '01234/3/234'],
  ])('non root rotations: %s', async (_, outcome, text) => {
    const { keys, threshold, sigs } = version(text);
    for (const role of ['timestamp', 'snapshot', 'targets']) {
      const { repo, client } = await conformance();
      repo.clearKeys(role);
      repo.rootRole(role).threshold = threshold;
      for (const key of keys) repo.addKey(role, key);
      repo.signersOf(role).clear();
      for (const key of sigs) repo.signWith(role, key);
      repo.publish('root', 'targets', 'snapshot', 'timestamp');
      expect(await client.refresh()).toBe(outcome);
      const trusted = await client.bytes(role).catch(() => undefined);
      expect(trusted).toEqual(outcome === 'done' ? Buffer.from(repo.bytes(role)) : undefined);
    }
  });
});
