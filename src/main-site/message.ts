/** The confirmation message of a release: what the partner's manager reads before anything else. */
import type { MainSiteConfig } from '../config/main-site.ts';
import type { ConfirmationMessage } from '../protocol/release.ts';
import type { PlannedChanges } from './plan-release.ts';

export interface MessageRequest {
  /** One line; from tieup.yaml or made from the plan when not given. */
  readonly subject: string | undefined;
  /** Why; from tieup.yaml when not given. */
  readonly text: string | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export function composeMessage(
  config: MainSiteConfig,
  request: MessageRequest,
  plan: PlannedChanges,
  now: Date,
): { readonly message: ConfirmationMessage; readonly confirmBy: Date } {
  const subject = request.subject ?? config.message?.subject ?? `${config.site.name}: ${summarise(plan)}`;
  const text = request.text ?? config.message?.text ?? '';
  return { message: { subject, text }, confirmBy: new Date(now.getTime() + config.confirmWithinDays * DAY_MS) };
}

/** `2 new, 1 changed, 1 removed`; `same pages` when no file differs; and `new terms` when they are. */
export function summarise({ added, changed, removed, termsDiffer }: PlannedChanges): string {
  const parts = [
    [added.length, 'new'],
    [changed.length, 'changed'],
    [removed.length, 'removed'],
  ] as const;
  const named = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return [...(named.length === 0 ? ['same pages'] : named), ...(termsDiffer ? ['new terms'] : [])].join(', ');
}
