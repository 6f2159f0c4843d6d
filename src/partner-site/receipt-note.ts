/** Receipts: what is live, said by the site key. Cron needs no password for them. */
import { readIfThere } from '../io/read-if-there.ts';
import { OUTBOX_RECEIPT } from '../protocol/exchange.ts';
import { instant } from '../protocol/instant.ts';
import { noteSigner, openNote, signNote } from '../protocol/note.ts';
import { MAX_RECEIPT_NOTE, parseReceipt, RECEIPT_TYPE, renderReceipt, type Receipt } from '../protocol/receipt.ts';
import { readHeld, readLive } from '../publish/records.ts';
import { lastDecision, ownKey, partnerKeyName } from './decide.ts';
import type { PartnerSite } from './partner-site.ts';

/**
 * Writes the receipt for what is live into the outbox, unless it is there already: after every publication, and by the next
 * command when a crash came in between. Undefined when no release is live.
 */
export async function writeReceipt(site: PartnerSite): Promise<Receipt | undefined> {
  const { record } = await readLive(site.ports, site.layout);
  if (record === undefined || record.release === null) return undefined;
  const isHeld = (await readHeld(site.state))?.publication === record.number;
  // A tree that is shown again was published under an older decision; what put it there is the one to go back.
  const decision = isHeld ? (await lastDecision(site))?.digest : record.decision;
  if (decision === undefined || decision === null) return undefined;
  const receipt: Receipt = {
    partner: site.config.partner,
    release: record.release.number,
    releaseDigest: record.release.digest,
    decision,
    publication: record.number,
    published: record.sums,
    state: isHeld ? 'held' : 'live',
    pages: record.pages,
    time: instant(site.clock.now()),
  };
  const shown = await readReceipt(site);
  if (shown !== undefined && renderReceipt({ ...shown, time: receipt.time }) === renderReceipt(receipt)) return shown;
  const signer = noteSigner(partnerKeyName(site.config.partner, 'site'), await site.keys.load('site'));
  await site.exchange.write(OUTBOX_RECEIPT, signNote(renderReceipt(receipt), [signer]));
  return receipt;
}

/** The receipt in the outbox; undefined when there is none, or none of ours: it is then written again. */
async function readReceipt(site: PartnerSite): Promise<Receipt | undefined> {
  const bytes = await readIfThere(site.exchange, OUTBOX_RECEIPT, MAX_RECEIPT_NOTE);
  if (bytes === undefined) return undefined;
  try {
    return parseReceipt(openNote(bytes, [await ownKey(site, 'site')], { type: RECEIPT_TYPE }).text);
  } catch {
    return undefined;
  }
}
