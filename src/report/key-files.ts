/** Who may read the files of secret keys. */
import { ok, problem, type Finding } from './finding.ts';

export interface KeyFileMode {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** Permission bits; undefined where files have none. */
  readonly mode: number | undefined;
}

const BY_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;

/** @param label the folder as the user knows it */
export function keyFileFindings(
  label: string,
  folderMode: number | undefined,
  files: readonly KeyFileMode[],
): readonly Finding[] {
  const found: Finding[] = [];
  if (folderMode !== undefined && (folderMode & WRITABLE_BY_OTHERS) !== 0) {
    const message = `others may put files into the folder of the keys: its mode is ${octal(folderMode)}`;
    found.push(problem('key-files', message, `chmod 700 ${label}`));
  }
  for (const { name, kind, mode } of files) {
    const path = `${label}/${name}`;
    if (kind !== 'file') {
      found.push(
        problem('key-files', `${JSON.stringify(name)} is not a regular file, so it is not used`, `replace ${path}`),
      );
    } else if (mode !== undefined && (mode & BY_OTHERS) !== 0) {
      const message = `${JSON.stringify(name)} may be used by others: its mode is ${octal(mode)}, so it is not used`;
      found.push(problem('key-files', message, `chmod 600 ${path}`));
    }
  }
  if (found.length > 0 || files.length === 0) return found;
  return [ok('key-files', 'nobody else can read the key files')];
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8);
}
