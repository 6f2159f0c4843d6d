/** How much room the records take that are kept of the access logs. */
import { HASH_LENGTH } from '../../protocol/merkle.ts';
import type { PartnerSite } from '../partner-site.ts';
import { TREES } from './log-state.ts';
import { readShelf } from './segments.ts';

export interface DiskUse {
  readonly files: number;
  readonly bytes: number;
}

/** Of every epoch up to this one. */
export async function diskUse(site: PartnerSite, lastEpoch: number): Promise<DiskUse> {
  let [files, bytes] = [0, 0];
  for (let epoch = 1; epoch <= lastEpoch; epoch += 1) {
    for (const tree of TREES) {
      for (const { first, next, lines } of (await readShelf(site, epoch, tree)).segments) {
        files += lines === undefined ? 1 : 2;
        bytes += HASH_LENGTH * (next - first) + (lines?.length ?? 0);
      }
    }
  }
  return { files, bytes };
}
