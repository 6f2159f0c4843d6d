// Everything that is checked without running the code, each step to its end so that one run shows all that is wrong.
// `--report FILE` writes how many steps passed and failed, as JSON.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const STEPS = ['types', 'lint', 'format', 'unused', 'package'];

let failed = 0;
for (const name of STEPS) {
  const { status, error, stdout, stderr } = spawnSync('npm', ['run', '--silent', `check:${name}`], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  process.stdout.write(`${status === 0 ? '✓ passed' : '✗ failed'}  ${name}\n`);
  if (status === 0) continue;
  failed += 1;
  process.stdout.write(`${stdout ?? ''}${stderr ?? ''}${error === undefined ? '' : `${error.message}\n`}`);
}

const report = process.argv.indexOf('--report');
if (report !== -1) writeFileSync(process.argv[report + 1], JSON.stringify({ passed: STEPS.length - failed, failed }));
process.exitCode = failed === 0 ? 0 : 1;
