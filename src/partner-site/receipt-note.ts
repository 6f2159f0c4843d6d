/** Receipts: what is live, said by the site key. Cron needs no password for them. */
import { readIfThere } from '../io/read-if-there.ts';
import { OUTBOX_RECEIPT, MAX_RECEIPT_NOTE } from '../protocol/exchange.ts';
import { instant } from '../protocol/instant.ts';
import { openNote, signNoteWith } from '../protocol/note.ts';
import { parseReceipt, RECEIPT_TYPE, renderReceipt, type Receipt } from '../protocol/receipt.ts';
import { readHeld, readLive, type PublicationRecord } from '../publish/records.ts';
import { lastRollback, readDecision } from './decide.ts';
import { ownKey, ownSigner } from './own-keys.ts';
import type { PartnerSite } from './partner-site.ts';

/**
 * Writes the receipt for what is live into the outbox, unless it is there already: after every publication, and by the next
 * command when a crash came in between. Undefined when nothing was published yet. The same is noted for the access logs, which
 * end at this moment where the switch happened.
 */
export async function writeReceipt(site: PartnerSite): Promise<Receipt | undefined> {
  if (site.config.logs !== undefined) await (await import('./logs/switches.ts')).noteSwitch(site, 'now');
  const { record } = await readLive(site.ports, site.layout);
  const statement = record === undefined ? undefined : await statementOf(site, record);
  if (record === undefined || statement === undefined) return undefined;
  let receipt: Receipt = {
    partner: site.config.partner,
    ...statement,
    publication: record.number,
    published: record.sums,
    pages: record.pages,
    time: instant(site.clock.now()),
  };
  const shown = await readReceipt(site);
  if (site.publisher === 'main' && shown !== undefined) receipt = { ...receipt, pages: shown.pages };
  if (shown !== undefined && renderReceipt({ ...shown, time: receipt.time }) === renderReceipt(receipt)) return shown;
  if (site.publisher === 'main') {
    // The record is the main site's, and what it says of pages as well.
    const { ownWord } = await import('./hand-over.ts');
    const pages = await ownWord(site, record, receipt.state);
    if (pages === undefined) return undefined;
    receipt = { ...receipt, pages };
  }
  await site.exchange.write(
    OUTBOX_RECEIPT,
    await signNoteWith(renderReceipt(receipt), [await ownSigner(site, 'site')]),
  );
  const { release, published: digest, state, publication } = receipt;
  await site.history.add({ action: 'receipt', release, digest, detail: `publication ${publication} ${state}` });
  return receipt;
}

/** What a publication stands for: its release, or the one that went when the manager left. */
async function statementOf(
  site: PartnerSite,
  { number, release, decision }: PublicationRecord,
): Promise<Pick<Receipt, 'release' | 'releaseDigest' | 'decision' | 'state'> | undefined> {
  if (release === null) {
    const left = decision === null ? undefined : await readDecision(site, decision);
    if (decision === null || left === undefined) return undefined;
    return { release: left.release, releaseDigest: left.releaseDigest, decision, state: 'left' };
  }
  const isHeld = (await readHeld(site.ports.state))?.publication === number;
  // A tree that is shown again was published under an older decision; what put it there is the one to go back.
  const carriedOut = isHeld ? (await lastRollback(site))?.digest : decision;
  if (carriedOut === undefined || carriedOut === null) return undefined;
  const { number: releaseNumber, digest: releaseDigest } = release;
  return { release: releaseNumber, releaseDigest, decision: carriedOut, state: isHeld ? 'held' : 'live' };
}

/** The receipt in the outbox; undefined when there is none, or none of ours: it is then written again. */
export async function readReceipt(site: PartnerSite): Promise<Receipt | undefined> {
  const bytes = await readIfThere(site.exchange, OUTBOX_RECEIPT, MAX_RECEIPT_NOTE);
  if (bytes === undefined) return undefined;
  try {
    return parseReceipt(openNote(bytes, [await ownKey(site, 'site')], { type: RECEIPT_TYPE }).text);
  } catch {
    return undefined;
  }
}
