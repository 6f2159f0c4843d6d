/**
 * The SSH keys with which the main site logs in at its partners, in the folder of its keys: `ssh.key` and `ssh.pub`, and
 * `ssh-2.key` and `ssh-2.pub` that take their place. Both are there until every partner lets the newer one in.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TieupError } from '../errors.ts';
import { createSecretFile, secretFilesIn } from './secret-file.ts';
import type { SshKey } from './ssh-key.ts';

export interface SshKeys {
  /** Numbers of the keys whose public halves are here, the newest first: 1 is `ssh.pub`. */
  generations(): Promise<readonly number[]>;
  /** `ssh-ed25519 AAAA… comment`. @throws TIEUP_E_KEY when it is not here. */
  publicLine(generation: number): Promise<string>;
  /** @throws TIEUP_E_EXISTS */
  create(generation: number, key: SshKey): Promise<void>;
  /** Removes both halves from this machine. */
  remove(generation: number): Promise<void>;
}

/** `ssh`, `ssh-2`. */
export function sshKeyName(generation: number): 'ssh' | `ssh-${number}` {
  return generation === 1 ? 'ssh' : `ssh-${generation}`;
}

/** The numbers of the files `ssh….<extension>` in the folder, the newest first. */
export async function sshGenerations(folder: string, extension: 'key' | 'pub'): Promise<readonly number[]> {
  const file = new RegExp(`^ssh(?:-([2-9]|[1-9]\\d{1,5}))?\\.${extension}$`);
  return (await secretFilesIn(folder))
    .flatMap((name) => {
      const found = file.exec(name);
      return found === null ? [] : [Number(found[1] ?? 1)];
    })
    .toSorted((a, b) => b - a);
}

/** The private keys in the folder, absolute; the newest first. @param generation that one alone */
export async function sshKeyFiles(folder: string, generation?: number): Promise<readonly string[]> {
  const generations = generation === undefined ? await sshGenerations(folder, 'key') : [generation];
  return generations.map((each) => join(folder, `${sshKeyName(each)}.key`));
}

/** Names of the certificates that lie beside the keys: `ssh-cert.pub`, as `ssh-keygen -s` calls what it makes of `ssh.pub`. */
export async function certificatesIn(folder: string): Promise<readonly string[]> {
  return (await secretFilesIn(folder)).filter((name) => /^ssh.*-cert\.pub$/.test(name)).toSorted();
}

/** @param folder absolute */
export function sshKeyFolder(folder: string): SshKeys {
  const place = (generation: number, extension: 'key' | 'pub'): string =>
    join(folder, `${sshKeyName(generation)}.${extension}`);
  return {
    generations: () => sshGenerations(folder, 'pub'),
    publicLine: async (generation) => {
      const path = place(generation, 'pub');
      const text = await readFile(path, 'utf8').catch((cause: unknown) => {
        throw new TieupError('TIEUP_E_KEY', `there is no public SSH key at ${JSON.stringify(path)}`, {
          hint: 'put the public half of the key for pushing there: ssh-keygen -y prints it',
          cause,
        });
      });
      return text.trim();
    },
    create: async (generation, { privateKey, publicKey }) => {
      await createSecretFile(place(generation, 'key'), privateKey);
      await createSecretFile(place(generation, 'pub'), `${publicKey.trimEnd()}\n`);
    },
    remove: async (generation) => {
      for (const extension of ['key', 'pub'] as const) await rm(place(generation, extension), { force: true });
    },
  };
}
