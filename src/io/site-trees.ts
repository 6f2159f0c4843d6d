/** The folders of a partner's site on an SFTP server, over one connection that is made when the first of them is used. */
import { posix } from 'node:path';
import { TieupError } from '../errors.ts';
import type { FileTree } from './file-tree.ts';
import { folderTree } from './folder-tree.ts';
import { knownHostKeys } from './known-hosts.ts';
import { readIfThere } from './read-if-there.ts';
import { reopenedTree } from './reopened-tree.ts';
import { parseSftpAddress, renderSftpAddress, type SftpAddress } from './sftp-address.ts';
import type { SftpConnection } from './sftp-connection.ts';
import { loginToServer, type LoginOptions } from './sftp-login.ts';
import { sftpTree } from './sftp-tree.ts';

/** Opens the tree below a folder, absolute or relative to that of the site. */
export type SiteTrees = (folder: string) => FileTree;

export interface SiteServer {
  /** `sftp://user@host/path`, the folder of the site. */
  readonly url: string;
  /** `ssh-ed25519 AAAA…`; what the person has said yes to in `known_hosts` when there is none. */
  readonly hostKeys: readonly string[];
}

/** @throws TIEUP_E_CONFIG for an address that cannot be used; the trees throw what `connectSftp` and `findSshAuth` throw. */
export function serverSiteTrees({ url, hostKeys }: SiteServer, login: LoginOptions): SiteTrees {
  const address = parseSftpAddress(url);
  let password: Promise<string> | undefined;
  let current: Promise<SftpConnection> | undefined;
  const once: LoginOptions = { ...login, password: () => (password ??= login.password()) };
  const connection = async (): Promise<SftpConnection> => {
    const before = current;
    const isGood = before !== undefined && (await before.then(isOpen).catch(() => false));
    if (!isGood && current === before) current = connect(address, hostKeys, once);
    return current ?? connection();
  };
  return (folder) => {
    const path = pathOnServer(address.path, folder);
    return reopenedTree(renderSftpAddress({ ...address, path }), async () => {
      const opened = await connection();
      return { tree: sftpTree(opened, path), isOpen: () => isOpen(opened) };
    });
  };
}

/** The host keys that this person's `known_hosts` has for the server of `url`; empty when it has none. */
export async function hostKeysKnownFor(
  url: string,
  { HOME: home }: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const places = [...(home === undefined ? [] : [`${home}/.ssh/known_hosts`]), '/etc/ssh/ssh_known_hosts'];
  const files = await Promise.all(
    places.map((place) => readIfThere(folderTree(posix.dirname(place)), posix.basename(place), MAX_KNOWN_HOSTS)),
  );
  return knownHostKeys(
    files.flatMap((bytes) => (bytes === undefined ? [] : new TextDecoder().decode(bytes))),
    parseSftpAddress(url),
  );
}

const MAX_KNOWN_HOSTS = 16 * 1024 * 1024;

async function connect(address: SftpAddress, given: readonly string[], login: LoginOptions): Promise<SftpConnection> {
  const hostKeys = given.length > 0 ? given : await hostKeysKnownFor(renderSftpAddress(address), login.environment);
  if (hostKeys.length === 0) throw unknownServer(address);
  const repin =
    'nothing was sent; ask whoever looks after the server whether it has a new key, and if so put it under site.hostKeys in tieup.yaml, or into known_hosts';
  return requireWholeFiles(await loginToServer({ address, hostKeys, repin }, login));
}

/** The folders of a site that a main site's own connection to its partner reaches. @throws TIEUP_E_STORAGE; it is closed then */
export async function treesOf(connection: SftpConnection): Promise<SiteTrees> {
  await requireWholeFiles(connection);
  return (folder) => sftpTree(connection, pathOnServer(connection.address.path, folder));
}

async function requireWholeFiles(connection: SftpConnection): Promise<SftpConnection> {
  if (connection.server.posixRename) return connection;
  const { host } = connection.address;
  await connection.close();
  throw new TieupError('TIEUP_E_STORAGE', `the server ${host} cannot replace a file in one step`, {
    hint: 'where the connection breaks just there, a page would be missing: ask for a server that offers posix-rename@openssh.com, as OpenSSH does, or run tieup on the server itself',
  });
}

function isOpen({ session }: SftpConnection): boolean {
  return session.failure() === undefined;
}

function unknownServer({ host, user }: SftpAddress): TieupError {
  return new TieupError('TIEUP_E_HOST_KEY', `no host key is known for ${host}, so nothing was sent`, {
    hint: `log in once with sftp ${user}@${host} and compare the key that it shows, or write the key into tieup.yaml under site.hostKeys`,
  });
}

/** Relative folders are below that of the site, which may be `~`. */
function pathOnServer(base: string, folder: string): string {
  if (posix.isAbsolute(folder)) return posix.normalize(folder);
  const path = posix.normalize(base === '/' ? `/${folder}` : `${base}/${folder}`);
  return path.length > 1 ? path.replace(/\/$/, '') : path;
}
