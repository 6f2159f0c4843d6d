/** The host keys that `join` writes into its answer: where they come from, and in words that a manager can compare. */
import { isTieupError, TieupError } from '../errors.ts';
import { describeHostKey, parseHostKey, renderHostKey } from '../io/host-key.ts';
import { parseSftpAddress } from '../io/sftp-address.ts';
import type { Context } from './command-context.ts';

export interface FoundHostKeys {
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly lines: readonly string[];
  /** `ED25519 SHA256:…` of each, as `ssh-keygen -l` shows it. */
  readonly fingerprints: readonly string[];
  /** Whom we have to believe: the command line, this machine's own key file, or whoever answered over the network. */
  readonly source: 'flag' | 'this-machine' | 'network';
  /** The same in words. */
  readonly from: string;
}

/**
 * The keys that `--host-key` gave, or the one that the server shows. When that is this machine's own, nobody can stand
 * between; otherwise the manager has to compare it.
 * @throws TIEUP_E_CONFIG for a line that is no host key; TIEUP_E_CONNECTION when the server cannot be asked.
 */
export async function findHostKeys(
  ctx: Context,
  address: string,
  given: readonly string[] | undefined,
): Promise<FoundHostKeys> {
  if (given !== undefined) return found(given, 'flag', 'from --host-key');
  const shown = await scan(ctx, address);
  const own = await ctx.ownHostKeys();
  const file = own.find(({ key }) => shown.includes(renderHostKey(key.blob)))?.file;
  if (file === undefined) {
    const others = own.length === 0 ? '' : '; it is none of those of this machine';
    return found(shown, 'network', `as the server showed it over the network just now${others}`);
  }
  return found(shown, 'this-machine', `from ${file} on this machine, and the server shows the same`);
}

function found(lines: readonly string[], source: FoundHostKeys['source'], from: string): FoundHostKeys {
  const keys = lines.map(parseHostKey);
  return { lines: keys.map(({ blob }) => renderHostKey(blob)), fingerprints: keys.map(describeHostKey), source, from };
}

/** To compare: the same as `ssh-keygen -l` prints on the server. */
export function hostKeysText({ fingerprints, source, from }: FoundHostKeys): string {
  const lines = [`The host key of your server, ${from}:`, ...fingerprints.map((each) => `  ${each}`)];
  if (source === 'network') {
    lines.push('Compare it with what your server itself says:  ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub');
  }
  return lines.join('\n');
}

/** A key from the network is taken only when a person says that it is the server's; a script was told by its `--yes`. */
export async function confirmHostKeys(ctx: Context, { source }: FoundHostKeys): Promise<void> {
  if (source !== 'network') return;
  const prompt = await ctx.prompt();
  if (await prompt.confirm('Is that the key of your server?')) return;
  throw new TieupError('TIEUP_E_DECLINED', 'this is not your server’s host key, so nothing was made', {
    hint: 'give the right one: --host-key "$(cat /etc/ssh/ssh_host_ed25519_key.pub)" on the server',
  });
}

/**
 * The keys of the server that the site itself lies on: those that this person's `known_hosts` has, or those of the exchange where
 * it is the same server. What the network showed counts only once a person has said so, whoever answers gets to see the site.
 * @throws TIEUP_E_HOST_KEY when there is nobody to ask
 */
export async function findSiteKeys(
  ctx: Context,
  address: string,
  exchange: { readonly address: string; readonly keys: FoundHostKeys },
): Promise<readonly string[]> {
  const known = await ctx.knownHostKeys(address);
  if (known.length > 0) return known;
  const isSame = serverOf(address) === serverOf(exchange.address);
  const keys = isSame ? exchange.keys : await findHostKeys(ctx, address, undefined);
  if (keys.source === 'network') {
    if (!ctx.canAsk) throw unconfirmed(address);
    if (!isSame) {
      ctx.output.message(hostKeysText(keys));
      await confirmHostKeys(ctx, keys);
    }
  }
  return keys.lines;
}

function serverOf(address: string): string {
  const { host, port } = parseSftpAddress(address);
  return `${host}:${port}`;
}

function unconfirmed(address: string): TieupError {
  return new TieupError('TIEUP_E_HOST_KEY', `nobody has confirmed the host key of ${serverOf(address)}`, {
    hint: 'log in there once with sftp and compare the key that it shows, or give it: --host-key "ssh-ed25519 AAAA…"',
  });
}

async function scan(ctx: Context, address: string): Promise<readonly string[]> {
  try {
    return await ctx.scanHostKey(address);
  } catch (cause) {
    if (!isTieupError(cause, 'TIEUP_E_CONNECTION')) throw cause;
    throw new TieupError(cause.code, `${cause.message}, so its host key is not known`, {
      hint: 'check the address; if the server cannot be reached from here, give its key: --host-key "ssh-ed25519 AAAA…", from /etc/ssh/ssh_host_ed25519_key.pub there',
      cause,
    });
  }
}
