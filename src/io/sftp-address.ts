/** `sftp://user@host:port/path`: where a partner's folder is reached. */
import { isIPv6 } from 'node:net';
import { TieupError } from '../errors.ts';

export interface SftpAddress {
  readonly user: string;
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Absolute, or `~` or `~/…` below the folder in which a login starts; no slash at the end except for `/`. */
  readonly path: string;
}

const DEFAULT_PORT = 22;
const ADDRESS = /^sftp:\/\/(?:([^@/]*)@)?(\[[^\]/]*\]|[^:/@[\]]*)(?::([^/]*))?(\/.*)?$/;
const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$/;
const CONTROL = /\p{Cc}/u;
/** What no shell takes for more than a letter: names stand in command lines that messages suggest. */
const USER_NAME = /^[A-Za-z0-9._@+][A-Za-z0-9._@+-]*$/;

/**
 * Parses `sftp://user@host[:port][/path]`. The path is absolute; `/~/path` starts at the folder in which the login starts,
 * and no path means that folder itself. Reserved characters are percent-encoded. A user name has none that a shell would read.
 * @throws TIEUP_E_CONFIG, also for a password, which tieup never keeps in a configuration
 */
export function parseSftpAddress(text: string): SftpAddress {
  const match = ADDRESS.exec(text);
  if (match === null) throw wrong(text, 'is not of the form sftp://user@host:port/path');
  const [, rawUser = '', rawHost = '', rawPort, rawPath] = match;
  // The text is not quoted here: it holds a secret.
  if (rawUser.includes(':')) throw wrong(undefined, 'has a password in it');
  const user = decode(rawUser, text);
  if (user === '') throw wrong(text, 'has no user name');
  if (!USER_NAME.test(user))
    throw wrong(text, 'has an odd user name: letters, digits and . _ @ + - alone, and no - at its start');
  return { user, host: parseHost(rawHost, text), port: parsePort(rawPort, text), path: parsePath(rawPath, text) };
}

/** The form that {@link parseSftpAddress} reads; the port is left out when it is 22. */
export function renderSftpAddress({ user, host, port, path }: SftpAddress): string {
  const shownHost = host.includes(':') ? `[${host}]` : host;
  const shownPort = port === DEFAULT_PORT ? '' : `:${port}`;
  const absolute = path === '~' ? '' : path.startsWith('~/') ? `/${path}` : path;
  const shownPath = absolute
    .split('/')
    .map((component) => encodeURIComponent(component).replaceAll('%7E', '~'))
    .join('/');
  return `sftp://${encodeURIComponent(user)}@${shownHost}${shownPort}${shownPath}`;
}

function parseHost(raw: string, text: string): string {
  if (raw.startsWith('[')) {
    const host = raw.slice(1, -1);
    // A zone (`fe80::1%eth0`) names an interface of one machine: nothing to keep in a configuration.
    if (!isIPv6(host) || host.includes('%')) throw wrong(text, 'has a wrong IPv6 address');
    return host.toLowerCase();
  }
  if (!HOST_NAME.test(raw)) throw wrong(text, `has ${JSON.stringify(raw)} where a host name is wanted`);
  return raw.toLowerCase();
}

function parsePort(raw: string | undefined, text: string): number {
  if (raw === undefined) return DEFAULT_PORT;
  const port = /^[1-9]\d{0,4}$/.test(raw) ? Number(raw) : 0;
  if (port < 1 || port > 65_535) throw wrong(text, `has ${JSON.stringify(raw)} where a port is wanted`);
  return port;
}

function parsePath(raw: string | undefined, text: string): string {
  if (raw === undefined) return '~';
  if (/[?#]/.test(raw)) throw wrong(text, 'has a ? or # in its path, to be written as %3F or %23');
  const path = decode(raw, text).replace(/\/$/, '');
  if (path.includes('\\') || CONTROL.test(path))
    throw wrong(text, 'has a character in its path that is not allowed there');
  const components = path.split('/').slice(1);
  if (components.some((component) => ['', '.', '..'].includes(component))) {
    throw wrong(text, 'has an empty component, "." or ".." in its path');
  }
  if (path === '') return '/';
  return components[0] === '~' ? path.slice(1) : path;
}

function decode(raw: string, text: string): string {
  try {
    return decodeURIComponent(raw);
  } catch (error) {
    throw wrong(text, 'has a % that does not start a percent-encoded UTF-8 character', error);
  }
}

function wrong(text: string | undefined, fault: string, cause?: unknown): TieupError {
  const subject = text === undefined ? 'the SFTP address' : `the SFTP address ${JSON.stringify(text)}`;
  return new TieupError('TIEUP_E_CONFIG', `${subject} ${fault}`, {
    hint: 'write it as sftp://user@host:port/path, without a password: tieup logs in with an SSH key',
    cause,
  });
}
