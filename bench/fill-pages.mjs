// What `fill` measures, each in a process of its own: the pages of a site whose texts have been compiled before, filled for
// partners that exist only here.
//   fill-pages SITE PARTNERS fill      every page copied together into shared room, for every partner
//   fill-pages SITE PARTNERS digests   the same, and the SHA-256 of each
//   fill-pages SITE PARTNERS floor     the SHA-256 alone, of the same bytes, over and over
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMainSite } from '../dist/config/main-site.js';
import { compileCached } from '../dist/content/compile-cached.js';
import { compileHere } from '../dist/content/compile-here.js';
import { Scratch } from '../dist/content/render.js';
import { folderTree } from '../dist/io/folder-tree.js';
import { packCache } from '../dist/io/pack-cache.js';
import { loadSite } from '../dist/main-site/load-site.js';
import { sha256 } from '../dist/protocol/digest.js';

const [folder = '', partners = '1', what = 'fill'] = process.argv.slice(2);
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const memory = packCache(folder, ['.tieup', 'cache']);
const config = parseMainSite(readFileSync(join(folder, 'tieup.yaml'), 'utf8'), 'tieup.yaml');
const site = await loadSite(
  {
    config,
    files: folderTree(folder),
    memory,
    identity: 'bench',
    markdown: compileCached(memory, compileHere, manifest.version),
    images: async () => undefined,
  },
  new Date(),
);

/** @param {number} number */
const filesOf = (number) =>
  site
    .filesFor({
      id: `partner-${number}`,
      name: `Partner ${number}`,
      tags: [],
      url: `https://partner-${number}.example/`,
      mount: '/with-docs/',
      search: 'noindex',
      values: {},
    })
    .flatMap((file) => (file.kind === 'page' ? [file] : []));

const scratch = new Scratch();
const pages = what === 'floor' ? filesOf(0).map((file) => file.render(1).bytes) : [];
let bytes = 0;
let count = 0;
const before = process.cpuUsage();
for (let number = 1; number <= Number(partners); number++) {
  if (what === 'floor') {
    for (const page of pages) {
      sha256(page);
      bytes += page.length;
    }
    count += pages.length;
    continue;
  }
  for (const file of filesOf(number)) {
    const page = file.render(1, scratch).bytes;
    if (what === 'digests') sha256(page);
    bytes += page.length;
    count++;
  }
}
const { user, system } = process.cpuUsage(before);
const peak = process.resourceUsage().maxRSS;
process.stdout.write(`${JSON.stringify({ count, bytes, cpu: user + system, peak })}\n`);
