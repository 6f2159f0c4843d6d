/** What goes when a partner leaves, for the manager before being asked and for `--json`. */
import type { DocumentData } from './documents/catalog.ts';
import { summarise } from '../merge/summary.ts';
import type { LeavePlan, LeaveResult } from '../partner-site/leave.ts';
import type { Output } from './output.ts';
import { count } from './quantity.ts';
import { visible } from './visible.ts';

const SHOWN = 30;

export function leavingText(output: Output, { plan, live }: LeavePlan): string {
  const { removed, originals } = summarise(plan);
  const back = [...originals.added, ...originals.changed];
  const list = (paths: readonly string[]): readonly string[] => [
    ...paths.slice(0, SHOWN).map((path) => `  ${visible(path)}`),
    ...(paths.length > SHOWN ? [`  … and ${paths.length - SHOWN} more`] : []),
  ];
  return [
    output.strong(
      `Leaving takes release ${live.release?.number ?? '-'} off your site: ${count(removed.length, 'file')}`,
    ),
    ...list(removed),
    ...(back.length === 0 ? [] : ['Pages of your own that come back in their place:', ...list(back)]),
    `${count(plan.counts.original, 'page')} of your own will be there. The main site is told; nothing of it can go live until you undo this.`,
    '',
  ].join('\n');
}

export function describeLeaving({
  plan,
  publication,
  receipt,
}: Extract<LeaveResult, { kind: 'left' }>): DocumentData<'leave'> {
  const { removed, originals } = summarise(plan);
  return {
    result: 'left',
    publication: publication.record.number,
    removed,
    restored: [...originals.added, ...originals.changed],
    pages: publication.record.pages,
    unpruned: publication.unpruned,
    receipt: receipt?.state ?? null,
  };
}
