/**
 * The private keys of this site: files that nobody else may read, variables of a CI job, or keys of an ssh-agent.
 *
 * Found in this order: a reference given on the command line (`env://VAR`, `agent://SHA256:…`), `TIEUP_KEY_<NAME>` with the
 * text of the key file or such a reference, `<folder>/<name>.key`, which may hold `agent://SHA256:…` in place of a key. No
 * message ever holds a key or a password.
 */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { isTieupError, TieupError } from '../errors.ts';
import { publicKeyOf, signDocument } from '../protocol/ed25519.ts';
import { isEncrypted, MAX_KEY_FILE, openKey, renderPlainKey, sealKey } from '../protocol/key-file.ts';
import { agentKey, isAgentReference } from './ssh-agent.ts';
import { Stretched } from '../protocol/stretched.ts';
import { createSecretFile, readSecretFile, secretFileExists, secretFilesIn } from './secret-file.ts';

type FirstKey = 'root' | 'release' | 'online' | 'document' | 'accept' | 'site' | 'log' | 'ssh';

/**
 * Main site: root, release, online, document, ssh. Partner: accept, site, log. What takes the place of a key has a name of
 * its own, because no key is ever overwritten: `release-2` follows `release`; holders of a root have `root-<holder>`.
 */
export type KeyName = FirstKey | `${FirstKey}-${string}`;

export interface KeyStore {
  /** Whether there is such a key; says nothing about whether it can be used. */
  has(name: KeyName): Promise<boolean>;
  /** All keys that there are, sorted by name; says nothing about whether they can be used. */
  names(): Promise<readonly KeyName[]>;
  /** Keeps a new key, encrypted unless `password` is undefined; a plain file otherwise. @throws TIEUP_E_EXISTS. */
  create(name: KeyName, seed: Uint8Array, password: string | undefined): Promise<void>;
  /** The seed, opened once for the life of the store. @throws TIEUP_E_KEY, TIEUP_E_PASSWORD. */
  load(name: KeyName): Promise<Uint8Array>;
  /** Signs with the key, wherever it is; an agent gives no seed out. @throws TIEUP_E_KEY, TIEUP_E_PASSWORD. */
  signer(name: KeyName): Promise<KeySigner>;
  /** Keeps the name of a key that an ssh-agent holds, as `name`; fine when that is kept already. @throws TIEUP_E_KEY, TIEUP_E_EXISTS. */
  refer(name: KeyName, reference: string): Promise<void>;
  /** The password from the environment, or asked for and remembered: for sealing a new key. @throws TIEUP_E_PASSWORD. */
  password(name: KeyName): Promise<string>;
}

export interface KeySigner {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array | Promise<Uint8Array>;
}

/** Signs with a seed that is here. */
export function seedSigner(seed: Uint8Array): KeySigner {
  return { publicKey: publicKeyOf(seed), sign: (message) => signDocument(seed, message) };
}

export interface KeyStoreOptions {
  /** Absolute path; made with mode 0700 when the first key is kept. */
  readonly folder: string;
  /** Folders in which keys are looked for afterwards, absolute: a medium that is here for the moment. */
  readonly further?: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asks a person; undefined when there is nobody to ask. */
  readonly askPassword: ((name: KeyName) => Promise<string>) | undefined;
  readonly random: (length: number) => Uint8Array;
  /** Where the command line says that a key is, and what takes its place: `env://VAR`, `agent://SHA256:…`. */
  readonly references?: Readonly<Partial<Record<FirstKey, string>>> | undefined;
}

/** A store over one folder. */
export function folderKeyStore(options: KeyStoreOptions): KeyStore {
  const opened = new Map<KeyName, Uint8Array>();
  const stretched = new Stretched();
  const remembered: { password: string | undefined } = { password: undefined };
  // One after another: two keys that are opened at the same time must not ask for a password twice.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };

  const password = async (name: KeyName): Promise<string> => {
    const given = await passwordOfEnvironment(options.environment);
    if (given !== undefined) return given;
    if (options.askPassword === undefined) {
      throw new TieupError('TIEUP_E_PASSWORD', `the key "${name}" needs a password and there is nobody to ask`, {
        hint: 'set TIEUP_PASSWORD, or TIEUP_PASSWORD_FILE to the file that holds it',
      });
    }
    return options.askPassword(name);
  };

  const openWithPassword = async (name: KeyName, pem: string): Promise<Uint8Array> => {
    if (!isEncrypted(pem)) return openKey(pem, undefined);
    // Several keys are often sealed with one password: the last one that opened a key is tried before asking again.
    if (remembered.password !== undefined) {
      const seed = tryPassword(pem, remembered.password, stretched);
      if (seed !== undefined) return seed;
    }
    const given = await password(name);
    const seed = openKey(pem, given, stretched);
    remembered.password = given;
    return seed;
  };

  const load = (name: KeyName): Promise<Uint8Array> =>
    inTurn(async () => {
      const known = opened.get(name);
      if (known !== undefined) return known.slice();
      const { pem, place } = await readKey(name, options);
      if (isAgentReference(pem)) {
        throw new TieupError(
          'TIEUP_E_KEY',
          `${place}: the key "${name}" is in an ssh-agent, which does not give it out`,
          {
            hint: 'an agent can hold the accept key and the SSH key; the other keys must be files or variables',
          },
        );
      }
      const seed = await openWithPassword(name, pem).catch((error: unknown) => {
        throw atPlace(error, place);
      });
      opened.set(name, seed);
      return seed.slice();
    });

  return {
    has: async (name) =>
      sourceInEnvironment(name, options) !== undefined || (await secretFileExists(await placeOf(name, options))),
    names: async () => {
      const variables = Object.keys(options.environment).flatMap((variable) => {
        const [, name] = /^TIEUP_KEY_([A-Z][A-Z0-9_]*)$/.exec(variable) ?? [];
        return name === undefined ? [] : [name.toLowerCase().replaceAll('_', '-')];
      });
      const given = Object.keys(options.references ?? {});
      const files = (await Promise.all(foldersOf(options).map(secretFilesIn))).flat();
      const stored = files.flatMap((file) => (file.endsWith('.key') ? [file.slice(0, -'.key'.length)] : []));
      return [...new Set([...stored, ...variables, ...given])].filter(isKeyName).toSorted();
    },
    create: async (name, seed, passwordToUse) => {
      const path = keyPath(options.folder, name);
      const pem =
        passwordToUse === undefined
          ? renderPlainKey(seed)
          : await sealKey(seed, passwordToUse, options.random, stretched);
      await createSecretFile(path, pem);
      opened.set(name, Uint8Array.from(seed));
    },
    signer: async (name) => {
      const known = opened.get(name);
      if (known !== undefined) return seedSigner(known);
      const { pem, place } = await readKey(name, options);
      if (!isAgentReference(pem)) return seedSigner(await load(name));
      return agentKey(pem, options.environment['SSH_AUTH_SOCK']).catch((error: unknown) => {
        throw atPlace(error, place);
      });
    },
    refer: async (name, reference) => {
      const path = keyPath(options.folder, name);
      // Tried before anything is kept: otherwise the first decision would find out that the agent does not sign.
      const key = await agentKey(reference, options.environment['SSH_AUTH_SOCK']);
      await key.sign(Buffer.from('tieup-agent-trial/1\n'));
      const text = `${reference.trim()}\n`;
      if ((await secretFileExists(path)) && (await readSecretFile(path, MAX_KEY_FILE)) === text) return;
      await createSecretFile(path, text);
    },
    load,
    password: async (name) => inTurn(async () => (remembered.password ??= await password(name))),
  };
}

/** Says which key an error is about, by its file or variable. */
function atPlace(error: unknown, place: string): unknown {
  if (!isTieupError(error)) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new TieupError(error.code, `${place}: ${error.message}`, { ...hint, cause: error });
}

function tryPassword(pem: string, password: string, stretched: Stretched): Uint8Array | undefined {
  try {
    return openKey(pem, password, stretched);
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_PASSWORD')) return undefined;
    throw error;
  }
}

/** Characters. */
const MAX_PASSWORD = 4096;

/** Unset means "ask"; set to nothing means the empty password. */
async function passwordOfEnvironment(environment: KeyStoreOptions['environment']): Promise<string | undefined> {
  const password = environment['TIEUP_PASSWORD'];
  if (password !== undefined) return password;
  const file = environment['TIEUP_PASSWORD_FILE'];
  if (file === undefined) return undefined;
  const called = `TIEUP_PASSWORD_FILE ${JSON.stringify(file)}`;
  let text = '';
  try {
    // It may be a pipe, and one that never ends: no more is read than can be a password.
    for await (const chunk of createReadStream(file, { encoding: 'utf8', end: MAX_PASSWORD })) text += String(chunk);
  } catch (cause) {
    throw new TieupError('TIEUP_E_PASSWORD', `${called} cannot be read`, { cause });
  }
  if (text.length > MAX_PASSWORD) throw new TieupError('TIEUP_E_PASSWORD', `${called} is too long for a password`);
  return text.replace(/\r?\n$/, '');
}

const REFERENCE = /^env:\/\/([A-Za-z_][A-Za-z0-9_]*)$/;
const AGENT = /^agent:\/\//;

interface EnvironmentSource {
  readonly variable: string;
  readonly value: string | undefined;
}

/** Where the environment or the command line says that the key is; undefined when they say nothing. */
function sourceInEnvironment(
  name: KeyName,
  { environment, references }: KeyStoreOptions,
): EnvironmentSource | undefined {
  const variable = variableOf(name);
  const given = references?.[firstOf(name)];
  if (given !== undefined && !REFERENCE.test(given) && !AGENT.test(given)) {
    const forms = 'env://VARIABLE or agent://SHA256:…';
    throw new TieupError('TIEUP_E_KEY', `the place of the key "${name}" is not of the form ${forms}`);
  }
  const value = given ?? environment[variable];
  if (value === undefined) return undefined;
  const [, referred] = REFERENCE.exec(value.trim()) ?? [];
  return referred === undefined ? { variable, value } : { variable: referred, value: environment[referred] };
}

async function readKey(name: KeyName, options: KeyStoreOptions): Promise<{ pem: string; place: string }> {
  const source = sourceInEnvironment(name, options);
  if (source === undefined) return readKeyFile(name, await placeOf(name, options));
  const { variable, value } = source;
  if (value === undefined || value === '') {
    throw new TieupError('TIEUP_E_KEY', `${variable} is ${value === undefined ? 'not set' : 'empty'}`, {
      hint: `set ${variable} to the text of the key file of "${name}"`,
    });
  }
  return { pem: value, place: variable };
}

async function readKeyFile(name: KeyName, path: string): Promise<{ pem: string; place: string }> {
  const pem = await readSecretFile(path, MAX_KEY_FILE);
  if (pem !== undefined) return { pem, place: path };
  throw new TieupError('TIEUP_E_KEY', `there is no key "${name}" at ${JSON.stringify(path)}`, {
    hint: `put the file there, or set ${variableOf(name)} to its text`,
  });
}

const FIRST_KEYS: readonly FirstKey[] = ['root', 'release', 'online', 'document', 'accept', 'site', 'log', 'ssh'];

/** `accept` for `accept-2`. */
function firstOf(name: KeyName): FirstKey {
  const first = FIRST_KEYS.find((each) => isOf(name, each));
  if (first !== undefined) return first;
  throw new TieupError('TIEUP_E_KEY', `${JSON.stringify(name)} cannot be the name of a key`);
}

function isOf(name: string, first: FirstKey): boolean {
  return name === first || name.startsWith(`${first}-`);
}

const NAME = /^[a-z]+(?:-[a-z0-9]+)*$/;

/** Whether a key can be called that. */
export function isKeyName(name: string): name is KeyName {
  return NAME.test(name) && FIRST_KEYS.some((each) => isOf(name, each));
}

function foldersOf({ folder, further }: KeyStoreOptions): readonly string[] {
  return [folder, ...(further ?? [])];
}

/** Where the file of a key is; where it would be made when there is none. */
async function placeOf(name: KeyName, options: KeyStoreOptions): Promise<string> {
  for (const folder of foldersOf(options)) {
    const path = keyPath(folder, name);
    if (await secretFileExists(path)) return path;
  }
  return keyPath(options.folder, name);
}

function keyPath(folder: string, name: KeyName): string {
  if (!NAME.test(name)) throw new TieupError('TIEUP_E_KEY', `${JSON.stringify(name)} cannot be the name of a key`);
  return join(folder, `${name}.key`);
}

function variableOf(name: KeyName): string {
  return `TIEUP_KEY_${name.toUpperCase().replaceAll('-', '_')}`;
}
