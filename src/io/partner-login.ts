/** Logs the main site in at a partner, with whichever of its SSH keys the partner lets in. */
import { isTieupError, TieupError } from '../errors.ts';
import { parseSftpAddress } from './sftp-address.ts';
import type { SftpConnection } from './sftp-connection.ts';
import { loginToServer, type LoginOptions } from './sftp-login.ts';

export interface PartnerLogin extends LoginOptions {
  /** Its id; `sftp://user@host/path`, and the host keys that are pinned, once it has joined. */
  readonly partner: {
    readonly id: string;
    readonly sftp: { readonly url: string; readonly hostKeys: readonly string[] } | null;
  };
}

/** @throws TIEUP_E_CONTRACT when it has not joined, and what `connectSftp` and `findSshAuth` throw. */
export async function loginToPartner(login: PartnerLogin): Promise<SftpConnection> {
  const { id, sftp } = login.partner;
  if (sftp === null) {
    throw new TieupError('TIEUP_E_CONTRACT', `${id} has not joined yet`, { hint: 'run tieup enroll with its answer' });
  }
  return loginToServer({ address: parseSftpAddress(sftp.url), hostKeys: sftp.hostKeys }, login);
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
