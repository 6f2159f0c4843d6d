/**
 * Whole sites, as files: `test/golden/<case>/input` and what every partner gets of it in `expected`.
 * `npx vitest run test/unit/content/golden.test.ts -u` writes `expected` anew; read the difference before you commit it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { PartnerView, SiteSource } from '../../../src/content/source.ts';
import { isTieupError } from '../../../src/errors.ts';
import { compileSource, MARKDOWN, pageSource, placed } from './site-builder.ts';

const GOLDEN = join(import.meta.dirname, '../../golden');
const RELEASE = 7;

const texts = z.record(z.string(), z.string());
const settings = z.strictObject({
  site: z.strictObject({ name: z.string(), url: z.string(), language: z.string(), values: texts }),
  partners: z.array(
    z.strictObject({
      id: z.string(),
      name: z.string(),
      tags: z.array(z.string()),
      url: z.string(),
      mount: z.string(),
      search: z.enum(['canonical-to-main', 'noindex', 'own']),
      values: texts,
    }),
  ),
});

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}

function readInput(folder: string): { source: SiteSource; partners: readonly PartnerView[] } {
  const { site, partners } = settings.parse(JSON.parse(readFileSync(join(folder, 'site.json'), 'utf8')));
  const read = (path: string) => readFileSync(join(folder, path), 'utf8');
  const pages = filesBelow(join(folder, 'pages')).map((path) => pageSource(path, read(`pages/${path}`)));
  const templates = filesBelow(join(folder, 'templates')).map((path) => {
    return { name: path.replace(/\.html$/, ''), file: `templates/${path}`, text: read(`templates/${path}`) };
  });
  const assets = filesBelow(join(folder, 'assets')).map((path) => ({ path, length: 1, digest: '0'.repeat(64) }));
  return { source: { site, pages, templates, assets, markdown: MARKDOWN, includes: [], data: {} }, partners };
}

/** Everything that comes of a site, as texts by path. */
function renderAll(folder: string): ReadonlyMap<string, string> {
  const { source, partners } = readInput(folder);
  const outputs = new Map<string, string>();
  const listed: string[] = [];
  try {
    const site = compileSource(source);
    listed.push(...site.warnings.map((warning) => `warning ${placed(warning)}`));
    for (const partner of partners) {
      for (const file of site.filesFor(partner)) {
        const slots = file.kind === 'page' ? file.render(RELEASE).slots : [];
        listed.push(
          `${partner.id} ${file.kind} ${file.path}${slots.map((slot) => ` ${slot.name}@${slot.offset}+${slot.length}`).join('')}`,
        );
        if (file.kind === 'asset') continue;
        const bytes = file.kind === 'page' ? file.render(RELEASE).bytes : file.render();
        outputs.set(`${partner.id}/${file.path}`, new TextDecoder().decode(bytes));
      }
    }
  } catch (error) {
    if (!isTieupError(error, 'TIEUP_E_CONTENT')) throw error;
    listed.push(`${error.code} ${error.message}`, ...error.problems.map(placed));
  }
  return outputs.set('summary.txt', `${listed.join('\n')}\n`);
}

describe('the golden site', () => {
  it.each(readdirSync(GOLDEN))('%s renders as it always has', async (name) => {
    const expected = join(GOLDEN, name, 'expected');
    const outputs = renderAll(join(GOLDEN, name, 'input'));
    for (const [path, text] of outputs) await expect(text).toMatchFileSnapshot(join(expected, path));
    expect(filesBelow(expected).filter((path) => !outputs.has(path))).toEqual([]);
  });
});
