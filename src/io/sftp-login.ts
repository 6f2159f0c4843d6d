/** Logs in to an SFTP server with an SSH key from the environment, an agent or a folder of keys. */
import { isTieupError } from '../errors.ts';
import { systemClock } from './clock.ts';
import { withRetries } from './retry.ts';
import type { SftpAddress } from './sftp-address.ts';
import { connectSftp, wasTurnedAway, type SftpConnection } from './sftp-connection.ts';
import { findSshAuth } from './ssh-auth.ts';
import type { SshAuth } from './ssh-login.ts';

export interface LoginOptions {
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

export interface LoginTarget {
  readonly address: SftpAddress;
  readonly hostKeys: readonly string[];
  readonly repin?: string;
}

/** @throws what `connectSftp` and `findSshAuth` throw. */
export async function loginToServer(target: LoginTarget, login: LoginOptions): Promise<SftpConnection> {
  const auth = await findSshAuth(login.environment, login.keyFolder, login.generation);
  const { timeoutMs, signal, pause } = login;
  const connect = (as: SshAuth) =>
    withRetries(() => connectSftp({ ...target, timeoutMs, signal, auth: as }), {
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
