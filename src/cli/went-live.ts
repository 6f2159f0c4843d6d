/** A publication as data and as a line. */
import type { WentLive } from '../partner-site/go-live.ts';
import type { Output } from './output.ts';
import { count } from './quantity.ts';

export function describeWentLive({ publication }: WentLive): object {
  const { record, changed, written, removed } = publication;
  return { publication: record.number, changed, written, removed, pages: record.pages, release: record.release };
}

/** `✓ release 3 is live: 12 tie-up pages beside 40 of your own`. */
export function renderWentLive(output: Output, { publication }: WentLive): string {
  const { record, changed } = publication;
  const pages = `${count(record.pages.tieUp, 'tie-up page')} beside ${count(record.pages.original, 'page')} of your own`;
  const what = changed ? 'is live' : 'is live as it was';
  return `${output.mark('good', `release ${record.release?.number ?? '-'} ${what}`)}: ${pages} (publication ${record.number})\n`;
}
