// A main site of the bench, loaded as a push loads it, and partners that exist only here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMainSite } from '../dist/config/main-site.js';
import { compileCached } from '../dist/content/compile-cached.js';
import { compileHere } from '../dist/content/compile-here.js';
import { folderTree } from '../dist/io/folder-tree.js';
import { packCache } from '../dist/io/pack-cache.js';
import { loadSite } from '../dist/main-site/load-site.js';

/**
 * Its texts come from the cache of a build before.
 * @param {string} folder
 */
export async function loadBenchSite(folder) {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const memory = packCache(folder, ['.tieup', 'cache']);
  return loadSite(
    {
      config: parseMainSite(readFileSync(join(folder, 'tieup.yaml'), 'utf8'), 'tieup.yaml'),
      files: folderTree(folder),
      memory,
      identity: 'bench',
      markdown: compileCached(memory, compileHere, manifest.version),
      images: async () => undefined,
    },
    new Date(),
  );
}

/**
 * @param {number} number
 * @returns {import('../dist/content/source.js').PartnerView}
 */
export function viewOf(number) {
  return {
    id: `partner-${number}`,
    name: `Partner ${number}`,
    tags: [],
    url: `https://partner-${number}.example/`,
    mount: '/with-docs/',
    search: 'noindex',
    values: {},
  };
}
