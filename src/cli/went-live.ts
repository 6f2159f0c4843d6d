/** A publication as data and as a line. */
import type { DocumentData } from './documents/catalog.ts';
import type { WentLive } from '../partner-site/go-live.ts';
import type { Output } from './output.ts';
import { count } from './quantity.ts';
import { unprunedNotes } from './unpruned-text.ts';

export function describeWentLive(wentLive: WentLive | undefined): DocumentData<'resume'> {
  if (wentLive === undefined) return HANDED_OVER;
  const { publication } = wentLive;
  const { record, changed, written, removed, unpruned } = publication;
  const { number, pages, release } = record;
  return { publication: number, changed, written, removed, unpruned, pages, release };
}

/** Decided; nothing is published yet. */
const HANDED_OVER: DocumentData<'resume'> = {
  publication: 0,
  changed: false,
  written: 0,
  removed: 0,
  unpruned: [],
  pages: { tieUp: 0, original: 0 },
  release: null,
};

export function handedOverText(output: Output): string {
  const what = 'decided; the main site publishes it with its next push, and tieup status then checks it';
  return `${output.mark('waiting', what)}\n`;
}

/** `✓ release 3 is live: 12 tie-up pages beside 40 of your own`. */
export function renderWentLive(output: Output, wentLive: WentLive | undefined): string {
  if (wentLive === undefined) return handedOverText(output);
  const { publication } = wentLive;
  const { record, changed } = publication;
  const pages = `${count(record.pages.tieUp, 'tie-up page')} beside ${count(record.pages.original, 'page')} of your own`;
  const what = changed ? 'is live' : 'is live as it was';
  const line = `${output.mark('good', `release ${record.release?.number ?? '-'} ${what}`)}: ${pages} (publication ${record.number})`;
  return [line, ...unprunedNotes(publication.unpruned), ''].join('\n');
}
