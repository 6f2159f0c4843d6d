// Makes a fresh clone ready: installs the packages when they are absent or older than the lockfile, and builds when a
// source is newer than what was built. Says one line a step, nothing when there is nothing to do. Needs Node and npm only.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...names) => join(root, ...names);

/** Milliseconds; 0 when there is no such file. */
function modified(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

/** When the newest file below `folder` was changed; a removed file changes its folder. */
function newest(folder) {
  let latest = modified(folder);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : modified(path));
  }
  return latest;
}

function step(what, command, args) {
  process.stderr.write(`setup: ${what}\n`);
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  process.stderr.write(`error: ${what} failed${error === undefined ? '' : `: ${error.message}`}\n`);
  process.exit(1);
}

function install() {
  // npm writes this file last.
  const installed = modified(at('node_modules', '.package-lock.json'));
  if (installed > 0 && installed >= modified(at('package-lock.json'))) return;
  // Not `npm ci`: it refuses a lockfile that lacks the binaries of other platforms, and a lockfile that was written where
  // a registry does not carry all of them does. `--no-save` takes the locked versions as well, and leaves the lockfile alone.
  step('installing packages (npm install)', 'npm', [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
}

function build() {
  const dist = at('dist');
  const fresh = at('node_modules', '.tieup-build');
  const files = ['tsconfig.json', 'package-lock.json', join('scripts', 'bundle.mjs')];
  const inputs = [newest(at('src')), ...files.map((file) => modified(at(file)))];
  if (modified(at('dist', '.built')) > Math.max(...inputs)) return;
  // Beside, then in its place: what has no source any more goes, and sources that do not compile leave the old one.
  rmSync(fresh, { recursive: true, force: true });
  const started = Date.now();
  const tsc = at('node_modules', 'typescript', 'bin', 'tsc');
  step('compiling (tsc)', process.execPath, [tsc, '-p', at('tsconfig.json'), '--outDir', fresh]);
  step('bundling the command (rolldown)', process.execPath, [at('scripts', 'bundle.mjs'), fresh]);
  writeFileSync(join(fresh, '.built'), '');
  // A source that was saved meanwhile counts as newer.
  utimesSync(join(fresh, '.built'), started / 1000, started / 1000);
  rmSync(dist, { recursive: true, force: true });
  renameSync(fresh, dist);
}

install();
if (!process.argv.includes('--install-only')) build();
