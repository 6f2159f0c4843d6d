/** Finds the SSH key with which the main site logs in at its partners: a variable of a CI job, an agent, or a file. */
import { join } from 'node:path';
import { TieupError } from '../errors.ts';
import { readSecretFile } from './secret-file.ts';
import { sshGenerations, sshKeyName } from './ssh-keys.ts';
import type { SshAuth } from './ssh-login.ts';

const MAX_SSH_KEY = 64 * 1024;

/**
 * `TIEUP_KEY_SSH` holds the key itself or `agent://[SHA256:…]`; otherwise the newest of `ssh.key`, `ssh-2.key` … in the folder
 * of keys, absolute, and then the older ones.
 * @param generation that file alone, whatever the environment says
 * @throws TIEUP_E_KEY
 */
export async function findSshAuth(
  environment: Readonly<Record<string, string | undefined>>,
  keyFolder: string,
  generation?: number,
): Promise<SshAuth> {
  const given = generation === undefined ? environment['TIEUP_KEY_SSH'] : undefined;
  const agent = given?.match(/^agent:\/\/(SHA256:\S+)?$/);
  if (agent !== null && agent !== undefined) {
    const socket = environment['SSH_AUTH_SOCK'];
    if (socket === undefined) {
      throw new TieupError('TIEUP_E_KEY', 'TIEUP_KEY_SSH names an ssh-agent, but SSH_AUTH_SOCK is not set');
    }
    const [, fingerprint] = agent;
    return { kind: 'agent', socket, ...(fingerprint === undefined ? {} : { fingerprint }) };
  }
  if (given !== undefined) return { kind: 'key', privateKey: given };
  const generations = generation === undefined ? await sshGenerations(keyFolder, 'key') : [generation];
  const path = join(keyFolder, `${sshKeyName(generations[0] ?? 1)}.key`);
  const [privateKey, ...older] = await Promise.all(generations.map((each) => readGeneration(keyFolder, each)));
  if (privateKey !== undefined) return { kind: 'key', privateKey, older: older.flatMap((each) => each ?? []) };
  throw new TieupError('TIEUP_E_KEY', `there is no SSH key at ${JSON.stringify(path)}`, {
    hint: 'put it there, or set TIEUP_KEY_SSH to its text or to agent://SHA256:…',
  });
}

function readGeneration(keyFolder: string, generation: number): Promise<string | undefined> {
  return readSecretFile(join(keyFolder, `${sshKeyName(generation)}.key`), MAX_SSH_KEY);
}
