import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { folderKeyStore } from '../../../src/io/keys.ts';
import { accept } from '../../../src/partner-site/accept.ts';
import { rollback } from '../../../src/partner-site/rollback.ts';
import { status } from '../../../src/partner-site/status.ts';
import { answersOf, chainFaults } from '../../support/outbox.ts';
import { type PartnerFixture, saying } from '../../support/partner-fixture.ts';
import { partnership } from '../../support/partnership-fixture.ts';
import { refusalOf, refusedAccept } from '../../support/refusal.ts';
import { asRoot, realPart } from '../../support/real-parts.ts';
import { seededRandom } from '../../support/memory-keys.ts';
import { changedPaths, SEEN, snapshotOf } from '../../support/snapshot.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let ready: PartnerFixture;

/** A decision counts from the moment at which it is signed; what cannot be carried out now is carried out later. */
const DECIDED =
  /^(?:state\/(?:(?:tuf|objects|releases|history)(?:\/|$)|accepted\.json$|decisions\/2\.note$)|exchange\/outbox\/(?:decision|decisions\/2)\.note$)/;

// Release 1 is live, release 2 waits in the inbox.
beforeAll(async () => {
  const { main, shop } = await partnership();
  await shop.accept();
  await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNew roast\n');
  await main.pushed();
  ready = shop;
});

/** Gives out each file once as it is; from the second look on it is what an attacker put there in between. */
function swapping(tree: FileTree, evil: Uint8Array, from: number): FileTree {
  const looks = new Map<string, number>();
  const isEvil = (path: string): boolean => {
    const look = (looks.get(path) ?? 0) + 1;
    looks.set(path, look);
    return path.startsWith('inbox/') && look >= from;
  };
  return {
    ...tree,
    read: async (path, maxLength) => (isEvil(path) ? evil.subarray(0, maxLength) : tree.read(path, maxLength)),
    async *stream(path, maxLength) {
      if (isEvil(path)) yield evil.subarray(0, maxLength);
      else yield* tree.stream(path, maxLength);
    },
  };
}

describe('an inbox that changes while it is read', () => {
  test('cannot bring in a file between check and use', async () => {
    const expected = await ready.copy();
    await expected.accept();
    const evil = Buffer.from('<script>evil</script>'.repeat(1000));
    const shop = await ready.copy();
    const result = await accept(await shop.open({ exchange: (tree) => swapping(tree, evil, 2) }), {
      answering: {
        ...saying(true),
        // While the manager reads, everything in the inbox becomes something else.
        ask: async () => {
          for (const name of await readdir(shop.path('exchange/inbox'), { recursive: true })) {
            const path = shop.path(`exchange/inbox/${name}`);
            if ((await stat(path)).isFile()) await writeFile(path, evil);
          }
          return true;
        },
      },
      choices: {},
    });
    expect(result.kind).toBe('live');
    expect(await shop.live()).toEqual(await expected.live());
  });

  test('is refused when what is read first is already another thing', async () => {
    const shop = await ready.copy();
    const evil = Buffer.from('{"signed":{}}');
    const { code } = await refusedAccept(shop, { exchange: (tree) => swapping(tree, evil, 1) });
    expect(code).toBe('TIEUP_E_VERIFY');
  });
});

describe('an outbox that leads elsewhere', () => {
  test.each(['', '/decisions', '/decision.note', '/receipt.note'])(
    'does not redirect a write when exchange/outbox%s is a link',
    async (name) => {
      const shop = await ready.copy();
      const place = shop.path(`exchange/outbox${name}`);
      const elsewhere = await temporaryFolder();
      await rename(place, join(elsewhere, 'target'));
      await symlink(join(elsewhere, 'target'), place);
      const before = await snapshotOf(elsewhere);
      const { code, error } = await refusalOf(shop, () => shop.accept(), SEEN);
      expect([code, error.exitCode]).toEqual(['TIEUP_E_UNSAFE_PATH', 5]);
      expect(changedPaths(before, await snapshotOf(elsewhere))).toEqual([]);

      await rm(place);
      await shop.accept();
      const { decision, receipt, digest } = await answersOf(shop);
      expect([decision?.seq, receipt?.decision]).toEqual([2, digest]);
    },
  );
});

describe('no second tieup', () => {
  test('works at the same time: exit 7', async () => {
    const shop = await ready.copy();
    const everybodyLives = { isAlive: () => true };
    const refusals: unknown[] = [];
    const ask = async (): Promise<boolean> => {
      const other = await shop.open(everybodyLives);
      refusals.push(await accept(other, { answering: saying(true), choices: {} }).catch((error: unknown) => error));
      refusals.push(await rollback(await shop.open(everybodyLives), undefined).catch((error: unknown) => error));
      return true;
    };
    const first = await shop.open(everybodyLives);
    const result = await accept(first, { answering: { ...saying(true), ask }, choices: {} });
    expect(result.kind).toBe('live');
    expect(refusals).toEqual([
      expect.objectContaining({ code: 'TIEUP_E_LOCKED', exitCode: 7 }),
      expect.objectContaining({ code: 'TIEUP_E_LOCKED', exitCode: 7 }),
    ]);
    expect((await answersOf(shop)).chain).toHaveLength(2);
    await expect(stat(shop.path('state/lock'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('is waited for when it is dead: its lock is taken over', async () => {
    const shop = await ready.copy();
    await (await shop.open()).lock();
    const refused = await refusedAccept(shop, { isAlive: () => true });
    expect(refused.code).toBe('TIEUP_E_LOCKED');
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });
});

describe('keys that cannot be used', () => {
  const withKeys = async (shop: PartnerFixture, password: string | undefined) => {
    const options = { folder: shop.path('keys'), askPassword: undefined, random: seededRandom('salt') };
    return folderKeyStore({ ...options, environment: password === undefined ? {} : { TIEUP_PASSWORD: password } });
  };

  /** The same keys in files: the accept key under the password "right". */
  const onDisk = async (): Promise<PartnerFixture> => {
    const shop = await ready.copy();
    const store = await withKeys(shop, undefined);
    await store.create('accept', await shop.keys.load('accept'), 'right');
    await store.create('site', await shop.keys.load('site'), undefined);
    return shop;
  };

  test('a wrong or missing password is refused, and nothing changes', async () => {
    const shop = await onDisk();
    for (const password of ['wrong', '', undefined]) {
      const keys = await withKeys(shop, password);
      const work = async () => accept(await shop.open({ keys }), { answering: saying(true), choices: {} });
      expect(await refusalOf(shop, work, SEEN)).toMatchObject({ code: 'TIEUP_E_PASSWORD', error: { exitCode: 4 } });
    }
    const keys = await withKeys(shop, 'right');
    expect(await shop.accept(await shop.open({ keys }))).toMatchObject({ kind: 'live' });
  });

  test.each(['accept', 'site'])('a %s key that others may read is refused before anything is decided', async (name) => {
    const shop = await onDisk();
    await chmod(shop.path(`keys/${name}.key`), 0o644);
    const keys = await withKeys(shop, 'right');
    const work = async () => accept(await shop.open({ keys }), { answering: saying(true), choices: {} });
    const { code, error } = await refusalOf(shop, work, SEEN);
    expect([code, error.hint]).toEqual(['TIEUP_E_KEY', expect.stringContaining('chmod 600')]);
  });
});

describe('a state folder that is damaged', () => {
  test.each([
    ['state/tuf/timestamp.json', 'TIEUP_E_STORAGE'],
    ['state/tuf/root.json', 'TIEUP_E_STORAGE'],
    ['state/accepted.json', 'TIEUP_E_VERIFY'],
    ['state/terms.json', 'TIEUP_E_VERIFY'],
    ['state/choices.json', 'TIEUP_E_VERIFY'],
    ['state/decisions/1.note', 'TIEUP_E_VERIFY'],
    ['state/publications/1.json', 'TIEUP_E_VERIFY'],
    ['state/published/1.ledger', 'TIEUP_E_VERIFY'],
    ['state/journal.json', 'TIEUP_E_VERIFY'],
    ['state/rollback.json', 'TIEUP_E_VERIFY'],
    ['state/held.json', 'TIEUP_E_VERIFY'],
  ])('is refused when %s is', async (path, code) => {
    const shop = await ready.copy();
    await writeFile(shop.path(path), 'x{"');
    expect((await refusalOf(shop, () => shop.accept(), SEEN)).code).toBe(code);
  });

  test('is refused when its accepted release is another one', async () => {
    const shop = await ready.copy();
    const [digest] = await readdir(shop.path('state/releases'));
    await shop.write(`state/releases/${digest}/partnership.json`, '{}');
    expect((await refusedAccept(shop)).code).toBe('TIEUP_E_VERIFY');
  });

  test('is not trusted for content: an object that was altered does not go live', async () => {
    const shop = await ready.copy();
    await refusalOf(shop, async () => rollback(await shop.open(), 7));
    await accept(await shop.open(), { answering: saying(false), choices: {} });
    for (const name of await readdir(shop.path('state/objects'), { recursive: true })) {
      const path = shop.path(`state/objects/${name}`);
      const { size } = await stat(path);
      if (size > 0 && !(await stat(path)).isDirectory()) await writeFile(path, 'x'.repeat(size));
    }
    const live = await shop.live();
    await expect(shop.accept()).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
    expect(await shop.live()).toEqual(live);
  });
});

describe('storage that fails', () => {
  test('a folder that cannot be written to leaves everything as it was', async (context) => {
    const chattr = realPart('mount');
    if (chattr === undefined || !asRoot('mount')) return context.skip();
    const mount = (...words: string[]): void => void execFileSync(chattr, words);
    for (const folder of ['state', 'exchange/outbox', 'published']) {
      const shop = await ready.copy();
      const place = shop.path(folder);
      mount('--bind', place, place);
      onTestFinished(() => void execFileSync('umount', [place]));
      mount('-o', 'remount,bind,ro', place);
      const live = await shop.live();
      const before = await shop.snapshot();
      const trust = await snapshotOf(shop.path('state/tuf'));
      const error: unknown = await shop.accept().catch((refusal: unknown) => refusal);
      expect([folder, error]).toEqual([folder, expect.objectContaining({ code: 'TIEUP_E_STORAGE', exitCode: 1 })]);
      expect(await shop.live()).toEqual(live);
      expect(changedPaths(before, await shop.snapshot(), folder === 'state' ? /^$/ : DECIDED)).toEqual([]);
      const seen = changedPaths(trust, await snapshotOf(shop.path('state/tuf')));
      expect(seen.length === 0).toBe(folder === 'state');

      mount('-o', 'remount,bind,rw', place);
      expect([folder, (await shop.accept()).kind]).toEqual([folder, 'live']);
      const { chain, receipt, digest } = await answersOf(shop);
      expect([chain.length, chainFaults(chain), receipt?.decision]).toEqual([2, [], digest]);
    }
  });

  test('an inbox that this site cannot write to is all it needs', async (context) => {
    const mount = realPart('mount');
    if (mount === undefined || !asRoot('mount')) return context.skip();
    const shop = await ready.copy();
    const inbox = shop.path('exchange/inbox');
    execFileSync(mount, ['--bind', inbox, inbox]);
    onTestFinished(() => void execFileSync('umount', [inbox]));
    execFileSync(mount, ['-o', 'remount,bind,ro', inbox]);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
    expect((await answersOf(shop)).receipt).toMatchObject({ release: 2, state: 'live' });
  });

  test('no space left leaves what is live as it was, and the next command goes on', async (context) => {
    const mount = realPart('mount');
    if (mount === undefined || !asRoot('mount')) return context.skip();
    for (const folder of ['published', 'state', 'exchange/outbox']) {
      const shop = await ready.copy();
      const place = shop.path(folder);
      const aside = `${place}.aside`;
      await rename(place, aside);
      await mkdir(place);
      execFileSync(mount, ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place]);
      onTestFinished(() => void execFileSync('umount', [place]));
      execFileSync('cp', ['-a', `${aside}/.`, place]);
      const filler = join(place, 'filler');
      await writeFile(filler, Buffer.alloc(2 ** 21)).catch(() => undefined);
      const live = await shop.live();
      const before = await shop.snapshot();
      await expect(shop.accept()).rejects.toMatchObject({ code: 'TIEUP_E_STORAGE', exitCode: 1 });
      expect(changedPaths(before, await shop.snapshot(), folder === 'state' ? SEEN : DECIDED)).toEqual([]);
      expect(await shop.live()).toEqual(live);

      await rm(filler);
      expect((await status(await shop.open())).live?.number).toBe(1);
      expect(await shop.accept()).toMatchObject({ kind: 'live' });
      const { chain, receipt, digest } = await answersOf(shop);
      expect([chain.length, chainFaults(chain), receipt?.decision]).toEqual([2, [], digest]);
    }
  });
});
