import { chmod, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isTieupError } from '../../../src/errors.ts';
import { keyShelf } from '../../../src/io/key-shelf.ts';
import { folderKeyStore } from '../../../src/io/keys.ts';
import { renderPlainKey, sealKey } from '../../../src/protocol/key-file.ts';
import { contentsOf, temporaryFolder } from '../../support/temporary-folder.ts';

const seed = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const random = (length: number): Uint8Array => new Uint8Array(length).fill(9);
const SEALED = await sealKey(seed(1), 'pw', random);
const PLAIN = renderPlainKey(seed(2));

async function shelfWith(files: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  return { folder, shelf: keyShelf(folder) };
}

async function refusal(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isTieupError(error)) throw error ?? new Error('it was not refused');
  return { code: error.code, message: error.message };
}

describe('a folder of keys', () => {
  test('is listed without a password: what is sealed, what is plain, what cannot be used', async () => {
    const { folder, shelf } = await shelfWith({
      'root-alice.key': SEALED,
      'site.key': PLAIN,
      'release.key': 'nonsense',
      'online-2.key': SEALED,
      'ssh.key': '-----BEGIN OPENSSH PRIVATE KEY-----\n',
      'ssh.pub': 'ssh-ed25519 AAAA',
      'notes.txt': 'not a key',
      'Other.key': SEALED,
    });
    await chmod(join(folder, 'online-2.key'), 0o644);
    await symlink('site.key', join(folder, 'log.key'));
    const keys = await shelf.list();
    expect(keys.map(({ name, state }) => [name, state])).toEqual([
      ['log', 'unusable'],
      ['online-2', 'unusable'],
      ['release', 'unusable'],
      ['root-alice', 'sealed'],
      ['site', 'plain'],
      ['ssh', 'plain'],
    ]);
    expect(keys.find(({ name }) => name === 'online-2')?.fault).toContain('its mode is 644');
    expect(keys.find(({ name }) => name === 'log')?.fault).toContain('is a link');
    expect(keys.find(({ name }) => name === 'site')?.seed).toEqual(seed(2));
  });

  test('that does not exist holds no key', async () => {
    expect(await keyShelf(join(await temporaryFolder(), 'keys')).list()).toEqual([]);
  });

  test('gives out sealed keys alone', async () => {
    const { shelf } = await shelfWith({ 'root.key': SEALED, 'site.key': PLAIN });
    expect(await shelf.sealed('root')).toBe(SEALED);
    expect((await refusal(shelf.sealed('site'))).code).toBe('TIEUP_E_KEY');
    expect((await refusal(shelf.sealed('online'))).code).toBe('TIEUP_E_KEY');
  });

  test('takes in sealed keys alone, for nobody else to read, and overwrites none', async () => {
    const { folder, shelf } = await shelfWith({ 'root.key': SEALED });
    await shelf.keep('release-2', SEALED);
    expect((await stat(join(folder, 'release-2.key'))).mode & 0o777).toBe(0o600);
    const before = await contentsOf(folder);
    expect((await refusal(shelf.keep('root', await sealKey(seed(3), 'pw', random)))).code).toBe('TIEUP_E_EXISTS');
    expect((await refusal(shelf.keep('online', PLAIN))).code).toBe('TIEUP_E_KEY');
    expect((await refusal(shelf.keep('root-../../x', SEALED))).message).toContain('cannot be the name of a key');
    expect(await contentsOf(folder)).toEqual(before);
  });
});

test('a store names the keys of its folder and of the environment', async () => {
  const { folder } = await shelfWith({ 'root.key': SEALED, 'release-2.key': SEALED, 'ssh.pub': '', 'x.key': SEALED });
  const store = folderKeyStore({
    folder,
    environment: { TIEUP_KEY_ONLINE: SEALED, TIEUP_KEY_RELEASE_2: SEALED, TIEUP_KEYS: 'x', TIEUP_KEY_OTHER: 'x' },
    askPassword: undefined,
    random,
  });
  expect(await store.names()).toEqual(['online', 'release-2', 'root']);
});
