// What a partner's cron job costs: `tieup accept` of 1,000 pages against the plain check of the same bytes.
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { House } from './house.mjs';
import { markdownFiles } from './corpus.mjs';
import { compare, costTable, must, tieup } from './processes.mjs';
import { count } from './text.mjs';

const ROUNDS = 15;
/** Each needs a push of its own before. */
const CHANGES = 3;

export async function accept() {
  const house = new House();
  try {
    await house.build();
    await house.enroll(1);
    const [partner] = house.partners;
    if (partner === undefined) throw new Error('there is no partner');
    const { folder } = partner;
    const release = await pushed(house);
    const first = await tieup(folder, 'accept', '--yes', release.releaseDigest);

    const tieupYaml = join(folder, 'tieup.yaml');
    writeFileSync(tieupYaml, allowContent(readFileSync(tieupYaml, 'utf8')));
    await tieup(folder, 'accept', '--sign-policy');

    // One page changes, is pushed, and accepted.
    const [page = ''] = markdownFiles(join(house.main, 'pages'));
    const changed = { manager: /** @type {number[]} */ ([]), policy: /** @type {number[]} */ ([]) };
    for (let round = 0; round <= CHANGES; round++) {
      for (const by of /** @type {const} */ (['manager', 'policy'])) {
        appendFileSync(join(house.main, 'pages', page), `\nChanged for ${by}, ${round}.\n`);
        const { releaseDigest } = await pushed(house);
        const answer = by === 'manager' ? ['--yes', releaseDigest] : ['--auto'];
        const { milliseconds } = await tieup(folder, 'accept', ...answer);
        if (round > 0) changed[by].push(milliseconds);
      }
    }

    const sums = newestSums(folder);
    const found = await compare(ROUNDS, {
      'node -e 0': () => must(process.execPath, ['-e', '0'], { quiet: true }),
      'sha256sum -c': () => must('sha256sum', ['-c', '--quiet', sums], { cwd: join(folder, 'public') }),
      'tieup accept, everything live already': () => tieup(folder, 'accept', '--auto'),
      'tieup verify': () => tieup(folder, 'verify'),
    });
    const once = (/** @type {number} */ milliseconds) => ({ milliseconds, processor: Number.NaN });
    const rows = {
      ...found,
      'tieup accept --auto, one page of 1,000 changed': once(Math.min(...changed.policy)),
      'tieup accept --yes, one page of 1,000 changed': once(Math.min(...changed.manager)),
      'tieup accept --yes, the first release (once)': once(first.milliseconds),
    };
    return [
      `${count(readFileSync(sums, 'utf8').trimEnd().split('\n').length)} files of the corpus; the quickest of ${ROUNDS} whole processes (of ${CHANGES} where a page changed) and their average of processor time.`,
      'Floor: `sha256sum -c` of the live files and `node -e 0`. Aim: at most twice that for unchanged pages.',
      costTable(rows, ['node -e 0', 'sha256sum -c']),
      '`--yes` opens the encrypted accept key: scrypt with N = 2¹⁷ is meant to take its time.',
    ].join('\n\n');
  } finally {
    await house.close();
  }
}

/**
 * Pushes to the one partner there is.
 * @param {House} house
 */
async function pushed(house) {
  const { partners } = JSON.parse((await tieup(house.main, '--json', 'push')).stdout);
  const [result] = partners;
  if (result?.result !== 'pushed') throw new Error(`nothing was pushed: ${JSON.stringify(result)}`);
  return result;
}

/** @param {string} yaml */
function allowContent(yaml) {
  return yaml.includes('\nauto:')
    ? yaml.replace(/allow: nothing/, 'allow: content')
    : `${yaml}\nauto:\n  allow: content\n`;
}

/**
 * Its paths are those below the web root.
 * @param {string} folder
 */
function newestSums(folder) {
  const published = join(folder, 'state', 'published');
  const numbers = readdirSync(published).flatMap((name) => Number(/^(\d+)\.SHA256SUMS$/.exec(name)?.[1] ?? []));
  return join(published, `${Math.max(...numbers)}.SHA256SUMS`);
}
