// Memory of build and push as partners are added: it must not grow with them.
import { House } from './house.mjs';
import { tieupWithPeak } from './processes.mjs';
import { memory, table, time } from './text.mjs';

const PAGES = 300;
const PARTNERS = [1, 10, 50];

export async function memoryOfPartners() {
  const house = new House();
  try {
    await house.build(PAGES);
    const rows = [];
    for (const partners of PARTNERS) {
      await house.enroll(partners);
      const build = await tieupWithPeak(house.main, '--json', 'build');
      const push = await tieupWithPeak(house.main, '--json', 'push', '--full');
      const again = await tieupWithPeak(house.main, '--json', 'push');
      rows.push([
        String(partners),
        ...[build, push, again].flatMap(({ mebibytes, milliseconds }) => [memory(mebibytes), time(milliseconds)]),
      ]);
    }
    return [
      `${PAGES} pages of the corpus; peak of resident memory and time of one whole process each. \`push --full\` sends every page to every partner; the last two columns are a push that finds nothing to do.`,
      table(['partners', 'build', '', 'push --full', '', 'push, unchanged', ''], rows),
    ].join('\n\n');
  } finally {
    await house.close();
  }
}
