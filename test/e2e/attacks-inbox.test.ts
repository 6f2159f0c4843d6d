/**
 * Attacks of whoever can write the inbox (the main site, or a thief of its SFTP account) that the unit tests of partner-site
 * do not have: endless data, files of odd kinds, an inbox that was set back, a root in common, a clock that is wrong. Each
 * leaves the partner's folder as it was.
 */
import { execFileSync } from 'node:child_process';
import { cp, link, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { FileTree } from '../../src/io/file-tree.ts';
import { sha256 } from '../../src/protocol/digest.ts';
import { publicKeyOf } from '../../src/protocol/ed25519.ts';
import { parseRoot } from '../../src/protocol/tuf-metadata.ts';
import { deriveSeed } from '../../src/protocol/derive.ts';
import { signRoot } from '../../src/protocol/tuf-repository.ts';
import { HARMLESS, layHostile } from '../support/hostile-release.ts';
import { type MainFixture, partnership } from '../support/partnership-fixture.ts';
import { type PartnerFixture, START } from '../support/partner-fixture.ts';
import { seededKey } from '../support/memory-keys.ts';
import { asRoot, realPart } from '../support/real-parts.ts';
import { refusedAccept } from '../support/refusal.ts';

let main: MainFixture;
let ready: PartnerFixture;
/** The inbox as it was when release 1 was accepted. */
let inboxOfOne: string;

// Release 1 is live, release 2 waits in the inbox; every test works on a copy.
beforeAll(async () => {
  ({ main, shop: ready } = await partnership());
  await ready.accept();
  inboxOfOne = join((await ready.copy()).folder, 'exchange/inbox');
  await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNew roast\n');
  await main.pushed();
});

/** Counts what is read through it. */
function counting(tree: FileTree): { readonly tree: FileTree; readonly bytes: () => number } {
  let bytes = 0;
  return {
    bytes: () => bytes,
    tree: {
      ...tree,
      read: async (path, maxLength) => {
        const content = await tree.read(path, maxLength);
        bytes += content.length;
        return content;
      },
      async *stream(path, maxLength) {
        for await (const chunk of tree.stream(path, maxLength)) {
          bytes += chunk.length;
          yield chunk;
        }
      },
    },
  };
}

const GIGABYTE = 2 ** 30;

describe('endless data', () => {
  async function readUntilRefused(shop: PartnerFixture): Promise<{ code: string; bytes: number }> {
    let read = (): number => 0;
    const { code } = await refusedAccept(shop, {
      exchange: (tree) => {
        const counted = counting(tree);
        read = counted.bytes;
        return counted.tree;
      },
    });
    return { code, bytes: read() };
  }

  test.each(['timestamp.json', '2.snapshot.json', '2.targets.json', '2.root.json'])(
    '50 MB of %s are refused before they are read',
    async (name) => {
      const shop = await ready.copy();
      const path = shop.path(`exchange/inbox/metadata/${name}`);
      await writeFile(path, '{', { flag: 'a' });
      await truncate(path, 50_000_000);
      const { code, bytes } = await readUntilRefused(shop);
      expect({ code, little: bytes < 100_000 }).toEqual({ code: 'TIEUP_E_TOO_LARGE', little: true });
    },
  );

  test('10 GB of an object are refused before they are read', async () => {
    const shop = await ready.copy();
    const page = Buffer.from('<!doctype html><title>A page</title>hello\n');
    await layHostile(main, shop, { files: { 'with-main/page.html': page }, pack: null });
    await mkdir(shop.path('exchange/inbox/objects'), { recursive: true });
    const path = shop.path(`exchange/inbox/objects/${sha256(page)}`);
    await writeFile(path, page);
    await truncate(path, 10 * GIGABYTE);
    const { code, bytes } = await readUntilRefused(shop);
    expect({ code, little: bytes < 100_000 }).toEqual({ code: 'TIEUP_E_TOO_LARGE', little: true });
  });

  test('10 GB of a pack are not read beyond what its index says', async () => {
    const shop = await ready.copy();
    for (const name of await readdir(shop.path('exchange/inbox/packs'))) {
      await truncate(shop.path(`exchange/inbox/packs/${name}`), 10 * GIGABYTE);
    }
    const { code, bytes } = await readUntilRefused(shop);
    expect({ code, little: bytes < 1_000_000 }).toEqual({ code: 'TIEUP_E_VERIFY', little: true });
  });

  test('10 GB under another name are not looked at', async () => {
    const shop = await ready.copy();
    for (const name of ['metadata/evil.json', 'targets/evil', 'objects/evil', 'evil']) {
      await shop.write(`exchange/inbox/${name}`, 'x');
      await truncate(shop.path(`exchange/inbox/${name}`), 10 * GIGABYTE);
    }
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });
});

describe('files of odd kinds', () => {
  test('a hard link to a secret is not taken, and its content appears in no message', async () => {
    const secret = 'the site key of the partner';
    for (const name of ['metadata/timestamp.json', 'metadata/2.root.json']) {
      const shop = await ready.copy();
      const path = shop.path(`exchange/inbox/${name}`);
      await shop.write('keys/secret', secret);
      await rm(path, { force: true });
      await link(shop.path('keys/secret'), path);
      const { code, error } = await refusedAccept(shop);
      expect(code).toBe('TIEUP_E_VERIFY');
      for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
        expect(cause.message).not.toContain(secret.slice(0, 12));
      }
    }
  });

  test('a hard link to an object does not let the inbox change what was taken in', async () => {
    const shop = await ready.copy();
    const page = Buffer.from('<!doctype html><title>A page</title>hello\n');
    await layHostile(main, shop, { files: { 'with-main/page.html': page }, pack: null });
    await shop.write('exchange/elsewhere', page);
    await mkdir(shop.path('exchange/inbox/objects'), { recursive: true });
    await link(shop.path('exchange/elsewhere'), shop.path(`exchange/inbox/objects/${sha256(page)}`));
    await shop.accept();
    const before = await shop.live();
    await writeFile(shop.path('exchange/elsewhere'), 'evil');
    expect(await shop.live()).toEqual(before);
    expect(before['with-main/page.html']).toContain('hello');
    expect((await stat(shop.path('public/with-main/page.html'))).nlink).toBeLessThanOrEqual(2);
  });

  test.each([
    ['/dev/zero', ['c', '1', '5']],
    ['a disk', ['b', '240', '0']],
  ])('%s is refused and not read', async (_, device) => {
    const mknod = realPart('mknod');
    if (mknod === undefined || !asRoot('mknod')) return;
    const codes: Record<string, string> = {};
    for (const folder of ['metadata', 'targets', 'packs']) {
      const shop = await ready.copy();
      const names = folder === 'metadata' ? ['timestamp.json'] : await readdir(shop.path(`exchange/inbox/${folder}`));
      for (const name of names) {
        await rm(shop.path(`exchange/inbox/${folder}/${name}`));
        execFileSync(mknod, [shop.path(`exchange/inbox/${folder}/${name}`), ...device]);
      }
      codes[folder] = (await refusedAccept(shop)).code;
    }
    expect(codes).toEqual({
      metadata: 'TIEUP_E_UNSAFE_PATH',
      targets: 'TIEUP_E_UNSAFE_PATH',
      // A pack is one of several ways to the content: what is missing is said at the end.
      packs: 'TIEUP_E_VERIFY',
    });
  });
});

describe('an inbox that was set back', () => {
  async function afterTwo(): Promise<PartnerFixture> {
    const shop = await ready.copy();
    await shop.accept();
    return shop;
  }

  test('to what it held before is refused, and release 2 stays live', async () => {
    const shop = await afterTwo();
    await rm(shop.path('exchange/inbox'), { recursive: true });
    await cp(inboxOfOne, shop.path('exchange/inbox'), { recursive: true });
    expect((await refusedAccept(shop)).code).toBe('TIEUP_E_ROLLBACK');
    expect((await shop.live())['with-main/index.html']).toContain('New roast');
  });

  test('to nothing is not taken for the time before the first push', async () => {
    const shop = await afterTwo();
    await rm(shop.path('exchange/inbox'), { recursive: true });
    await mkdir(shop.path('exchange/inbox'));
    const { code, error } = await refusedAccept(shop);
    expect({ code, message: error.message }).toEqual({
      code: 'TIEUP_E_NOT_FOUND',
      message: expect.stringContaining('which held a release before'),
    });
  });

  test('in part is refused', async () => {
    const shop = await afterTwo();
    await cp(join(inboxOfOne, 'metadata/timestamp.json'), shop.path('exchange/inbox/metadata/timestamp.json'));
    expect((await refusedAccept(shop)).code).toBe('TIEUP_E_ROLLBACK');
  });
});

test('the repository of another partner is refused although both have one root key in common', async () => {
  const shop = await ready.copy();
  const seed = (role: 'root' | 'targets' | 'online', partner: string): Uint8Array =>
    deriveSeed(seededKey('main', role === 'targets' ? 'release' : role), role, 'main', partner, 1);
  const common = seed('root', shop.id);
  const current = parseRoot(await readFile(shop.path('state/tuf/root.json')));
  // Whoever signs roots for both with the same key can lead one partner to the keys of the other.
  const single = (key: Uint8Array) => ({ publicKeys: [publicKeyOf(key)], threshold: 1 });
  const online = single(seed('online', 'lighthouse'));
  const root = signRoot({
    version: current.signed.version + 1,
    expires: new Date('2028-01-01T00:00:00Z'),
    roles: {
      root: single(common),
      targets: single(seed('targets', 'lighthouse')),
      snapshot: online,
      timestamp: online,
    },
    signers: [common],
  });
  await rm(shop.path('exchange/inbox'), { recursive: true });
  await layHostile(main, shop, {
    files: HARMLESS,
    keysOf: 'lighthouse',
    release: (release) => ({ ...release, partner: 'lighthouse' }),
    terms: (terms) => ({ ...terms, partner: 'lighthouse' }),
  });
  await writeFile(shop.path(`exchange/inbox/metadata/${current.signed.version + 1}.root.json`), root);
  const { code, error } = await refusedAccept(shop);
  expect({ code, message: error.message }).toEqual({
    code: 'TIEUP_E_VERIFY',
    message: 'the release in the inbox is for "lighthouse", this site is "harbour"',
  });
});

describe('a clock that is wrong', () => {
  test('by a year forward: what is authentic is called expired, and nothing else', async () => {
    const shop = await ready.copy();
    main.clock.set(new Date(START.getTime() + 365 * 24 * 3600 * 1000));
    const { code } = await refusedAccept(shop).finally(() => main.clock.set(START));
    expect(code).toBe('TIEUP_E_EXPIRED');
  });

  test('by a year back: a release from the future is refused, because no expiry can be judged by that clock', async () => {
    const shop = await ready.copy();
    main.clock.set(new Date(START.getTime() - 365 * 24 * 3600 * 1000));
    const { code, error } = await refusedAccept(shop).finally(() => main.clock.set(START));
    expect({ code, message: error.message }).toEqual({
      code: 'TIEUP_E_VERIFY',
      message: expect.stringContaining('2026-11-23'),
    });
    expect(error.hint).toContain('clock');
  });
});
