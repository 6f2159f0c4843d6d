// Renders the corpus for many partners, through the command line as a main site does, beside what it is measured against: the
// bare unified script, which parses every page once for every partner, and writing the same files alone.
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markdownFiles, unpackPages } from './corpus.mjs';
import { must, processorOfChildren, tieup, TIEUP } from './processes.mjs';
import { table } from './text.mjs';

const BARE = fileURLToPath(new URL('bare-unified.mjs', import.meta.url));
const USAGE = new URL('usage.mjs', import.meta.url).href;
const PAGES = Number(process.env['TIEUP_BENCH_PAGES'] ?? 1000);
const PARTNERS = Number(process.env['TIEUP_BENCH_PARTNERS'] ?? 20);
/** Of which the average is taken. */
const PEER_RUNS = 2;
/** A folder in which `npm install @11ty/eleventy` was run; Debian has none. */
const ELEVENTY = process.env['TIEUP_BENCH_ELEVENTY'];
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
    for (let round = 1; round <= 3; round++) await build(`tieup, nothing changed (${round})`);
    const [first] = markdownFiles(join(site, 'pages'));
    appendFileSync(join(site, 'pages', first ?? ''), '\nOne more line.\n');
    await build(`tieup, one page edited`);
    const layout = join(site, 'templates', 'page.html');
    writeFileSync(layout, readFileSync(layout, 'utf8').replace('<main>', '<main><p>New.</p>'));
    await build(`tieup, layout edited`);
    // Into new folders, in turn: the disk takes longer for new files after many were removed.
    for (let round = 1; round <= 2; round++) {
      const out = join(root, `warm-${round}`);
      const script = [TIEUP, 'build', '--json', '--out', out];
      await measure(rows, `tieup, warm, everything written (${round})`, site, script);
      const floor = [BARE, 'write', out, join(root, `floor-${round}`)];
      await measure(rows, `floor: the same ${PARTNERS} trees written (${round})`, root, floor);
    }
    if (which('hugo')) await hugo(root, site, rows);
    if (ELEVENTY !== undefined) await eleventy(root, site, rows, ELEVENTY);
    if (process.env['TIEUP_BENCH_BARE'] !== 'no') {
      const script = [BARE, 'render', join(site, 'pages'), join(root, 'bare')];
      await measure(rows, 'bare unified script, 1 partner', root, script);
    }
    return [`${PAGES} pages, ${PARTNERS} partners`, table(['what', 's', 'CPU s', 'peak MiB'], rows)].join('\n\n');
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/**
 * As a user of Hugo would do it: once for each partner, with its address and name.
 * @param {string} root
 * @param {string} site
 * @param {Row[]} rows
 */
async function hugo(root, site, rows) {
  const folder = join(root, 'hugo');
  mkdirSync(join(folder, 'layouts', '_default'), { recursive: true });
  cpSync(join(site, 'pages'), join(folder, 'content'), { recursive: true });
  const markup = '[markup.goldmark.renderer]\nunsafe = true\n';
  const kinds = 'disableKinds = ["taxonomy", "term", "RSS", "sitemap", "home", "section"]\n';
  writeFileSync(join(folder, 'config.toml'), `baseURL = "https://a.example/"\ntitle = "Docs"\n${kinds}${markup}`);
  const frame = TEMPLATE.replace('{{ page.title }}', '{{ .Title }}')
    .replace('{{ partner.url }}', '{{ site.BaseURL }}')
    .replace('{{ partner.name }}', '{{ site.Title }}')
    .replace('<slot name="content"></slot>', '{{ .Content }}');
  writeFileSync(join(folder, 'layouts', '_default', 'single.html'), frame);
  await peer(rows, 'Hugo', join(root, 'hugo-out'), (out, address) =>
    must('hugo', ['--quiet', '--destination', out, '--baseURL', address], { cwd: folder, quiet: true }),
  );
}

/**
 * The same by Eleventy; pages are Markdown alone, without a template language in them.
 * @param {string} root
 * @param {string} site
 * @param {Row[]} rows
 * @param {string} installed
 */
async function eleventy(root, site, rows, installed) {
  const folder = join(root, 'eleventy');
  cpSync(join(site, 'pages'), join(folder, 'content'), { recursive: true });
  mkdirSync(join(folder, 'content', '_includes'), { recursive: true });
  symlinkSync(join(installed, 'node_modules'), join(folder, 'node_modules'));
  const frame = TEMPLATE.replace('{{ page.title }}', '{{ title }}')
    .replace('{{ partner.url }}', '{{ partner.url }}')
    .replace('<slot name="content"></slot>', '{{ content }}');
  writeFileSync(join(folder, 'content', '_includes', 'page.liquid'), frame);
  writeFileSync(
    join(folder, 'eleventy.config.mjs'),
    `export default (config) => {
  config.addGlobalData('layout', 'page.liquid');
  config.addGlobalData('partner', { url: process.env.PARTNER_URL, name: 'Partner' });
  return { markdownTemplateEngine: false, dir: { input: 'content' } };
};
`,
  );
  const program = join(installed, 'node_modules', '@11ty', 'eleventy', 'cmd.cjs');
  await peer(rows, 'Eleventy', join(root, 'eleventy-out'), (out, address) =>
    must(process.execPath, [program, '--quiet', `--output=${out}`], {
      cwd: folder,
      env: { PARTNER_URL: address },
      quiet: true,
    }),
  );
}

/**
 * Runs it for some partners, each into a folder of its own, and says what all would take.
 * @param {Row[]} rows
 * @param {string} name
 * @param {string} out
 * @param {(out: string, address: string) => Promise<unknown>} build
 */
async function peer(rows, name, out, build) {
  const before = processorOfChildren();
  const started = performance.now();
  for (let number = 1; number <= PEER_RUNS; number++) {
    await build(join(out, String(number)), `https://partner-${number}.example/with-docs/`);
  }
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.html'));
  const seconds = (performance.now() - started) / 1e3 / PEER_RUNS;
  const processor = (processorOfChildren() - before) / 1e3 / PEER_RUNS;
  rows.push([`${name}, 1 partner, ${files.length / PEER_RUNS} pages`, seconds.toFixed(2), processor.toFixed(2), '–']);
  const times = [seconds * PARTNERS, processor * PARTNERS].map((each) => each.toFixed(1));
  rows.push([`${name}, ${PARTNERS} partners (${PARTNERS} times that)`, ...times, '–']);
}

/** @param {string} program */
function which(program) {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}

/** @param {string} site */
export async function makeSite(site) {
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
