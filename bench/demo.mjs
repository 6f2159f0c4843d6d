// The whole loop as a newcomer sees it: `tieup demo --auto`, twenty commands as processes of their own.
import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, costTable, must, TIEUP } from './processes.mjs';

const ROUNDS = 3;

export async function demo() {
  const before = new Set(demoFolders());
  try {
    const found = await compare(ROUNDS, {
      'node -e 0': () => must(process.execPath, ['-e', '0'], { quiet: true }),
      'tieup demo --auto': () => must(process.execPath, [TIEUP, 'demo', '--auto'], { quiet: true }),
    });
    return [
      `The quickest of ${ROUNDS} runs and their average of processor time. Aim: under 10 s.`,
      costTable(found, ['node -e 0']),
      'A third of it is scrypt with N = 2¹⁷, nine times about 0.35 s: once for each command that needs sealed keys, however many, because keys which one password seals at one time share a salt. (A salt for each key took more than twice as often; opening them on threads of their own helped less, and took 128 MiB for each.) The rest is twenty starts and what the commands do. The steps stay processes of their own, as a user would call them.',
    ].join('\n\n');
  } finally {
    for (const name of demoFolders()) if (!before.has(name)) rmSync(join(tmpdir(), name), { recursive: true });
  }
}

/** The demo leaves what it made, to be looked at. */
function demoFolders() {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('tieup-demo-'));
}
