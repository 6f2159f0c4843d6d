/**
 * Names that cross the border between the two sites: partner ids, page paths, slot names.
 *
 * A path that is harmless on the main site's disk can escape, hide or collide on a partner's, so both sides check
 * every path with the same rules: the main site before it signs, the partner before it opens.
 */
import type { Problem } from '../errors.ts';

/** Partner ids; they stand in file names, in origins of checkpoints and in key derivation. */
export const PARTNER_ID = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Names a holder of a root master; it stands in file names and in key derivation. */
export const ROOT_HOLDER = /^(?=.{1,40}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** Slot names: they are file names at the partner. */
export const SLOT_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** A mount: `/with-main/`, at least one folder. */
export const MOUNT = /^\/(?:[A-Za-z0-9][A-Za-z0-9._~-]*\/)+$/;

const MAX_PATH_BYTES = 1024;
const MAX_COMPONENT_BYTES = 200;

/** Names that Windows reserves whatever the extension; a partner may edit its site there. */
const RESERVED_DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;

/** Files that change how a web server behaves, or that it executes. */
const SERVER_CONTROL = new Set(['web.config', 'nginx.conf', 'httpd.conf', 'caddyfile', 'php.ini', 'robots.txt']);
/** As the last extension. */
const SERVER_TYPE =
  /\.(?:inc|pm|pyc|rb|sh|bash|ashx|asmx|ascx|axd|cer|asa|cdx|jsw|jsv|jspf|jhtml|cfc|dll|exe|so|htaccess|htpasswd|config|lua|action|do|war|jar|class|tpl|env|ini|module)$/i;
/** Anywhere in the name: Apache's AddHandler looks at every extension of `page.php.html`. */
const SERVER_HANDLER =
  /\.(?:php\d?|pht|phtml|phps|phpt|phar|cgi|fcgi|pl|py|asp|aspx|jsp|jspx|cfm|cfml|shtml|shtm|stm)(?:\.|$)/i;

const FORBIDDEN_CHARACTER = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\\:*?"<>|]/u;

/** Why `path` can never be published, as the end of a sentence; undefined when it can. */
export function pathFault(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  if (!path.isWellFormed()) return 'is not valid Unicode';
  if (path.startsWith('/')) return 'is absolute';
  if (path.includes('\\')) return 'contains a backslash';
  if (FORBIDDEN_CHARACTER.test(path)) return 'contains a character that is not allowed in a file name';
  if (path.normalize('NFC') !== path) return 'is not in the normal form of Unicode (NFC)';
  for (const component of path.split('/')) {
    const fault = componentFault(component);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function componentFault(component: string): string | undefined {
  if (component === '') return 'has an empty component';
  if (component === '.' || component === '..') return 'leaves its folder';
  if (Buffer.byteLength(component) > MAX_COMPONENT_BYTES) return `has a name longer than ${MAX_COMPONENT_BYTES} bytes`;
  if (component.startsWith('.')) return 'has a name that starts with a dot';
  if (component.endsWith('.') || component.endsWith(' ') || component.startsWith(' ')) {
    return 'has a name that starts or ends with a blank, or ends with a dot';
  }
  if (RESERVED_DEVICE.test(component)) return 'has a name that Windows reserves for a device';
  if (SERVER_CONTROL.has(component.toLowerCase())) return 'is a file that controls a web server';
  if (SERVER_TYPE.test(component) || SERVER_HANDLER.test(component))
    return 'has a type that web servers execute or hide';
  return undefined;
}

/** The form in which two paths that some file system cannot tell apart are equal. */
export function collisionKey(path: string): string {
  return path.normalize('NFKC').toLowerCase().toUpperCase().normalize('NFKC');
}

/**
 * Everything that is wrong with a set of paths to be published below `mount`: faults of single paths, paths outside the
 * mount, paths that collide on file systems which ignore case or normalise, and a file where another path needs a folder.
 */
export function checkPaths(paths: readonly string[], mount: string): Problem[] {
  const problems: Problem[] = [];
  const prefix = mount.slice(1);
  const owners = new Map<string, string>();
  for (const path of paths) {
    const fault = pathFault(path) ?? (path.startsWith(prefix) ? undefined : `lies outside the mount ${mount}`);
    if (fault !== undefined) {
      problems.push({ message: `the path ${JSON.stringify(path)} ${fault}` });
      continue;
    }
    const key = collisionKey(path);
    const other = owners.get(key);
    if (other === undefined) owners.set(key, path);
    else problems.push({ message: `the paths ${JSON.stringify(other)} and ${JSON.stringify(path)} collide` });
  }
  for (const [key, path] of owners) {
    for (let slash = key.indexOf('/'); slash !== -1; slash = key.indexOf('/', slash + 1)) {
      const file = owners.get(key.slice(0, slash));
      if (file !== undefined) {
        problems.push({
          message: `${JSON.stringify(file)} is a file, but ${JSON.stringify(path)} needs a folder there`,
        });
      }
    }
  }
  return problems;
}
