/** Finds the SSH key with which the main site logs in at its partners: a variable of a CI job, an agent, or a file. */
import { join } from 'node:path';
import { TieupError } from '../errors.ts';
import { readSecretFile } from './secret-file.ts';
import type { SshAuth } from './ssh-login.ts';

const MAX_SSH_KEY = 64 * 1024;

/** `TIEUP_KEY_SSH` holds the key itself or `agent://[SHA256:…]`; otherwise `ssh.key` in the folder of keys, absolute. @throws TIEUP_E_KEY. */
export async function findSshAuth(
  environment: Readonly<Record<string, string | undefined>>,
  keyFolder: string,
): Promise<SshAuth> {
  const given = environment['TIEUP_KEY_SSH'];
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
  const path = join(keyFolder, 'ssh.key');
  const privateKey = await readSecretFile(path, MAX_SSH_KEY);
  if (privateKey !== undefined) return { kind: 'key', privateKey };
  throw new TieupError('TIEUP_E_KEY', `there is no SSH key at ${JSON.stringify(path)}`, {
    hint: 'put it there, or set TIEUP_KEY_SSH to its text or to agent://SHA256:…',
  });
}
