// What `fill` measures, each in a process of its own: the pages of a site whose texts have been compiled before, filled for
// partners that exist only here.
//   fill-pages SITE PARTNERS fill      every page copied together into shared room, for every partner
//   fill-pages SITE PARTNERS digests   the same, and the SHA-256 of each
//   fill-pages SITE PARTNERS floor     the SHA-256 alone, of the same bytes, over and over
import { Scratch } from '../dist/content/render.js';
import { sha256 } from '../dist/protocol/digest.js';
import { loadBenchSite, viewOf } from './bench-site.mjs';

const [folder = '', partners = '1', what = 'fill'] = process.argv.slice(2);
const site = await loadBenchSite(folder);

/** @param {number} number */
const filesOf = (number) => site.filesFor(viewOf(number)).flatMap((file) => (file.kind === 'page' ? [file] : []));

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
