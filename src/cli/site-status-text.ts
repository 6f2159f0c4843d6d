/** `tieup status` of a partner site: what is live, what waits, what was decided last. */
import { status, type SiteStatus } from '../partner-site/status.ts';
import type { Context } from './command-context.ts';
import { byteCount, count } from './quantity.ts';
import { describeReview, reviewText } from './review-text.ts';
import { visible } from './visible.ts';

export async function showSite(ctx: Context): Promise<void> {
  const found = await status(await ctx.partnerSite());
  const { live, held, left, inbox, withheld, decision } = found;
  const waiting = inbox.kind === 'waiting' || inbox.kind === 'rejected' ? describeReview(inbox.review) : null;
  const refused = inbox.kind === 'refused' ? { code: inbox.error.code, message: inbox.error.message } : null;
  const leftSince = left?.since ?? null;
  const data = {
    live: live ?? null,
    held,
    leftSince,
    withheld,
    decision: decision ?? null,
    inbox: inbox.kind,
    waiting,
    refused,
    logs: found.logs ?? null,
    warnings: found.warnings,
  };
  ctx.output.result(
    'site-status',
    data,
    () => `${[...liveLines(ctx, found), ...logLines(found), ...inboxLines(ctx, found)].join('\n')}\n`,
  );
  if (!ctx.output.json) for (const warning of found.warnings) ctx.output.warning(warning);
}

function liveLines({ output }: Context, { live, held, left, withheld, recovery }: SiteStatus): readonly string[] {
  const lines: string[] = [];
  if (recovery.kind !== 'nothing')
    lines.push(output.mark('warning', `an interrupted publication was ${recovery.kind}`));
  if (live === undefined || live.release === null) lines.push('no tie-up page is live');
  else {
    const pages = `${count(live.pages.tieUp, 'tie-up page')}, ${count(live.pages.original, 'page')} of your own`;
    lines.push(`${output.mark('good', `release ${live.release.number} is live`)} since ${live.time}: ${pages}`);
  }
  if (left !== undefined) {
    const day = left.since.slice(0, 10);
    const what =
      live === undefined || live.release === null
        ? `you left the partnership on ${day}; tieup leave --undo takes that back`
        : `leaving was interrupted on ${day}; finish it with tieup leave`;
    lines.push(output.mark('warning', what));
  }
  if (held) lines.push(output.mark('warning', 'it is held after a rollback; tieup resume ends that'));
  if (withheld.length > 0) lines.push(`you withhold ${withheld.map(visible).join(', ')}`);
  return lines;
}

function logLines({ logs }: SiteStatus): readonly string[] {
  if (logs === undefined) return [];
  if (logs.readAt === null) return ['your access logs were not read yet; tieup logs commit reads them'];
  const { readAt, lines, disk } = logs;
  const kept = `${byteCount(disk.bytes)} in ${count(disk.files, 'file')}`;
  return [`access logs were read at ${readAt}: ${count(lines, 'line')}; ${kept} are kept of them`];
}

function inboxLines({ output }: Context, { inbox, left, held }: SiteStatus): readonly string[] {
  if (left !== undefined && (inbox.kind === 'waiting' || inbox.kind === 'rejected'))
    return ['a release lies in the inbox; nothing of it is published while you have left'];
  switch (inbox.kind) {
    case 'empty':
      return ['the inbox is empty'];
    case 'live':
      return ['nothing new in the inbox'];
    case 'rejected':
      return [
        `${output.mark('bad', 'you rejected what is in the inbox')}: ${visible(inbox.reason ?? 'without a reason')}`,
      ];
    case 'refused': {
      const { message, hint } = inbox.error;
      return [
        output.mark('bad', `what is in the inbox is refused: ${visible(message)}`),
        ...(hint === undefined ? [] : [`  ${hint}`]),
      ];
    }
    case 'waiting':
      return [
        '',
        reviewText(output, inbox.review),
        `To accept it: ${held ? 'tieup resume, then ' : ''}tieup accept (or tieup accept --yes ${inbox.review.opened.releaseDigest})`,
        ...(inbox.review.plan.conflicts.length === 0
          ? []
          : ['For each conflict add: --choose <path>=keep-mine, =take-theirs or =rename:<new path>']),
      ];
  }
}
