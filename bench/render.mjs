// Renders the corpus for many partners, through the command line as a main site does, beside what it is measured against: the
// bare unified script, which parses every page once for every partner, and writing the same files alone.
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markdownFiles, unpackPages } from './corpus.mjs';
import { must, tieup, TIEUP } from './processes.mjs';
import { table } from './text.mjs';

const BARE = fileURLToPath(new URL('bare-unified.mjs', import.meta.url));
const USAGE = new URL('usage.mjs', import.meta.url).href;
const PAGES = Number(process.env['TIEUP_BENCH_PAGES'] ?? 1000);
const PARTNERS = Number(process.env['TIEUP_BENCH_PARTNERS'] ?? 20);
/** A page in a frame, with two values of the partner. */
const TEMPLATE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ page.title }}</title></head>
<body><header><a href="{{ partner.url }}">{{ partner.name }}</a></header>
<main><slot name="content"></slot></main></body></html>
`;

/** @typedef {string[]} Row */

/** @returns {Promise<string>} */
export async function render() {
  const root = mkdtempSync(join(tmpdir(), 'tieup-render-'));
  try {
    const site = join(root, 'site');
    await makeSite(site);
    /** @type {Row[]} */
    const rows = [];
    const build = (/** @type {string} */ name) => measure(rows, name, site, [TIEUP, 'build', '--json']);
    await build(`tieup, cold`);
    await build(`tieup, nothing changed`);
    const [first] = markdownFiles(join(site, 'pages'));
    appendFileSync(join(site, 'pages', first ?? ''), '\nOne more line.\n');
    await build(`tieup, one page edited`);
    const layout = join(site, 'templates', 'page.html');
    writeFileSync(layout, readFileSync(layout, 'utf8').replace('<main>', '<main><p>New.</p>'));
    await build(`tieup, layout edited`);
    rmSync(join(site, 'build'), { recursive: true });
    await build(`tieup, warm, everything written`);
    await measure(rows, `floor: the same ${PARTNERS} trees written`, root, [
      BARE,
      'write',
      join(site, 'build'),
      join(root, 'floor'),
    ]);
    await measure(rows, 'bare unified script, 1 partner', root, [
      BARE,
      'render',
      join(site, 'pages'),
      join(root, 'bare'),
    ]);
    return [`${PAGES} pages, ${PARTNERS} partners`, table(['what', 's', 'CPU s', 'peak MiB'], rows)].join('\n\n');
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** @param {string} site */
async function makeSite(site) {
  await tieup(tmpdir(), 'init', site, '--role', 'main', '--name', 'Docs', '--url', 'https://docs.example/');
  rmSync(join(site, 'pages'), { recursive: true });
  await unpackPages(join(site, 'pages'));
  for (const path of markdownFiles(join(site, 'pages')).slice(PAGES)) rmSync(join(site, 'pages', path));
  writeFileSync(join(site, 'templates', 'page.html'), TEMPLATE);
  const sample = readFileSync(join(site, 'partners', 'harbour.yaml'), 'utf8');
  for (const name of readdirSync(join(site, 'partners'))) rmSync(join(site, 'partners', name));
  for (let number = 1; number <= PARTNERS; number++) {
    const id = `partner-${number}`;
    const text = sample.replace(/^id: .*$/m, `id: ${id}`).replace(/^url: .*$/m, `url: https://${id}.example/`);
    writeFileSync(join(site, 'partners', `${id}.yaml`), text);
  }
}

/**
 * Runs a script in a process of its own and adds what it took.
 * @param {Row[]} rows
 * @param {string} name
 * @param {string} folder
 * @param {readonly string[]} script
 */
async function measure(rows, name, folder, script) {
  const place = join(tmpdir(), `tieup-bench-usage-${process.pid}`);
  const { milliseconds } = await must(process.execPath, ['--import', USAGE, ...script], {
    cwd: folder,
    env: { TIEUP_BENCH_USAGE: place },
    quiet: true,
  });
  /** @type {{ cpu: number, peak: number }} */
  const { cpu, peak } = JSON.parse(readFileSync(place, 'utf8'));
  rmSync(place);
  rows.push([name, (milliseconds / 1e3).toFixed(2), (cpu / 1e6).toFixed(2), (peak / 1024).toFixed(0)]);
}
