/** The log keys of all partners, those of epochs that are over among them. */
import { parseVkey, type VerifierKey } from '../../protocol/vkey.ts';
import type { MainSite } from '../main-site.ts';
import { loadPartnerships } from '../partnerships.ts';
import { epochPath, pinsSchema, readPins, readState } from './log-records.ts';

export async function knownLogKeys(site: MainSite): Promise<readonly VerifierKey[]> {
  const lines = new Set<string>();
  for (const { id, keys } of await loadPartnerships(site)) {
    if (keys !== null) lines.add(keys.log);
    const { epoch, logKey } = await readPins(site, id);
    if (logKey !== null) lines.add(logKey);
    for (let past = 1; past < epoch; past += 1) {
      const pins = await readState(site, epochPath(id, past, 'pins.json'), pinsSchema);
      if (pins !== undefined && pins.logKey !== null) lines.add(pins.logKey);
    }
  }
  return [...lines].map(parseVkey);
}
