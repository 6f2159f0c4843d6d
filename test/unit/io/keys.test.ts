import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folderKeyStore, type KeyName, type KeyStore, type KeyStoreOptions } from '../../../src/io/keys.ts';
import { openKey, renderPlainKey } from '../../../src/protocol/key-file.ts';
import { lightKey } from '../../support/lighter-keys.ts';
import { contentsOf, temporaryFolder } from '../../support/temporary-folder.ts';

const seed = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const random = (length: number): Uint8Array => new Uint8Array(length).fill(9);

async function storeIn(
  folder: string,
  options: Partial<KeyStoreOptions> & { readonly answers?: readonly string[] } = {},
): Promise<{ store: KeyStore; asked: KeyName[] }> {
  const asked: KeyName[] = [];
  const answers = [...(options.answers ?? [])];
  const askPassword = async (name: KeyName): Promise<string> => {
    asked.push(name);
    return answers.shift() ?? 'nobody said so';
  };
  const store = folderKeyStore({
    folder,
    environment: {},
    askPassword: options.answers === undefined ? undefined : askPassword,
    random,
    ...options,
  });
  return { store, asked };
}

const SEALED = {
  'root.key': lightKey(seed(1), 'pw', random(32)),
  'release.key': lightKey(seed(2), 'pw', random(32)),
  'accept.key': lightKey(seed(3), '', random(32)),
};

/** A folder of keys sealed with `pw`, and one with the empty password. */
async function sealedFolder(): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, pem] of Object.entries(SEALED)) await writeFile(join(folder, name), pem, { mode: 0o600 });
  return folder;
}

describe('a new key', () => {
  test('is kept in a file that only its owner may read, in a folder of the same kind', async () => {
    const folder = join(await temporaryFolder(), 'keys');
    const { store } = await storeIn(folder);
    expect(await store.has('site')).toBe(false);
    await store.create('site', seed(1), undefined);
    expect(await store.has('site')).toBe(true);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'site.key'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder, 'site.key'), 'utf8')).toBe(renderPlainKey(seed(1)));
    expect(await store.load('site')).toEqual(seed(1));
    expect(await (await storeIn(folder)).store.load('site')).toEqual(seed(1));
  });

  test('never replaces one, nor follows a link that leads nowhere', async () => {
    const folder = await temporaryFolder();
    const { store } = await storeIn(folder);
    await store.create('site', seed(1), undefined);
    await symlink(join(folder, 'elsewhere'), join(folder, 'log.key'));
    const before = await contentsOf(folder);
    await expect(store.create('site', seed(2), undefined)).rejects.toMatchObject({ code: 'TIEUP_E_EXISTS' });
    await expect(store.create('log', seed(2), undefined)).rejects.toMatchObject({ code: 'TIEUP_E_EXISTS' });
    expect(await contentsOf(folder)).toEqual(before);
    expect(await store.load('site')).toEqual(seed(1));
  });

  test('can be encrypted, and is known to the store that made it', async () => {
    const folder = await temporaryFolder();
    const { store, asked } = await storeIn(folder, { answers: [] });
    await store.create('accept', seed(3), 'pw');
    expect(openKey(await readFile(join(folder, 'accept.key'), 'utf8'), 'pw')).toEqual(seed(3));
    expect(await store.load('accept')).toEqual(seed(3));
    expect(asked).toEqual([]);
  });

  test('needs a folder that can be made', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    const { store } = await storeIn(join(folder, 'file', 'keys'));
    await expect(store.create('site', seed(1), undefined)).rejects.toMatchObject({ code: 'TIEUP_E_STORAGE' });
    expect(await readdir(folder)).toEqual(['file']);
  });

  test('has a name that cannot leave the folder', async () => {
    const folder = await temporaryFolder();
    const { store } = await storeIn(folder);
    await expect(store.create('root-../../x', seed(1), undefined)).rejects.toThrow('cannot be the name of a key');
    await store.create('root-backup', seed(1), undefined);
    expect(await readdir(folder)).toEqual(['root-backup.key']);
  });
});

describe('a key file', () => {
  test.each([0o604, 0o640, 0o660, 0o601, 0o777])('with mode %o is refused, and stays as it is', async (mode) => {
    const folder = await temporaryFolder();
    const path = join(folder, 'site.key');
    await writeFile(path, renderPlainKey(seed(1)), { mode: 0o600 });
    await chmod(path, mode);
    const { store } = await storeIn(folder);
    await expect(store.load('site')).rejects.toMatchObject({
      code: 'TIEUP_E_KEY',
      message: expect.stringContaining(`its mode is ${mode.toString(8)}`),
      hint: `chmod 600 ${path}`,
    });
    expect((await lstat(path)).mode & 0o777).toBe(mode);
    await chmod(path, 0o400);
    expect(await store.load('site')).toEqual(seed(1));
  });

  test('that is a link, a folder, missing, too long or no key is refused', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'real'), renderPlainKey(seed(1)), { mode: 0o600 });
    await symlink(join(folder, 'real'), join(folder, 'site.key'));
    await mkdir(join(folder, 'log.key'), { mode: 0o700 });
    await writeFile(join(folder, 'root.key'), 'x'.repeat(17_000), { mode: 0o600 });
    await writeFile(join(folder, 'online.key'), 'not a key', { mode: 0o600 });
    const { store } = await storeIn(folder);
    const refusals: readonly (readonly [KeyName, string])[] = [
      ['site', 'is a link'],
      ['log', 'is not a regular file'],
      ['accept', 'there is no key "accept"'],
      ['root', 'too many for a key'],
      ['online', `${join(folder, 'online.key')}: the key file cannot be used`],
    ];
    for (const [name, why] of refusals) {
      await expect(store.load(name)).rejects.toMatchObject({
        code: 'TIEUP_E_KEY',
        message: expect.stringContaining(why),
      });
    }
  });
});

describe('a key from the environment', () => {
  const folder = 'no-such-folder';

  test('is the text of a key file', async () => {
    const environment = { TIEUP_KEY_ONLINE: renderPlainKey(seed(4)), TIEUP_KEY_ROOT_BACKUP: renderPlainKey(seed(5)) };
    const { store } = await storeIn(folder, { environment });
    expect(await store.has('online')).toBe(true);
    expect(await store.load('online')).toEqual(seed(4));
    expect(await store.load('root-backup')).toEqual(seed(5));
    expect(await store.has('release')).toBe(false);
  });

  test('can be in another variable, named by the variable or by the command line', async () => {
    const environment = {
      TIEUP_KEY_ONLINE: 'env://CI_ONLINE',
      CI_ONLINE: renderPlainKey(seed(4)),
      OTHER: renderPlainKey(seed(6)),
    };
    expect(await (await storeIn(folder, { environment })).store.load('online')).toEqual(seed(4));
    const { store } = await storeIn(folder, {
      environment,
      references: { online: 'env://OTHER', release: 'env://CI_ONLINE' },
    });
    expect(await store.load('online')).toEqual(seed(6));
    expect(await store.load('release')).toEqual(seed(4));
  });

  test.each<[string, Partial<KeyStoreOptions>, string]>([
    ['an empty variable', { environment: { TIEUP_KEY_ONLINE: '' } }, 'TIEUP_KEY_ONLINE is empty'],
    ['a reference to a variable that is not set', { environment: { TIEUP_KEY_ONLINE: 'env://CI' } }, 'CI is not set'],
    ['a reference to an empty variable', { environment: { TIEUP_KEY_ONLINE: 'env://CI', CI: '' } }, 'CI is empty'],
    ['a reference of another form', { references: { online: '/etc/passwd' } }, 'is not of the form env://VARIABLE'],
    [
      'something that is no key',
      { environment: { TIEUP_KEY_ONLINE: 'sesame' } },
      'TIEUP_KEY_ONLINE: the key file cannot',
    ],
  ])('is refused when it is %s, and is never quoted', async (_, options, why) => {
    const { store } = await storeIn(folder, options);
    const refusal = store.load('online');
    await expect(refusal).rejects.toMatchObject({ code: 'TIEUP_E_KEY', message: expect.stringContaining(why) });
    await expect(refusal).rejects.toMatchObject({ message: expect.not.stringContaining('sesame') });
  });
});

describe('a password', () => {
  test('comes from TIEUP_PASSWORD, where set to nothing means the empty password', async () => {
    const folder = await sealedFolder();
    const { store, asked } = await storeIn(folder, { environment: { TIEUP_PASSWORD: 'pw' }, answers: ['no'] });
    expect(await store.load('root')).toEqual(seed(1));
    const empty = await storeIn(folder, { environment: { TIEUP_PASSWORD: '' }, answers: ['pw'] });
    expect(await empty.store.load('accept')).toEqual(seed(3));
    await expect(empty.store.load('root')).rejects.toMatchObject({ code: 'TIEUP_E_PASSWORD' });
    expect([...asked, ...empty.asked]).toEqual([]);
  });

  test('comes from the file of TIEUP_PASSWORD_FILE without its last line end', async () => {
    const folder = await sealedFolder();
    const file = join(folder, 'password');
    for (const text of ['pw', 'pw\n', 'pw\r\n']) {
      await writeFile(file, text);
      const { store } = await storeIn(folder, { environment: { TIEUP_PASSWORD_FILE: file } });
      expect(await store.load('root')).toEqual(seed(1));
    }
    await writeFile(file, 'pw\n\n');
    const { store } = await storeIn(folder, { environment: { TIEUP_PASSWORD_FILE: file } });
    await expect(store.load('root')).rejects.toMatchObject({ code: 'TIEUP_E_PASSWORD' });
    const missing = await storeIn(folder, { environment: { TIEUP_PASSWORD_FILE: `${file}.none` } });
    await expect(missing.store.load('root')).rejects.toMatchObject({
      code: 'TIEUP_E_PASSWORD',
      message: expect.stringContaining('TIEUP_PASSWORD_FILE'),
    });
    // It never ends, where there is such a file.
    const endless = await storeIn(folder, { environment: { TIEUP_PASSWORD_FILE: '/dev/zero' } });
    await expect(endless.store.load('root')).rejects.toMatchObject({ code: 'TIEUP_E_PASSWORD' });
  });

  test('is asked for once when it opens several keys, also at the same time', async () => {
    const { store, asked } = await storeIn(await sealedFolder(), { answers: ['pw', ''] });
    expect(await Promise.all([store.load('root'), store.load('release'), store.load('root')])).toEqual([
      seed(1),
      seed(2),
      seed(1),
    ]);
    expect(asked).toEqual(['root']);
    expect(await store.load('accept')).toEqual(seed(3));
    expect(asked).toEqual(['root', 'accept']);
  });

  test('that was mistyped is not remembered, and appears in no message', async () => {
    const { store, asked } = await storeIn(await sealedFolder(), { answers: ['hunter2', 'pw'] });
    const error: unknown = await store.load('root').catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({ code: 'TIEUP_E_PASSWORD' });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('hunter2');
    expect(await store.load('root')).toEqual(seed(1));
    expect(asked).toEqual(['root', 'root']);
  });

  test('that nobody can be asked for fails at once and names the variables', async () => {
    const { store } = await storeIn(await sealedFolder());
    const refusal = {
      code: 'TIEUP_E_PASSWORD',
      hint: 'set TIEUP_PASSWORD, or TIEUP_PASSWORD_FILE to the file that holds it',
    };
    await expect(store.load('root')).rejects.toMatchObject(refusal);
    await expect(store.password('root')).rejects.toMatchObject(refusal);
  });

  test('for sealing new keys is asked for once', async () => {
    const { store, asked } = await storeIn(await temporaryFolder(), { answers: ['new'] });
    expect([await store.password('root'), await store.password('release')]).toEqual(['new', 'new']);
    expect(asked).toEqual(['root']);
  });
});

test('a seed that was loaded can be overwritten without harm to the next reader', async () => {
  const { store } = await storeIn('no-such-folder', { environment: { TIEUP_KEY_SITE: renderPlainKey(seed(4)) } });
  (await store.load('site')).fill(0);
  expect(await store.load('site')).toEqual(seed(4));
});

describe('a key that an ssh-agent holds', () => {
  const REFERENCE = `agent://SHA256:${'A'.repeat(43)}`;

  test('gives no seed out, so that no master can be one', async () => {
    const { store } = await storeIn(await temporaryFolder(), { environment: { TIEUP_KEY_ONLINE: REFERENCE } });
    await expect(store.load('online')).rejects.toMatchObject({
      code: 'TIEUP_E_KEY',
      message: 'TIEUP_KEY_ONLINE: the key "online" is in an ssh-agent, which does not give it out',
    });
  });

  test('is kept by name only when the agent signs with it', async () => {
    const folder = await temporaryFolder();
    const { store } = await storeIn(folder, { environment: { SSH_AUTH_SOCK: join(folder, 'nowhere') } });
    await expect(store.refer('accept', REFERENCE)).rejects.toMatchObject({ code: 'TIEUP_E_KEY' });
    expect(await contentsOf(folder)).toEqual({});
  });
});

test('is looked for in further folders as well, and new ones are made in the first', async () => {
  const [folder, stick] = [await temporaryFolder(), await sealedFolder()];
  const { store } = await storeIn(folder, { further: [stick], environment: { TIEUP_PASSWORD: 'pw' } });
  expect(await store.names()).toEqual(['accept', 'release', 'root']);
  expect(await store.load('root')).toEqual(seed(1));
  await store.create('online', seed(4), undefined);
  expect((await readdir(folder)).toSorted()).toEqual(['online.key']);
});
