/** Logs the main site in at a partner, with whichever of its SSH keys the partner lets in. */
import { isTieupError, TieupError } from '../errors.ts';
import { parseSftpAddress } from './sftp-address.ts';
import type { SftpConnection } from './sftp-connection.ts';
import { loginToServer, type LoginOptions } from './sftp-login.ts';
import { certificatesIn, sshKeyFiles } from './ssh-keys.ts';

export interface PartnerLogin extends LoginOptions {
  /** Its id; `sftp://user@host/path`, and the host keys that are pinned, once it has joined. */
  readonly partner: {
    readonly id: string;
    readonly sftp: {
      readonly url: string;
      readonly hostKeys: readonly string[];
      /** Over the program `ssh`; over ssh2 unless given. */
      readonly transport?: 'ssh' | undefined;
    } | null;
  };
}

/** @throws TIEUP_E_CONTRACT when it has not joined, and what `connectSftp` and `findSshAuth` throw. */
export async function loginToPartner(login: PartnerLogin): Promise<SftpConnection> {
  const { id, sftp } = login.partner;
  if (sftp === null) {
    throw new TieupError('TIEUP_E_CONTRACT', `${id} has not joined yet`, { hint: 'run tieup enroll with its answer' });
  }
  const server = { address: parseSftpAddress(sftp.url), hostKeys: sftp.hostKeys };
  const { environment, keyFolder, generation, timeoutMs, signal } = login;
  if (sftp.transport === 'ssh') {
    const keyFiles = await sshKeyFiles(keyFolder, generation);
    const { connectBySshProgram } = await import('./ssh-program.ts');
    return connectBySshProgram({
      ...server,
      environment,
      keyFiles,
      onlyThese: generation !== undefined,
      timeoutMs,
      signal,
    });
  }
  try {
    return await loginToServer(server, login);
  } catch (error) {
    throw isTieupError(error, 'TIEUP_E_LOGIN') ? await namingCertificates(error, id, keyFolder) : error;
  }
}

/** A server that wants a certificate refuses a key like any other: what lies beside the key tells. */
async function namingCertificates(error: TieupError, id: string, keyFolder: string): Promise<TieupError> {
  const certificates = await certificatesIn(keyFolder);
  if (certificates.length === 0) return error;
  return new TieupError(error.code, error.message, {
    hint: `${certificates.join(', ')} lies beside the key, but certificates need the program ssh: write transport: ssh under sftp in partners/${id}.yaml`,
    cause: error.cause,
  });
}

/** Whether the server lets the login in. @throws what {@link loginToPartner} throws beside TIEUP_E_LOGIN. */
export async function isLetIn(login: PartnerLogin): Promise<boolean> {
  try {
    await (await loginToPartner(login)).close();
    return true;
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_LOGIN')) return false;
    throw error;
  }
}
