/** A main site that pulls logs and demands samples, in tests of the partner. */
import { writeFileSync } from 'node:fs';
import { documentKeyName } from '../../src/main-site/invite.ts';
import { documentKey } from '../../src/main-site/partner-keys.ts';
import { pullLogs, type PullResult } from '../../src/main-site/pull-logs.ts';
import { DEMAND_TYPE, type LogDemand, renderDemand } from '../../src/protocol/log-demand.ts';
import { noteSigner, openNote, signNote } from '../../src/protocol/note.ts';
import { parseVkey } from '../../src/protocol/vkey.ts';
import type { PartnerFixture } from './partner-fixture.ts';
import type { MainFixture } from './partnership-fixture.ts';
import { exported } from './shop-logs.ts';

export async function pull({ site }: MainFixture): Promise<PullResult> {
  const [result] = await pullLogs(site, [], 2);
  if (result === undefined) throw new Error('nobody was asked');
  return result;
}

/** Puts a demand for records of log O, as it was exported last, into the inbox. */
export async function demandRecords(
  main: MainFixture,
  shop: PartnerFixture,
  more: Partial<LogDemand> = {},
): Promise<LogDemand> {
  const { epoch, O } = await exported(shop);
  const demand: LogDemand = {
    partner: 'harbour',
    epoch,
    tree: { size: O.size, root: O.root },
    from: 0,
    nonce: '5e'.repeat(32),
    count: 3,
    time: '2026-11-23T12:00:00Z',
    ...more,
  };
  const signer = noteSigner(documentKeyName(main.site), await main.site.keys.load(await documentKey(main.site.keys)));
  const note = signNote(renderDemand(demand), [signer]);
  openNote(note, [parseVkey((await shop.open()).config.main.keys.document)], { type: DEMAND_TYPE });
  writeFileSync(shop.path('exchange/inbox/logs/demand.note'), note);
  return demand;
}
