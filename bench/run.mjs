// npm run bench [-- <name>…] [--save]: measures this machine against its own floor. `--save` puts what was found into
// RESULTS.md, section by section. The pages come from the corpus (see corpus.mjs), which is not part of the project.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { accept } from './accept.mjs';
import { corpusLoop } from './corpus-loop.mjs';
import { demo } from './demo.mjs';
import { ed25519Differential } from './ed25519-differential.mjs';
import { fill } from './fill.mjs';
import { fleet } from './fleet.mjs';
import { logs } from './logs.mjs';
import { memoryOfPartners } from './memory.mjs';
import { refreshOfPartners } from './refresh.mjs';
import { render } from './render.mjs';
import { stage } from './stage.mjs';
import { start } from './start.mjs';
import { transfer } from './transfer.mjs';
import { verifyRelease } from './verify.mjs';

/** @type {Record<string, () => Promise<string>>} */
const BENCHMARKS = {
  start,
  accept,
  demo,
  corpus: corpusLoop,
  memory: memoryOfPartners,
  refresh: refreshOfPartners,
  render,
  fill,
  stage,
  fleet,
  verify: verifyRelease,
  ed25519: ed25519Differential,
  logs,
  transfer,
};
const RESULTS = new URL('RESULTS.md', import.meta.url);
const TITLE =
  '# Results\n\nWritten by `npm run bench -- --save`. Ratios within one run count; times are those of one busy machine.\n';

/**
 * @param {string} name
 * @param {string} section
 */
function save(name, section) {
  const text = existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8') : TITLE;
  const [title = TITLE, ...sections] = text.split(/^(?=## )/m);
  const kept = new Map(sections.map((each) => [/^## (.*)/.exec(each)?.[1] ?? '', each.trimEnd()]));
  kept.set(name, section);
  // A section of a benchmark that this run does not know yet stays where it can be seen.
  const keys = new Set([...Object.keys(BENCHMARKS), ...kept.keys()]);
  const ordered = [...keys].flatMap((key) => kept.get(key) ?? []);
  writeFileSync(RESULTS, `${[title.trimEnd(), ...ordered].join('\n\n')}\n`);
}

const words = process.argv.slice(2);
const names = words.filter((word) => !word.startsWith('--'));
const unknown = names.filter((name) => !Object.hasOwn(BENCHMARKS, name));
if (unknown.length > 0) {
  console.error(`error: there is no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exitCode = 64;
} else {
  const date = new Date().toISOString().slice(0, 10);
  for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    try {
      const found = await benchmark();
      // How many processes wanted a core at the same time, those of the benchmark among them.
      const load = (loadavg()[0] ?? Number.NaN).toFixed(1);
      const where = `${date}, ${cpus().length} cores, load ${load}, Node ${process.version}: \`npm run bench -- ${name}\``;
      const section = [`## ${name}`, where, found].join('\n\n');
      console.log(`${section}\n`);
      if (words.includes('--save')) save(name, section);
    } catch (error) {
      console.error(`error: ${name}: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
  // A benchmark that failed may have left a server running.
  process.exit();
}
