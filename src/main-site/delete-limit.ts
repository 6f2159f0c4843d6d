/** Keeps an empty folder of pages, or a wrong tag, from taking the tie-up pages of a thousand partners away. */
import { TieupError } from '../errors.ts';
import type { ReleaseFile } from '../protocol/release.ts';
import type { NextRelease } from './push.ts';

/** How many files of a release the next one may leave out. */
export type DeleteLimit =
  | { readonly kind: 'files'; readonly most: number }
  /** Per cent of the files that were there. */
  | { readonly kind: 'share'; readonly most: number };

/** Nobody is asked about less than this, unless no page is left: a site of five pages may well drop four. */
const UNASKED_FILES = 5;
const UNASKED_SHARE = 50;

/** Reads `20` or `10%`. @throws TIEUP_E_USAGE. */
export function parseDeleteLimit(text: string): DeleteLimit {
  const [, digits = '', percent] = /^(\d{1,9})(%)?$/.exec(text) ?? [];
  const most = Number(digits);
  if (digits !== '' && (percent === undefined || most <= 100))
    return { kind: percent === undefined ? 'files' : 'share', most };
  throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(text)} is no bound for deletions`, {
    hint: 'write a number of files, such as 20, or a share of them, such as 10%',
  });
}

/** What was said about deletions. */
export interface Deletions {
  /** More than half of the files, when these are five or more, unless given. */
  readonly maxDelete?: DeleteLimit | undefined;
  /** Ids of partners that may lose all their pages. */
  readonly confirmed?: ReadonlySet<string> | undefined;
}

/**
 * No bound allows that no page is left: a bound in a script would let an empty folder take everything from everybody.
 * @throws TIEUP_E_CONFLICT.
 */
export function assertFewDeletions(
  partner: string,
  { plan, base }: Pick<NextRelease, 'plan' | 'base'>,
  { maxDelete: limit, confirmed }: Deletions,
): void {
  if (confirmed?.has(partner) === true) return;
  const { added, removed, unchanged, changed } = plan;
  const pagesBefore = pagesOf(base?.release.files ?? []);
  if (pagesBefore > 0 && pagesOf(plan.files.map(({ file }) => file)) === 0) {
    throw new TieupError('TIEUP_E_CONFLICT', `${partner} would lose its tie-up pages, all ${pagesBefore} of them`, {
      hint: `are the pages, and its tags, where they should be? If that is meant, add --confirm ${partner}`,
    });
  }
  const before = changed.length + unchanged + removed.length;
  const lost = removed.length - (plan.termsDiffer ? movedAlong(plan, base) : 0);
  const share = before === 0 ? 0 : (100 * lost) / before;
  const isTooMany =
    limit === undefined
      ? lost >= UNASKED_FILES && share > UNASKED_SHARE
      : (limit.kind === 'files' ? lost : share) > limit.most;
  if (!isTooMany) return;
  const allowed = limit === undefined ? 'half of them' : limit.kind === 'files' ? `${limit.most}` : `${limit.most} %`;
  throw new TieupError(
    'TIEUP_E_CONFLICT',
    `${partner} would lose ${lost} of its ${before} tie-up files and get ${added.length} new ones; no more than ${allowed} may go`,
    { hint: `look at them with tieup plan ${partner}; if that is meant, add --max-delete ${lost}` },
  );
}

/** How many of the files that go lie at the same place below another mount: terms that move all pages take none away. */
function movedAlong({ removed, files }: NextRelease['plan'], base: NextRelease['base']): number {
  const now = files.map(({ file }) => file.path);
  const [from, to] = [folderOf((base?.release.files ?? []).map(({ path }) => path)), folderOf(now)];
  const places = new Set(now.map((path) => path.slice(to.length)));
  return removed.filter((path) => places.has(path.slice(from.length))).length;
}

/** The folder in which all of them are, with its slash. */
function folderOf(paths: readonly string[]): string {
  let [folder = ''] = paths;
  for (const path of paths) {
    while (!path.startsWith(folder) || !(folder === '' || folder.endsWith('/'))) folder = folder.slice(0, -1);
  }
  return folder;
}

function pagesOf(files: readonly ReleaseFile[]): number {
  return files.filter(({ page }) => page !== undefined).length;
}
