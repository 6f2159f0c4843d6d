/** What of the release before a partner's side has: live, or still in its inbox. */
import { together } from '../io/together.ts';
import { once, type Push } from './draft-release.ts';
import { lookIntoInbox, type InboxContent, type InboxListing } from './inbox-content.ts';
import type { RemoteState } from './learn-remote.ts';
import type { OutboxAhead } from './outbox-ahead.ts';
import { readRecord } from './record.ts';
import { takeInAnswers } from './take-in-answers.ts';
import { quietly, type Trouble } from './trouble.ts';

export interface Asking extends Pick<Push, 'site' | 'partnership' | 'request' | 'exchange'> {
  /** Grows on the way. */
  readonly troubles: Trouble[];
  /** The exchange, for who takes in what the partner answered. */
  readonly answers: () => OutboxAhead;
}

const NOTHING_THERE: InboxContent = { objects: new Set(), hasDocuments: true };

export interface There {
  /** Digests of objects that need not be sent. */
  readonly there: ReadonlySet<string>;
  /** Metadata and targets of the base are in the inbox. */
  readonly hasDocuments: boolean;
  /** The partner has carried out the base: what brought it can go. */
  readonly baseIsLive: boolean;
}

/**
 * What the partner's side has of the base: all that came with the release which its receipt names, and what of the rest lies in
 * the inbox.
 */
export async function whatIsThere(
  asking: Asking,
  { base, versions, hasObjects }: RemoteState,
  differs: boolean,
  list: () => Promise<InboxListing>,
): Promise<There> {
  const { site, partnership, exchange, request, troubles } = asking;
  const look = once(async (): Promise<InboxContent> =>
    base === undefined ? NOTHING_THERE : lookIntoInbox(exchange, await list(), base, versions),
  );
  const isConfirmed = async (digest: string) => {
    const { receipt } = await readRecord(site, partnership.id);
    return receipt !== null && receipt.state !== 'left' && receipt.releaseDigest === digest;
  };
  const isConfirmedBefore = base !== undefined && (await isConfirmed(base.releaseDigest));
  // Nothing to send, and the receipt was seen: then nothing is asked.
  if (differs || request.full || !isConfirmedBefore) {
    const takeIn = () => takeInAnswers(site, partnership, asking.answers().tree, versions.targets);
    // What lies there is most probably asked for below.
    const isLooking = hasObjects && !request.full && !isConfirmedBefore;
    await together([quietly('answer', troubles, takeIn), isLooking ? look() : Promise.resolve()]);
  }
  if (base === undefined || !hasObjects || request.full) {
    const baseIsLive = base !== undefined && (await isConfirmed(base.releaseDigest));
    return { there: new Set(), hasDocuments: true, baseIsLive };
  }
  const { files } = base.release;
  if (await isConfirmed(base.releaseDigest))
    return { there: new Set(files.map(({ digest }) => digest)), hasDocuments: true, baseIsLive: true };
  const { receipt } = await readRecord(site, partnership.id);
  const has = receipt === null || receipt.state === 'left' ? 0 : receipt.release;
  const { objects, hasDocuments } = await look();
  const there = files.filter(({ since, digest }) => since <= has || objects.has(digest));
  return { there: new Set(there.map(({ digest }) => digest)), hasDocuments, baseIsLive: false };
}
