// How long a user waits before anything happens.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { medians, must, TIEUP, tieup } from './processes.mjs';
import { ratio, table, time } from './text.mjs';

const ROUNDS = 21;

export async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'tieup-bench-'));
  try {
    await tieup(folder, 'init', '--role', 'main', '--name', 'Docs', '--url', 'https://docs.example/');
    /** @param {readonly string[]} args */
    const node = (...args) => must(process.execPath, args, { cwd: folder, quiet: true });
    const found = await medians(ROUNDS, {
      'node -e 0': () => node('-e', '0'),
      'tieup --version': () => node(TIEUP, '--version'),
      'tieup --help': () => node(TIEUP, '--help'),
      'tieup status': () => node(TIEUP, 'status'),
    });
    const floor = found['node -e 0'] ?? Number.NaN;
    return [
      `Medians of ${ROUNDS} runs, each a whole process; \`tieup status\` in a starter folder whose partner has not joined.`,
      'Aim: `tieup --version` at most 1.3 times `node -e 0`.',
      table(
        ['command', 'time', 'against `node -e 0`'],
        Object.entries(found).map(([name, value]) => [`\`${name}\``, time(value), ratio(value, floor)]),
      ),
    ].join('\n\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
