/**
 * Whether this site can say what it decides and what goes live: asked before anything is decided, because a page that is live
 * without a receipt is one that the main site does not know of.
 */
import { TieupError } from '../errors.ts';
import type { FileKind } from '../io/file-tree.ts';
import { OUTBOX_DECISION, OUTBOX_DECISIONS, OUTBOX_RECEIPT } from '../protocol/exchange.ts';
import { ownSigner } from './own-keys.ts';
import type { PartnerSite } from './partner-site.ts';

const PLACES: readonly (readonly [path: string, kind: FileKind])[] = [
  [OUTBOX_DECISIONS, 'folder'],
  [OUTBOX_DECISION, 'file'],
  [OUTBOX_RECEIPT, 'file'],
];

/** @throws TIEUP_E_KEY when the site key cannot be used, TIEUP_E_UNSAFE_PATH when something else stands in the outbox. */
export async function assertCanAnswer(site: PartnerSite): Promise<void> {
  const { exchange } = site;
  await ownSigner(site, 'site');
  for (const [path, wanted] of PLACES) {
    const kind = (await exchange.stat(path))?.kind;
    if (kind === undefined || kind === wanted) continue;
    throw new TieupError('TIEUP_E_UNSAFE_PATH', `${path} in ${exchange.label} is a ${kind}, not a ${wanted}`, {
      hint: 'remove it: the outbox is written by tieup alone',
    });
  }
}
