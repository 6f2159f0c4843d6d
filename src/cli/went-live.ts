/** A publication as data and as a line. */
import type { DocumentData } from './documents/catalog.ts';
import type { WentLive } from '../partner-site/go-live.ts';
import type { Output } from './output.ts';
import { count } from './quantity.ts';
import { unprunedNotes } from './unpruned-text.ts';

export function describeWentLive({ publication }: WentLive): DocumentData<'resume'> {
  const { record, changed, written, removed, unpruned } = publication;
  const { number, pages, release } = record;
  return { publication: number, changed, written, removed, unpruned, pages, release };
}

/** `✓ release 3 is live: 12 tie-up pages beside 40 of your own`. */
export function renderWentLive(output: Output, { publication }: WentLive): string {
  const { record, changed } = publication;
  const pages = `${count(record.pages.tieUp, 'tie-up page')} beside ${count(record.pages.original, 'page')} of your own`;
  const what = changed ? 'is live' : 'is live as it was';
  const line = `${output.mark('good', `release ${record.release?.number ?? '-'} ${what}`)}: ${pages} (publication ${record.number})`;
  return [line, ...unprunedNotes(publication.unpruned), ''].join('\n');
}
