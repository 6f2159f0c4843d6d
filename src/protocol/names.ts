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

/** Of which most paths consist: nothing of them is forbidden or has another form in Unicode. */
const PLAIN = /^[\w./~+-]*$/;

const MAX_PATH_BYTES = 1024;
const MAX_COMPONENT_BYTES = 200;

/** Names that Windows reserves whatever the extension; a partner may edit its site there. */
const RESERVED_DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;

/** Files that change how a web server behaves. */
const SERVER_CONTROL = new Set(['web.config', 'nginx.conf', 'httpd.conf', 'caddyfile', 'php.ini', 'robots.txt']);
/**
 * Types that some web server executes. Anywhere in the name: Apache's AddHandler looks at every extension of `page.php.html`,
 * IIS 6 stopped at the semicolon of `page.asp;.jpg`.
 */
const EXECUTED = wordSet(`
  php php3 php4 php5 php6 php7 php8 php9 pht phtm phtml phps phpt phar inc ctp hphp
  asp aspx asa asax ascx ashx asmx aspq axd cer cdx cshtm cshtml idc svc vbhtm vbhtml xamlx
  jsp jspa jspf jspx jsw jsv jhtml wss cfm cfml cfc dbm shtml shtm stm
  cgi fcgi fpl pl plx pm py pyc pyo pyw psp wsgi rb rbw rhtml erb sh bash ksh zsh csh lua lp tcl bat cmd vbs wsf
  htaccess htpasswd`);
/** Types that servers execute, load or hide when they come last; elsewhere in a name they are ordinary words. */
const EXECUTED_LAST = wordSet('dll exe so config action do war jar class tpl env ini module rem rules soap');

const FORBIDDEN_CHARACTER = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\\:*?"<>|]/u;

/** Why `path` can never be published, as the end of a sentence; undefined when it can. */
export function pathFault(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  return (PLAIN.test(path) ? undefined : characterFault(path)) ?? componentsFault(path);
}

function characterFault(path: string): string | undefined {
  if (!path.isWellFormed()) return 'is not valid Unicode';
  if (path.includes('\\')) return 'contains a backslash';
  if (FORBIDDEN_CHARACTER.test(path)) return 'contains a character that is not allowed in a file name';
  return path.normalize('NFC') === path ? undefined : 'is not in the normal form of Unicode (NFC)';
}

function componentsFault(path: string): string | undefined {
  if (path.startsWith('/')) return 'is absolute';
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
  return isExecuted(component) ? 'has a type that web servers execute or hide' : undefined;
}

function isExecuted(component: string): boolean {
  // As file systems that fold names see it: full-width letters, ligatures and capitals hide no extension.
  const [, ...extensions] = collisionKey(component)
    .split(/[.;]/)
    .map((part) => part.trim());
  return extensions.some((extension) => EXECUTED.has(extension)) || EXECUTED_LAST.has(extensions.at(-1) ?? '');
}

/** In the form of {@link collisionKey}. */
function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.trim().split(/\s+/).map(collisionKey));
}

/** The form in which two paths that some file system cannot tell apart are equal. */
export function collisionKey(path: string): string {
  if (PLAIN.test(path)) return path.toUpperCase();
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
