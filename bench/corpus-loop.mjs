// The whole loop with real pages and three partners; then every published page against the same page from renderers that
// know nothing of tieup.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import rehypeStringify from 'rehype-stringify';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { census, differences } from './census.mjs';
import { markdownFiles } from './corpus.mjs';
import { House } from './house.mjs';
import { tieup, tieupWithPeak } from './processes.mjs';
import { count, memory, table, time } from './text.mjs';

const PARTNERS = 3;

const WHY = `### Why pages differ

- *addresses which pages may not have*: the documentation system that these pages come from has addresses of its own (\`xref:\`), which no browser follows. The link goes, its text stays; \`tieup build\` does not warn of it.
- *links* and *elements left out*, against markdown-it alone: it takes \`Json.NET\` and the like for a host name; GitHub Flavored Markdown asks for \`www.\` or a scheme.
- *code*: of a fenced block which holds one blank line, remark keeps nothing. Nobody sees the difference.
- *text*, *items* and *elements added*: one tilde strikes through in remark, as at GitHub; markdown-it asks for two. The author meant neither (\`T~1~\`, a subscript).`;

export async function corpusLoop() {
  const house = new House();
  try {
    await house.build();
    await house.enroll(PARTNERS);
    /** @type {[string, { milliseconds: number, mebibytes: number }][]} */
    const steps = [];
    const build = await tieupWithPeak(house.main, '--json', 'build');
    const push = await tieupWithPeak(house.main, '--json', 'push');
    steps.push([`build, ${PARTNERS} partners`, build], [`push, ${PARTNERS} partners`, push]);
    for (const { partner, releaseDigest } of JSON.parse(push.stdout).partners) {
      const folder = house.partners.find(({ id }) => id === partner)?.folder ?? '';
      steps.push([`accept, ${partner}`, await tieupWithPeak(folder, 'accept', '--yes', releaseDigest)]);
      steps.push([`verify, ${partner}`, await tieupWithPeak(folder, 'verify')]);
    }
    await tieup(house.main, 'status');
    const { partners, warnings } = JSON.parse(build.stdout);
    const published = house.partners.map(({ folder }) => readPages(house, folder));
    return [
      `${count(partners[0].pages)} pages through the whole loop for ${partners.length} partners over the embedded SFTP server: built, pushed, accepted, verified; none needed a hand.`,
      table(
        ['step', 'time', 'peak memory'],
        steps.map(([name, { milliseconds, mebibytes }]) => [name, time(milliseconds), memory(mebibytes)]),
      ),
      warningsText(warnings),
      bracesText(house),
      differingText(published),
      fragmentsText(published[0] ?? new Map()),
      ...faithfulness(house, published[0] ?? new Map()),
      WHY,
    ].join('\n\n');
  } finally {
    await house.close();
  }
}

/**
 * What the page itself says, without its framework.
 * @param {House} house
 * @param {string} folder of the partner
 * @returns {Map<string, string>} HTML by source path
 */
function readPages(house, folder) {
  const pages = new Map();
  for (const path of markdownFiles(join(house.main, 'pages'))) {
    const html = readFileSync(join(folder, 'public', 'with-docs', publishedName(path)), 'utf8');
    const [, body] = /<main[^>]*>([\s\S]*)<\/main>/.exec(html) ?? [];
    if (body === undefined) throw new Error(`the published page of ${path} has no <main>`);
    pages.set(path, body);
  }
  return pages;
}

/** @param {string} path */
function publishedName(path) {
  return path.replace(/\.md$/, '.html').toLowerCase();
}

/**
 * @param {House} house
 * @param {string} path
 */
function markdownOf(house, path) {
  return readFileSync(join(house.main, 'pages', path), 'utf8').replace(/^---\r?\n[\s\S]*?\n---\r?\n/, '');
}

/** @param {readonly { message: string }[]} warnings */
function warningsText(warnings) {
  const dangling = warnings.filter(({ message }) => message.includes('does not lead to'));
  return `\`tieup build\` warned ${count(warnings.length)} times, ${count(dangling.length)} times of links to files which the corpus does not have.`;
}

/** @param {House} house */
function bracesText(house) {
  const pages = markdownFiles(join(house.main, 'pages')).map((path) => markdownOf(house, path));
  const braces = pages.filter((text) => text.includes('{{'));
  const outside = braces.filter((text) => withoutCode(text).includes('{{'));
  return `${count(braces.length)} pages hold a literal \`{{\`, ${count(outside.length)} of them outside code; none was taken for a variable.`;
}

/** @param {string} markdown */
function withoutCode(markdown) {
  return markdown.replaceAll(/^ {0,3}(```+|~~~+)[\s\S]*?^ {0,3}\1/gm, '').replaceAll(/(`+)[^`][\s\S]*?\1/g, '');
}

/** @param {readonly Map<string, string>[]} published */
function differingText([first = new Map(), ...others]) {
  const differing = [...first].filter(([path, html]) => others.some((pages) => pages.get(path) !== html));
  return `Pages whose own text differs from partner to partner: ${count(differing.length)} (it has no variables).`;
}

/**
 * Links with a fragment, from one page of the site to another: whether there is such an id.
 * @param {Map<string, string>} pages
 */
function fragmentsText(pages) {
  const ids = new Map([...pages].map(([path, html]) => [publishedName(path), new Set(census(html, path).ids)]));
  const astray = [];
  let all = 0;
  for (const [path, html] of pages) {
    for (const [, href = ''] of html.matchAll(/<a [^>]*?href="([^"]*#[^"]+)"/g)) {
      const target = new URL(href.replaceAll('&amp;', '&'), `page:///${publishedName(path)}`);
      const known = ids.get(target.pathname.slice(1));
      if (target.protocol !== 'page:' || known === undefined) continue;
      all += 1;
      if (!known.has(decodeURIComponent(target.hash.slice(1)))) astray.push(`\`${href}\` in ${path}`);
    }
  }
  return `Links to a heading of a page that is there: ${count(all)}, of which ${count(astray.length)} name an id which that page has not${astray.length === 0 ? '' : `: ${astray.join(', ')}`}.`;
}

/**
 * @param {House} house
 * @param {Map<string, string>} published
 * @returns {readonly string[]}
 */
function faithfulness(house, published) {
  return Object.entries(renderers()).map(([name, render]) => {
    /** @type {Map<string, Map<string, string>>} */
    const reasons = new Map();
    const unfaithful = new Set();
    for (const [path, html] of published) {
      for (const found of differences(census(render(markdownOf(house, path)), path), census(html, path))) {
        const [kind = ''] = found.split(':');
        reasons.set(kind, (reasons.get(kind) ?? new Map()).set(path, found));
        unfaithful.add(path);
      }
    }
    return [
      `### Against ${name}`,
      `Headings, links, code, tables, images, lists, text and elements of ${count(published.size - unfaithful.size)} of ${count(published.size)} pages are the same.`,
      ...[...reasons].map(([kind, pages]) => reasonText(kind, pages)),
    ].join('\n\n');
  });
}

/**
 * @param {string} kind
 * @param {Map<string, string>} pages
 */
function reasonText(kind, pages) {
  const listed = [...pages].map(
    ([path, found]) => `- ${path}: \`${found.slice(kind.length + 2).replaceAll('`', '´')}\``,
  );
  const summary = `<summary>${count(pages.size)} differ in ${kind}</summary>`;
  return `<details>${summary}\n\n${listed.join('\n')}\n\n</details>`;
}

/** @returns {Record<string, (markdown: string) => string>} */
function renderers() {
  const bare = unified()
    .use(remarkParse)
    .use(remarkGfm)
    .use(remarkRehype, { allowDangerousHtml: true })
    .use(rehypeStringify, { allowDangerousHtml: true });
  const markdownIt = loadMarkdownIt();
  return {
    'remark and rehype without sanitising': (markdown) => String(bare.processSync(markdown)),
    ...(markdownIt === undefined ? {} : { 'markdown-it': markdownIt }),
  };
}

/** A parser that shares no code with ours; where it is not installed (`TIEUP_PEERS` names its folder) it is left out. */
function loadMarkdownIt() {
  const peers = process.env['TIEUP_PEERS'];
  if (peers === undefined) return undefined;
  const parser = createRequire(join(peers, 'node_modules'))('markdown-it')({ html: true, linkify: true });
  return (/** @type {string} */ markdown) => String(parser.render(markdown));
}
