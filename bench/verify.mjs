// What it costs a partner to verify a release of 5,000 pages: the live tree, and the release in the inbox once more.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { House } from './house.mjs';
import { compare, costTable, must, tieup } from './processes.mjs';
import { count } from './text.mjs';

const PAGES = 5000;
const ROUNDS = 11;

export async function verifyRelease() {
  const house = new House();
  try {
    await house.build(1);
    const pages = join(house.main, 'pages');
    rmSync(pages, { recursive: true });
    for (let page = 0; page < PAGES; page++) {
      const folder = join(pages, `part-${page % 50}`);
      mkdirSync(folder, { recursive: true });
      const text = `word${page} `.repeat(1000);
      writeFileSync(join(folder, `page-${page}.md`), `---\ntitle: Page ${page}\n---\n\n# Page ${page}\n\n${text}\n`);
    }
    await house.enroll(1);
    const [partner] = house.partners;
    if (partner === undefined) throw new Error('there is no partner');
    const { folder } = partner;
    const { partners } = JSON.parse((await tieup(house.main, '--json', 'push')).stdout);
    const first = await tieup(folder, 'accept', '--yes', partners[0].releaseDigest);

    const published = join(folder, 'state', 'published');
    const [name = ''] = readdirSync(published).filter((each) => each.endsWith('.SHA256SUMS'));
    const sums = join(published, name);
    const files = readFileSync(sums, 'utf8').trimEnd().split('\n').length;
    const found = await compare(ROUNDS, {
      'node -e 0': () => must(process.execPath, ['-e', '0'], { quiet: true }),
      'sha256sum -c': () => must('sha256sum', ['-c', '--quiet', sums], { cwd: join(folder, 'public') }),
      'tieup history, which verifies nothing': () => tieup(folder, 'history'),
      'tieup verify': () => tieup(folder, 'verify'),
      'tieup status, which opens the release in the inbox': () => tieup(folder, 'status'),
    });
    const once = { milliseconds: first.milliseconds, processor: Number.NaN };
    return [
      `${count(files)} files; the quickest of ${ROUNDS} whole processes and their average of processor time. Floor: \`sha256sum -c\` of the live files and \`node -e 0\`. Aim: at most 1.5 times that.`,
      costTable({ ...found, 'tieup accept --yes, from packs, with publishing (once)': once }, [
        'node -e 0',
        'sha256sum -c',
      ]),
      'Beside the hashing there are the start (`history`) and six system calls a file: lstat, open without following a link, fstat, the kernel’s word on which file that is, read, close. Reading into one room took a tenth off; threads would only spread the processor time. `status` verifies metadata and the manifest of the release as well, and looks for each of its objects.',
    ].join('\n\n');
  } finally {
    await house.close();
  }
}
