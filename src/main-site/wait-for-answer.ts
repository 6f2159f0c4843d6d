/** Waits until a partner has answered a release: `tieup push --wait`. */
import { isTieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnership } from './partnerships.ts';
import { takeInKeys } from './partner-key-change.ts';
import { NO_ANSWER, readOutbox, receiptFollows, type Outbox } from './read-outbox.ts';
import { noteDecision } from './status.ts';

export type WaitResult =
  | { readonly kind: 'live' }
  | { readonly kind: 'rejected'; readonly reason: string | null }
  | { readonly kind: 'waited-too-long'; readonly accepted: boolean };

const POLL_MS = 2000;

/** Looks into the outbox every two seconds until `deadline`, reconnecting when it must. @throws what reading the outbox throws. */
export async function waitForAnswer(
  site: MainSite,
  partner: string,
  releaseDigest: string,
  deadline: Date,
  signal?: AbortSignal,
): Promise<WaitResult> {
  const partnership = await loadPartnership(site, partner);
  let exchange: FileTree | undefined;
  // A connection that breaks while waiting is no answer: the next look opens another one.
  const look = async (): Promise<Outbox> => {
    try {
      exchange ??= await site.connect(partnership);
      return await readOutbox(exchange, (await takeInKeys(site, partnership, exchange)).partnership);
    } catch (error) {
      if (!isTieupError(error, 'TIEUP_E_CONNECTION')) throw error;
      exchange = undefined;
      return NO_ANSWER;
    }
  };
  try {
    for (;;) {
      const outbox = await look();
      if (outbox !== NO_ANSWER) await noteDecision(site, partner, outbox);
      const answered = outbox.decision?.releaseDigest === releaseDigest ? outbox.decision : undefined;
      if (answered?.verdict === 'rejected') return { kind: 'rejected', reason: answered.reason };
      if (answered !== undefined && receiptFollows(outbox)) return { kind: 'live' };
      const left = deadline.getTime() - site.clock.now().getTime();
      if (left <= 0) return { kind: 'waited-too-long', accepted: answered !== undefined };
      await site.clock.sleep(Math.min(POLL_MS, left), signal);
    }
  } finally {
    await exchange?.close();
  }
}
