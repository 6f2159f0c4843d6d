/** Logs the main site in at a partner, with whichever of its SSH keys the partner lets in. */
import { isTieupError, TieupError } from '../errors.ts';
import { systemClock } from './clock.ts';
import { parseSftpAddress } from './sftp-address.ts';
import { withRetries } from './retry.ts';
import { connectSftp, wasTurnedAway, type SftpConnection } from './sftp-connection.ts';
import { findSshAuth } from './ssh-auth.ts';
import type { SshAuth } from './ssh-login.ts';

export interface PartnerLogin {
  /** Its id; `sftp://user@host/path`, and the host keys that are pinned, once it has joined. */
  readonly partner: {
    readonly id: string;
    readonly sftp: { readonly url: string; readonly hostKeys: readonly string[] } | null;
  };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly keyFolder: string;
  /** Tries this one of the key files alone; what the environment says, or the newest that is let in, unless given. */
  readonly generation?: number | undefined;
  /** Of an encrypted SSH key; asked for only when it is needed. */
  readonly password: () => Promise<string>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Waits before another attempt; a timer unless given. */
  readonly pause?: (milliseconds: number) => Promise<unknown>;
}

/** @throws TIEUP_E_CONTRACT when it has not joined, and what `connectSftp` and `findSshAuth` throw. */
export async function loginToPartner(login: PartnerLogin): Promise<SftpConnection> {
  const { id, sftp } = login.partner;
  if (sftp === null) {
    throw new TieupError('TIEUP_E_CONTRACT', `${id} has not joined yet`, { hint: 'run tieup enroll with its answer' });
  }
  const auth = await findSshAuth(login.environment, login.keyFolder, login.generation);
  const { hostKeys, url } = sftp;
  const { timeoutMs, signal, pause } = login;
  const options = { address: parseSftpAddress(url), hostKeys, timeoutMs, signal };
  const connect = (as: SshAuth) =>
    withRetries(() => connectSftp({ ...options, auth: as }), {
      isPassing: wasTurnedAway,
      signal,
      pause: pause ?? ((milliseconds) => systemClock.sleep(milliseconds, signal)),
    });
  try {
    return await connect(auth);
  } catch (error) {
    if (auth.kind !== 'key' || !isTieupError(error, 'TIEUP_E_PASSWORD')) throw error;
    return await connect({ ...auth, passphrase: await login.password() });
  }
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
