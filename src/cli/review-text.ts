/** What the manager reads before being asked: the message, what changes, what to know. */
import type { DocumentData } from './documents/catalog.ts';
import { formatProblem } from '../errors.ts';
import { conflictProblem } from '../merge/conflict.ts';
import { summarise, summaryDetails, summaryText } from '../merge/summary.ts';
import type { StrayLinks } from '../merge/stray-links.ts';
import type { Decision } from '../protocol/decision.ts';
import type { SitePlan } from '../partner-site/plan-site.ts';
import type { Review } from '../partner-site/review.ts';
import type { Output } from './output.ts';
import { count } from './quantity.ts';
import { changedTermsText } from './terms-text.ts';
import { visible, visibleLines } from './visible.ts';

const SHOWN_DETAILS = 30;
const SHOWN_NAMES = 3;

/** A review as text of several lines, without what only a diff tells. */
export function reviewText(output: Output, review: Review): string {
  const { opened, plan, termsBefore, rejected } = review;
  const { release, terms } = opened;
  const summary = summarise(plan);
  const lines = [
    output.strong(`Release ${release.release} from ${visible(terms.main.name)}: ${visible(release.message.subject)}`),
    ...indented(release.message.text),
    ...(release.confirmBy === null ? [] : [`An answer is wanted until ${release.confirmBy.slice(0, 10)}.`]),
    ...(rejected === undefined ? [] : [output.mark('warning', rejectedText(rejected))]),
    '',
    ...(termsBefore === undefined
      ? []
      : [output.mark('warning', 'the terms change:'), changedTermsText(termsBefore, terms), '']),
    `In short: ${summaryText(summary)}.`,
    ...shortened(summaryDetails(summary)).map((line) => `  ${visible(line)}`),
    ...plan.conflicts.map((conflict) =>
      output.mark('bad', `conflict: ${visible(formatProblem(conflictProblem(conflict)))}`),
    ),
    ...opened.activeContent.map(({ path, what }) =>
      output.mark('warning', `active content in ${visible(path)}: ${visible(what)}`),
    ),
    ...planNotes(review).map((note) => output.mark('warning', visible(note))),
  ];
  return `${lines.join('\n')}\n`;
}

function rejectedText({ time, reason }: Decision): string {
  const why = reason === null || reason === '' ? '' : `: ${visible(reason)}`;
  return `you rejected this release on ${time.slice(0, 10)}${why}`;
}

export type DescribedReview = NonNullable<DocumentData<'site-status'>['waiting']>;

/** The same for `--json`. */
export function describeReview({
  opened,
  plan,
  termsBefore,
  rejected,
  unusedSlotFiles,
  strayLinks,
}: Review): DescribedReview {
  const { release, releaseDigest, terms, activeContent } = opened;
  const { message, confirmBy, created, release: number } = release;
  return {
    release: number,
    releaseDigest,
    created,
    confirmBy,
    message,
    terms,
    termsBefore: termsBefore ?? null,
    rejected: rejected === undefined ? null : { time: rejected.time, reason: rejected.reason },
    activeContent,
    unusedSlotFiles,
    strayLinks,
    ...summarise(plan),
  };
}

/** What the manager may want to mend, a line each. */
export function planNotes({ unusedSlotFiles, strayLinks }: SitePlan): readonly string[] {
  return [
    ...unusedSlotFiles.map((file) => `${file} fills no slot of this release`),
    ...strayLinkNotes(strayLinks, 'nothing', 'to pages that you keep out'),
    ...strayLinkNotes(strayLinks, 'yours', 'to pages of yours in place of the main site’s'),
  ];
}

function strayLinkNotes(all: readonly StrayLinks[], instead: StrayLinks['instead'], where: string): readonly string[] {
  const stray = all.filter((each) => each.instead === instead);
  const links = stray.reduce((sum, { pages }) => sum + pages.length, 0);
  if (links === 0) return [];
  const targets = stray.map(({ target, pages }) => `${target} (on ${listed(pages)})`);
  return [`${count(links, 'link')} ${links === 1 ? 'leads' : 'lead'} ${where}: ${listed(targets)}`];
}

function listed(names: readonly string[]): string {
  const rest = names.length - SHOWN_NAMES;
  return rest <= 0 ? names.join(', ') : `${names.slice(0, SHOWN_NAMES).join(', ')} and ${rest} more`;
}

function indented(text: string): readonly string[] {
  return text === ''
    ? []
    : visibleLines(text)
        .split('\n')
        .map((line) => `  ${line}`);
}

function shortened(lines: readonly string[]): readonly string[] {
  if (lines.length <= SHOWN_DETAILS) return lines;
  return [...lines.slice(0, SHOWN_DETAILS), `… and ${lines.length - SHOWN_DETAILS} more (--json lists all)`];
}
