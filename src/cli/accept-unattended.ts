/** `tieup accept --auto --quiet`, as cron runs it. */
import { EXIT, isTieupError } from '../errors.ts';
import { accept, type AcceptRequest, type AcceptResult } from '../partner-site/accept.ts';
import type { PartnerSite } from '../partner-site/partner-site.ts';
import { REJECTED } from '../protocol/policy.ts';
import { forgetNotices, isNews } from '../partner-site/told.ts';
import type { Context } from './command-context.ts';

/**
 * Cron mails whatever is printed: so only what is for the manager is, and that once. The exit code is as ever.
 * Undefined when nothing is to be printed.
 */
export async function acceptUnattended(
  ctx: Context,
  site: PartnerSite,
  request: AcceptRequest,
): Promise<AcceptResult | undefined> {
  try {
    const result = await accept(site, request);
    if (result.kind === 'left-to-the-manager') {
      const { release, releaseDigest, reasons } = result;
      if (!reasons.includes(REJECTED) && (await isNews(site, `release ${release} ${releaseDigest}`))) return result;
      ctx.endWith(EXIT.declined);
    } else await forgetNotices(site);
    return undefined;
  } catch (error) {
    if (ctx.interruption.aborted || !isTieupError(error)) throw error;
    const { code, message, problems } = error;
    // Who holds the lock is another process each time.
    const notice = code === 'TIEUP_E_LOCKED' ? code : JSON.stringify([code, message, problems]);
    if (await isNews(site, notice)) throw error;
    ctx.endWith(error.exitCode);
    return undefined;
  }
}
