/** The manager's statement that the logs began anew: kept in the state, shown in the outbox as long as its epoch lasts. */
import { readIfThere } from '../../io/read-if-there.ts';
import { OUTBOX_EPOCH } from '../../protocol/exchange.ts';
import { MAX_EPOCH_NOTE } from '../../protocol/log-epoch.ts';
import type { PartnerSite } from '../partner-site.ts';

export async function keepEpoch(site: PartnerSite, epoch: number, note: Uint8Array): Promise<void> {
  await site.state.write(pathOf(epoch), note);
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
