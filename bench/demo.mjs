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
      'More than half of it is scrypt with N = 2¹⁷, 17 times about 0.35 s: four keys are made and opened again for the invitation, two for each of two pushes, one to join, to accept, to go back. Keys that a command needs together are opened together, two at a time. The steps stay processes of their own, as a user would call them.',
    ].join('\n\n');
  } finally {
    for (const name of demoFolders()) if (!before.has(name)) rmSync(join(tmpdir(), name), { recursive: true });
  }
}

/** The demo leaves what it made, to be looked at. */
function demoFolders() {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('tieup-demo-'));
}
