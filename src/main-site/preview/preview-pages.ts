/** The pages of the preview itself: where to begin, what is wrong, what is not there. */
import { escapeAttribute, escapeText } from '../../content/encode.ts';
import type { TieupError } from '../../errors.ts';
import { formatProblem } from '../../errors.ts';
import type { ShownProblem } from './excerpt.ts';
import type { ListedPage } from './merged-site.ts';

export interface ListedPartner {
  readonly id: string;
  readonly name: string;
  /** `/with-main/` */
  readonly mount: string;
  /** Undefined where there are too many to list them all. */
  readonly pages: readonly ListedPage[] | undefined;
  /** Why it has none. */
  readonly error: TieupError | undefined;
}

export function startPage(siteName: string, partners: readonly ListedPartner[]): string {
  const sections = partners.map(({ id, name, mount, pages, error }) => {
    const to = (address: string): string => escapeAttribute(partnerAddress(id, address));
    const list = pages === undefined ? '' : `\n${pageList(pages, (address) => partnerAddress(id, address))}`;
    const wrong = error === undefined ? '' : `\n<p class="wrong">${escapeText(error.message)}</p>`;
    return `<section>\n<h2><a href="${to(mount)}">${escapeText(name)}</a></h2>
<p><code>${escapeText(id)}</code>, pages at <code>${escapeText(mount)}</code></p>${wrong}${list}\n</section>`;
  });
  const none =
    '<p>There are no partners yet: add <code>partners/&lt;id&gt;.yaml</code>, or start with <code>tieup init</code>.</p>';
  return frame(
    `Preview of ${siteName}`,
    `<p>Choose a partner to see your pages as they would be there. They follow what you save.</p>
${sections.length === 0 ? none : sections.join('\n')}`,
  );
}

/** Where the preview's own address leads to a page of a partner. */
export function partnerAddress(partner: string, address: string): string {
  return `/to/${encodeURIComponent(partner)}${address}`;
}

export function notFoundPage(address: string, partner: string, pages: readonly ListedPage[]): string {
  return frame(
    'There is no such page',
    `<p><code>${escapeText(address)}</code> is not there at ${escapeText(partner)}. These pages are:</p>
${pageList(pages, (each) => each)}`,
  );
}

export function leftOutPage(source: string, slots: readonly string[]): string {
  const named = slots.map((slot) => `<li><code>${escapeText(slot)}</code></li>`).join('');
  return frame(
    'The partner does not have this page',
    `<p><code>${escapeText(source)}</code> is left out until the partner fills what the page says it needs:</p>
<ul>${named}</ul>`,
  );
}

export function errorPage({ message, hint }: TieupError, problems: readonly ShownProblem[]): string {
  const more = hint === undefined ? '' : `<p>${escapeText(hint)}</p>\n`;
  const items = problems.map(
    (problem) =>
      `<section class="wrong">\n<h2>${escapeText(formatProblem(problem))}</h2>${excerptOf(problem)}\n</section>`,
  );
  return frame(
    'This cannot be shown yet',
    `<p>${escapeText(message)}</p>\n${more}${items.join('\n')}\n<p>The page comes back when it is mended and saved.</p>`,
  );
}

function excerptOf({ excerpt, column }: ShownProblem): string {
  if (excerpt.length === 0) return '';
  const width = String(excerpt.at(-1)?.number ?? 0).length;
  const lines = excerpt.map(({ number, text, isWrong }) => {
    const line = `${String(number).padStart(width)} | ${text}`;
    if (!isWrong) return escapeText(line);
    const caret =
      column === undefined || column > text.length + 1
        ? ''
        : // Tabs stay tabs, so that the mark stands below its letter.
          `\n${' '.repeat(width)} | ${text.slice(0, column - 1).replace(/[^\t]/g, ' ')}^`;
    return `<mark>${escapeText(line)}</mark>${caret}`;
  });
  return `\n<pre tabindex="0">${lines.join('\n')}</pre>`;
}

function pageList(pages: readonly ListedPage[], link: (address: string) => string): string {
  const items = pages.map(
    ({ address, title, inherit }) =>
      `<li><a href="${escapeAttribute(link(address))}">${escapeText(title)}</a> <small>${escapeText(inherit)}</small></li>`,
  );
  return `<ul>\n${items.join('\n')}\n</ul>`;
}

/** Whatever comes into these pages is text; nothing else may run or load. */
export const OWN_PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
};

function frame(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeText(title)}</title>
<style>
:root { color-scheme: light dark; --ink: #1d1c1a; --paper: #fdfcfa; --soft: #5b5751; --line: #dcd8d0; --accent: #0a5a61; --mark: #fff1b8; --wrong: #9b1c1c }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e5df; --paper: #15181a; --soft: #aaa69e; --line: #363c40; --accent: #86d0d4; --mark: #5a4a12; --wrong: #ff9c96 } }
body { max-width: 52rem; margin: 0 auto; padding: 2rem 1.2rem 4rem; background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: break-word }
h1 { font-size: 1.7rem; line-height: 1.2 } h2 { margin: 0 0 .3rem; font-size: 1.15rem; line-height: 1.35 }
a { color: var(--accent) } small, section > p { color: var(--soft) } section > p { margin: 0 }
section { margin: 1.2rem 0; padding: 1rem 1.2rem; border: 1px solid var(--line); border-radius: 8px }
.wrong { border-left: 4px solid var(--wrong) } p.wrong { padding-left: .8rem }
pre { margin: .8rem 0 0; overflow-x: auto; font: .9rem/1.5 ui-monospace, Menlo, Consolas, monospace; tab-size: 4 } mark { background: var(--mark); color: inherit }
</style>
</head>
<body>
<main>
<h1>${escapeText(title)}</h1>
${body}
</main>
</body>
</html>
`;
}
