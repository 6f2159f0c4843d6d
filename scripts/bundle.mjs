// node scripts/bundle.mjs DIST: replaces the compiled files of DIST/cli by fewer ones which hold the packages they use, so
// that a command starts in half of the time: opening two hundred small files was most of it (bench/RESULTS.md, start).
//
// Only the command line: the library (DIST/index.js) stays as it was compiled and takes its packages from node_modules.
// Not minified: a stack trace must be readable. The licences of what is inside go with it.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The folder of a package in the path of one of its files. */
const PACKAGE = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/.@][^\\/]*(?=[\\/])/;

async function bundleCommand(folder) {
  const bundle = await rolldown({
    cwd: ROOT,
    // What runs on a thread is of the same packages.
    input: { run: join(folder, 'run.js'), 'markdown-thread': join(dist, 'content', 'markdown-thread.js') },
    platform: 'node',
    // They look for native parts of their own beside themselves, and few commands load them.
    external: ['@duckdb/node-api', 'sharp', /^ssh2(?:\/|$)/, 'ssh2-sftp-client'],
  });
  try {
    return (await bundle.generate({ format: 'esm', chunkFileNames: '[name].js' })).output;
  } finally {
    await bundle.close();
  }
}

/** @throws when a package does not say under which licence it may be passed on. */
function licenceOf(place) {
  const { name, version, license } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
  if (typeof license !== 'string') throw new Error(`${name} ${version} names no licence`);
  const texts = readdirSync(place).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  return [`${name} ${version}, ${license}`, ...texts.map((file) => readFileSync(join(place, file), 'utf8').trim())];
}

const [dist] = process.argv.slice(2);
if (dist === undefined) throw new Error('usage: node scripts/bundle.mjs DIST');
const folder = join(dist, 'cli');
const chunks = await bundleCommand(folder);
/** @type {Set<string>} */
const places = new Set(chunks.flatMap(({ moduleIds }) => moduleIds.flatMap((id) => PACKAGE.exec(id)?.[0] ?? [])));
const licences = [...places].sort().map((place) => licenceOf(place).join('\n\n'));

rmSync(folder, { recursive: true });
mkdirSync(folder);
for (const { fileName, code } of chunks) writeFileSync(join(folder, fileName), code);
writeFileSync(join(folder, 'LICENSES.txt'), `${licences.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
