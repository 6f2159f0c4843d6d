/** Who logs in: an SSH key, or one that an agent holds. Everything that can be wrong with it is found before connecting. */
import ssh2, {
  type BaseAgent,
  type ConnectConfig,
  type IdentityCallback,
  type ParsedKey,
  type PublicKeyEntry,
} from 'ssh2';
import { TieupError } from '../errors.ts';
import { sshFingerprint } from './host-key.ts';

export type SshAuth =
  | {
      readonly kind: 'key';
      /** PEM: OpenSSH's format, PKCS #8 or older; may be encrypted. */
      readonly privateKey: string;
      /** Keys that it replaces, of the same kind: tried afterwards, where the server does not let the new one in yet. */
      readonly older?: readonly string[];
      readonly passphrase?: string;
    }
  | {
      readonly kind: 'agent';
      /** What SSH_AUTH_SOCK says. */
      readonly socket: string;
      /** `SHA256:…` of the one key to use; without it, each of the agent's keys is tried. */
      readonly fingerprint?: string;
    };

/** The part of ssh2's configuration that logs in. @throws TIEUP_E_KEY, TIEUP_E_PASSWORD */
export async function loginConfig(auth: SshAuth, username: string): Promise<ConnectConfig> {
  if (auth.kind === 'agent') return { agent: await checkedAgent(auth), authHandler: ['agent'] };
  const passphrase = auth.passphrase === undefined ? {} : { passphrase: auth.passphrase };
  const keys = [auth.privateKey, ...(auth.older ?? [])];
  for (const key of keys) checkKey(key, auth.passphrase);
  // Several are offered over one connection: a server counts connections that end without a login.
  return { authHandler: keys.map((key) => ({ type: 'publickey', username, key, ...passphrase })) };
}

function checkKey(privateKey: string, passphrase: string | undefined): void {
  const parsed = ssh2.utils.parseKey(privateKey, passphrase);
  if (parsed instanceof Error) throw keyFault(parsed, passphrase !== undefined);
  // The types say that it cannot be one, but a file with a public key can be taken for it.
  if (!isPrivate(parsed)) {
    throw new TieupError('TIEUP_E_KEY', 'the SSH key is a public key where a private key is needed');
  }
}

function isPrivate(parsed: ParsedKey | readonly ParsedKey[]): boolean {
  return [parsed].flat().every((key) => key.isPrivateKey());
}

function keyFault(cause: Error, hadPassphrase: boolean): TieupError {
  if (/no passphrase given/i.test(cause.message)) {
    return new TieupError('TIEUP_E_PASSWORD', 'the SSH key is encrypted and there is no password for it', {
      hint: 'set TIEUP_PASSWORD or TIEUP_PASSWORD_FILE, or load the key into ssh-agent',
      cause,
    });
  }
  if (hadPassphrase && /bad passphrase|integrity check|bad decrypt|Failed to decrypt/i.test(cause.message)) {
    return new TieupError('TIEUP_E_KEY', 'the password of the SSH key is wrong', { cause });
  }
  return new TieupError('TIEUP_E_KEY', 'the SSH key cannot be read', {
    hint: 'make one with ssh-keygen -t ed25519, or let tieup make it (tieup keys)',
    cause,
  });
}

async function checkedAgent(auth: SshAuth & { kind: 'agent' }): Promise<BaseAgent> {
  const agent: BaseAgent =
    auth.fingerprint === undefined ? ssh2.createAgent(auth.socket) : new OneKeyAgent(auth.socket, auth.fingerprint);
  const keys = await new Promise<readonly unknown[]>((resolve, reject) => {
    agent.getIdentities((error, found) => (error ? reject(agentFault(auth.socket, error)) : resolve(found ?? [])));
  });
  if (keys.length === 0) {
    const wanted = auth.fingerprint === undefined ? 'no key' : `no key ${auth.fingerprint}`;
    throw new TieupError('TIEUP_E_KEY', `the ssh-agent holds ${wanted}`, { hint: 'load it with ssh-add' });
  }
  return agent;
}

function agentFault(socket: string, cause: Error): TieupError {
  return new TieupError('TIEUP_E_KEY', `the ssh-agent at ${JSON.stringify(socket)} does not answer`, {
    hint: 'start one with eval "$(ssh-agent)", or name a key file',
    cause,
  });
}

/** Shows the server one of the agent's keys: a server counts every key that it is shown as a failed attempt. */
class OneKeyAgent extends ssh2.OpenSSHAgent {
  readonly #fingerprint: string;

  constructor(socket: string, fingerprint: string) {
    super(socket);
    this.#fingerprint = fingerprint;
  }

  override getIdentities(done: IdentityCallback<ParsedKey>): void {
    const isWanted = (key: ParsedKey | PublicKeyEntry): boolean =>
      'getPublicSSH' in key && sshFingerprint(key.getPublicSSH()) === this.#fingerprint;
    super.getIdentities((error, keys) => (error ? done(error) : done(null, keys?.filter(isWanted) ?? [])));
  }
}
