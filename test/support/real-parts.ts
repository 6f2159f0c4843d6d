/**
 * The real programs that some tests need. On a machine without one the tests are skipped with a notice; where CI=true a
 * missing part is a failure, because a suite that silently skips proves nothing.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Program, and the Debian package that it comes from. */
const PACKAGES = {
  sshd: 'openssh-server',
  'ssh-agent': 'openssh-client',
  'ssh-add': 'openssh-client',
  'ssh-keygen': 'openssh-client',
  nginx: 'nginx',
  logrotate: 'logrotate',
  chromium: 'chromium',
  sha256sum: 'coreutils',
  openssl: 'openssl',
  jq: 'jq',
  go: 'golang-go golang-golang-x-mod-dev',
  mount: 'mount',
  mkfifo: 'coreutils',
  mknod: 'coreutils',
} as const;

export type RealPart = keyof typeof PACKAGES;

/** System programs are not in every user's PATH. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/local/sbin', '/usr/bin', '/bin', '/usr/local/bin'];
const told = new Set<RealPart>();

/** The path of the program, or undefined after a notice. @throws where CI=true */
export function realPart(part: RealPart): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  const found = folders.map((folder) => join(folder, part)).find(isExecutable);
  if (found !== undefined) return found;
  missing(part, `${part} is not installed (Debian: apt-get install ${PACKAGES[part]})`);
  return undefined;
}

/** Like {@link realPart} for what needs root: true as root, otherwise false after a notice. */
export function asRoot(part: RealPart): boolean {
  if (process.getuid?.() === 0) return true;
  if (!told.has(part)) process.stderr.write(`\n  NOTICE: skipped, because it needs root: ${part}\n\n`);
  told.add(part);
  return false;
}

function missing(part: RealPart, what: string): void {
  if (process.env['CI'] === 'true') throw new Error(what);
  if (!told.has(part)) process.stderr.write(`\n  NOTICE: tests are skipped: ${what}\n\n`);
  told.add(part);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
