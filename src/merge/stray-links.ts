/**
 * Links in tie-up pages that lead to tie-up pages which this site does not get: withheld, left out, or published elsewhere.
 * An aid for the manager, not a gate: addresses are found by their look, in one pass over the bytes of a page.
 */
import type { Release } from '../protocol/release.ts';
import { addressOf } from './active-elements.ts';
import { isHtml } from './file-nature.ts';
import type { MergePlan } from './plan.ts';

export interface StrayLinks {
  /** The page that the links were written for, from the web root. */
  readonly target: string;
  /** What visitors find there instead. */
  readonly instead: 'nothing' | 'yours';
  /** The tie-up pages with such a link, in the order of the plan. */
  readonly pages: readonly string[];
}

type Targets = ReadonlyMap<string, StrayLinks['instead']>;

/** Pages and redirects of the release that are not live at their own path once the plan is carried out. */
export function absentPages(plan: MergePlan, { files }: Pick<Release, 'files'>): Targets {
  const tieUp = new Set<string>();
  const yours = new Set(plan.foreign);
  for (const { path, from } of plan.entries) (from.kind === 'object' ? tieUp : yours).add(path);
  return new Map(
    files
      .filter(({ path }) => isHtml(path) && !tieUp.has(path))
      .map(({ path }) => [path, yours.has(path) ? 'yours' : 'nothing']),
  );
}

/** The `targets` to which the page at `path` links, each once. */
export function linksTo(targets: Targets, page: Uint8Array, path: string): readonly string[] {
  const base = addressOf(path);
  const found = new Set<string>();
  // Each alternative ends at the quote it began with, so that no page makes this slow.
  for (const [, double, single] of new TextDecoder().decode(page).matchAll(/\bhref=(?:"([^"]*)"|'([^']*)')/gi)) {
    const target = pageAt((double ?? single ?? '').replaceAll(AMPERSAND, '&'), base, targets);
    if (target !== undefined) found.add(target);
  }
  return [...found];
}

const AMPERSAND = /&(?:amp|#38|#x26);/gi;

function pageAt(href: string, base: URL, targets: Targets): string | undefined {
  if (ELSEWHERE.test(href)) return undefined;
  const path = pathOf(href, base);
  if (path === undefined) return undefined;
  const candidates = path === '' || path.endsWith('/') ? [`${path}index.html`] : [path, `${path}/index.html`];
  return candidates.find((candidate) => targets.has(candidate));
}

/** On this page, or with a scheme: no link within a site that is the same for every partner. */
const ELSEWHERE = /^(?:#|[a-z][a-z0-9+.-]*:)/i;

/** From the web root; undefined when the address leads elsewhere or nowhere. */
function pathOf(href: string, base: URL): string | undefined {
  try {
    const { host, pathname } = new URL(href, base);
    return host === base.host ? decodeURIComponent(pathname.slice(1)) : undefined;
  } catch {
    return undefined;
  }
}
