/** The manager's statement that the logs began anew: kept in the state, shown in the outbox as long as its epoch lasts. */
import { readIfThere } from '../../io/read-if-there.ts';
import { OUTBOX_EPOCH } from '../../protocol/exchange.ts';
import { type LogEpoch, MAX_EPOCH_NOTE, parseEpoch } from '../../protocol/log-epoch.ts';
import { claimedText } from '../../protocol/note.ts';
import type { PartnerSite } from '../partner-site.ts';

export async function keepEpoch(site: PartnerSite, epoch: number, note: Uint8Array): Promise<void> {
  await site.state.write(pathOf(epoch), note);
}

/** What was stated when an epoch began; undefined for the first one. */
export async function keptEpoch(site: PartnerSite, epoch: number): Promise<LogEpoch | undefined> {
  const note = await readIfThere(site.state, pathOf(epoch), MAX_EPOCH_NOTE);
  return note === undefined ? undefined : parseEpoch(claimedText(note));
}

/** Puts the statement into the outbox unless it is there: after a crash, or a wiped outbox. */
export async function showEpoch(site: PartnerSite, epoch: number): Promise<void> {
  const note = await readIfThere(site.state, pathOf(epoch), MAX_EPOCH_NOTE);
  if (note === undefined) return;
  const shown = await readIfThere(site.exchange, OUTBOX_EPOCH, MAX_EPOCH_NOTE);
  if (shown === undefined || Buffer.compare(shown, note) !== 0) await site.exchange.write(OUTBOX_EPOCH, note);
}

function pathOf(epoch: number): string {
  return `logs/epochs/${epoch}.note`;
}
