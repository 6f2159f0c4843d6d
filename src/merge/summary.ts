/** What a merge does, in plain language for the person who decides about it. */
import { isHtml } from './file-nature.ts';
import type { MergeEntry, MergePlan } from './plan.ts';
import type { LeftOut } from './wanted.ts';

/** Paths by what happens to them; pages are HTML files, everything else is a file. */
export interface Summary {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
  /** Copies of original pages that are new, other than before, or gone: the original folder changed. */
  readonly originals: {
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
  };
  /** Original pages in whose place a tie-up page stands, because the manager chose so. */
  readonly replaced: readonly string[];
  readonly leftOut: MergePlan['leftOut'];
  readonly fallbacks: MergePlan['fallbacks'];
  readonly unusedSlots: MergePlan['unusedSlots'];
  readonly foreign: readonly string[];
  /** Files of the release before that stay until the next one. */
  readonly earlier: readonly string[];
  readonly conflicts: number;
}

/**
 * Pages whose slots are filled count as changed unless the plan knows their digests: `resolvePlan` of publish/compose.ts
 * finds them.
 */
export function summarise(plan: MergePlan): Summary {
  const earlier = new Set(plan.earlier);
  const tieUp = plan.entries.filter(({ from, path }) => from.kind === 'object' && !earlier.has(path));
  const copies = plan.entries.filter(({ from }) => from.kind === 'original');
  return {
    added: paths(tieUp.filter(({ before }) => before === undefined)),
    changed: paths(tieUp.filter(changes)),
    removed: paths(plan.removals.filter(({ original }) => !original)),
    unchanged: tieUp.filter((entry) => entry.before !== undefined && !changes(entry)).length,
    originals: {
      added: paths(copies.filter(({ before }) => before === undefined)),
      changed: paths(copies.filter(changes)),
      removed: paths(plan.removals.filter(({ original }) => original)),
    },
    replaced: plan.replaced,
    leftOut: plan.leftOut,
    fallbacks: plan.fallbacks,
    unusedSlots: plan.unusedSlots,
    foreign: plan.foreign,
    earlier: plan.earlier,
    conflicts: plan.conflicts.length,
  };
}

/** One sentence: `3 pages change, 1 is new, nothing of yours is touched`. */
export function summaryText(summary: Summary): string {
  const parts: string[] = [];
  for (const [noun, belongs] of [
    ['page', isHtml],
    ['other file', (path: string) => !isHtml(path)],
  ] as const) {
    const changed = summary.changed.filter(belongs).length;
    const added = summary.added.filter(belongs).length;
    const removed = summary.removed.filter(belongs).length;
    // The noun stands once: "3 pages change, 1 is new".
    const said: string[] = [];
    const say = (count: number, one: string, many: string) => {
      if (count === 0) return;
      const name = said.length === 0 ? ` ${count === 1 ? noun : `${noun}s`}` : '';
      said.push(`${count}${name} ${count === 1 ? one : many}`);
    };
    say(changed, 'changes', 'change');
    say(added, 'is new', 'are new');
    say(removed, 'goes', 'go');
    parts.push(...said);
  }
  return [parts.length === 0 ? 'no tie-up page changes' : parts.join(', '), ...originalParts(summary)].join(', ');
}

function originalParts({ originals, replaced }: Summary): string[] {
  const moved = originals.added.length + originals.changed.length + originals.removed.length;
  const copies =
    moved === 0 ? [] : [`${moved} of your own ${moved === 1 ? 'files follows' : 'files follow'} your original folder`];
  if (replaced.length === 0) return [...copies, 'nothing of yours is touched'];
  const count = replaced.length === 1 ? 'one page of yours is' : `${replaced.length} pages of yours are`;
  return [...copies, `${count} not shown, as you chose: ${replaced.join(', ')}`];
}

/** What the one sentence leaves out: a line for each thing that the manager may want to know. */
export function summaryDetails(summary: Summary): readonly string[] {
  return [
    ...summary.added.map((path) => `new      ${path}`),
    ...summary.changed.map((path) => `changed  ${path}`),
    ...summary.removed.map((path) => `goes     ${path}`),
    ...earlierParts(summary),
    ...summary.leftOut.map((each) => `left out ${each.path} (${leftOutReason(each)})`),
    ...summary.fallbacks.map(
      ({ page, slot }) => `slot     ${page}: nothing of yours for "${slot}", it shows the main site's text`,
    ),
    ...summary.unusedSlots.map(
      ({ page, slot }) => `slot     ${page}: what you wrote for "${slot}" is not used by this release`,
    ),
    ...summary.foreign.map((path) => `unknown  ${path} is under the mount, and tieup did not put it there`),
  ];
}

function earlierParts({ earlier: { length } }: Summary): readonly string[] {
  if (length === 0) return [];
  const what = length === 1 ? '1 file of the release before stays' : `${length} files of the release before stay`;
  return [`stays    ${what} until the next one, for pages that visitors have open`];
}

function leftOutReason({ reason, slots }: LeftOut): string {
  if (reason === 'withheld') return 'you withhold it';
  if (reason === 'kept-mine') return 'you keep yours';
  return `it needs your text for ${(slots ?? []).map((slot) => `"${slot}"`).join(', ')}`;
}

/** True when other bytes stand at the path now. */
function changes({ before, digest }: MergeEntry): boolean {
  return before !== undefined && before.digest !== digest;
}

function paths(entries: readonly { readonly path: string }[]): string[] {
  return entries.map(({ path }) => path);
}
