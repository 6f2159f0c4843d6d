/** What ships beside the code, from `src/cli` as well as from `dist/cli`. */
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { OwnCall } from './log-jobs.ts';

const ROOT = new URL('../../', import.meta.url);

/** Absolute path of a folder of the package: `templates`. */
export function packageFolder(name: string): string {
  return fileURLToPath(new URL(`${name}/`, ROOT));
}

/** Absolute path of a file of the package: `bin/tieup.js`. */
export function packageFile(name: string): string {
  return fileURLToPath(new URL(name, ROOT));
}

/** How this tieup is called, and by whom, without a PATH. */
export function ownCall(): OwnCall {
  return { command: [execPath, packageFile('bin/tieup.js')], user: userInfo().username };
}

export async function packageVersion(): Promise<string> {
  // By hand: this runs at every start, and loading a schema library takes longer than all the rest of it.
  const value: unknown = JSON.parse(await readFile(new URL('package.json', ROOT), 'utf8'));
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  return typeof version === 'string' ? version : 'unknown';
}

/** Differs between two builds of this program, those of a developer as well. */
export async function programIdentity(): Promise<string> {
  const built = statSync(packageFile('dist/cli/run.js'), { throwIfNoEntry: false });
  return `${await packageVersion()} ${built?.mtimeMs ?? 'from sources'}`;
}
