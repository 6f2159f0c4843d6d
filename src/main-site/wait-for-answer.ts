/** Waits until a partner has answered a release: `tieup push --wait`. */
import type { MainSite } from './main-site.ts';
import { loadPartnership } from './partnerships.ts';
import { readOutbox, receiptFollows } from './read-outbox.ts';
import { noteDecision } from './status.ts';

export type WaitResult =
  | { readonly kind: 'live' }
  | { readonly kind: 'rejected'; readonly reason: string | null }
  | { readonly kind: 'waited-too-long'; readonly accepted: boolean };

const POLL_MS = 2000;

/** Looks into the outbox every two seconds until `deadline`, over one connection. @throws what reading the outbox throws. */
export async function waitForAnswer(
  site: MainSite,
  partner: string,
  releaseDigest: string,
  deadline: Date,
  signal?: AbortSignal,
): Promise<WaitResult> {
  const partnership = await loadPartnership(site, partner);
  const exchange = await site.connect(partnership);
  try {
    for (;;) {
      const outbox = await readOutbox(exchange, partnership);
      await noteDecision(site, partner, outbox);
      const answered = outbox.decision?.releaseDigest === releaseDigest ? outbox.decision : undefined;
      if (answered?.verdict === 'rejected') return { kind: 'rejected', reason: answered.reason };
      if (answered !== undefined && receiptFollows(outbox)) return { kind: 'live' };
      const left = deadline.getTime() - site.clock.now().getTime();
      if (left <= 0) return { kind: 'waited-too-long', accepted: answered !== undefined };
      await site.clock.sleep(Math.min(POLL_MS, left), signal);
    }
  } finally {
    await exchange.close();
  }
}
