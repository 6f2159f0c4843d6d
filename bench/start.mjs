// How long a user waits before anything happens.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, costTable, must, TIEUP, tieup } from './processes.mjs';

const ROUNDS = 21;

export async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'tieup-bench-'));
  try {
    await tieup(folder, 'init', '--role', 'main', '--name', 'Docs', '--url', 'https://docs.example/');
    /** @param {readonly string[]} args */
    const node = (...args) => must(process.execPath, args, { cwd: folder, quiet: true });
    const found = await compare(ROUNDS, {
      'node -e 0': () => node('-e', '0'),
      'tieup --version': () => node(TIEUP, '--version'),
      'tieup --help': () => node(TIEUP, '--help'),
      'tieup status': () => node(TIEUP, 'status'),
    });
    return [
      `The quickest of ${ROUNDS} runs, each a whole process, and their average of processor time; \`tieup status\` in a starter folder whose partner has not joined.`,
      'Floor: `node -e 0`. Aim: `tieup --version` at most 1.3 times that.',
      costTable(found, ['node -e 0']),
      'The command line is bundled: from two hundred files, half of them zod, it took 100 ms more. Tried and left: minifying it saves another 10 to 30 ms and every readable stack trace; the compile cache of newer versions of Node keeps code among the temporary files, where it would be somebody else’s to write.',
    ].join('\n\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
