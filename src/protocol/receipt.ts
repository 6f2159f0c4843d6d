/** The partner's signed statement of what is live; the body of a signed note of the site key (`outbox/receipt.note`). */
import { canonical, fieldReader, parseFields, renderFields, type FieldShape } from './fields.ts';
import { PARTNER_ID } from './names.ts';

export const RECEIPT_STATES = ['live', 'held', 'left'] as const;
export type ReceiptState = (typeof RECEIPT_STATES)[number];

export interface Receipt {
  readonly partner: string;
  readonly release: number;
  readonly releaseDigest: string;
  /** Digest of the decision that was carried out. */
  readonly decision: string;
  /** Number of the publication at the partner, rising, and SHA-256 of its `published/<n>.SHA256SUMS`. */
  readonly publication: number;
  readonly published: string;
  /** `held`: the manager went back to this release and keeps it until `tieup resume`. `left`: no tie-up page is live. */
  readonly state: ReceiptState;
  readonly pages: PageCounts;
  readonly time: string;
}

/** Files of type HTML in the published tree: pages of the release, and all others. Redirects count as neither. */
export interface PageCounts {
  readonly tieUp: number;
  readonly original: number;
}

export const RECEIPT_TYPE = 'tieup-receipt/1';

const SHAPE: FieldShape<'partnership' | 'release' | 'decision' | 'published' | 'state' | 'pages' | 'time'> = [
  ['partnership', 1],
  ['release', 2],
  ['decision', 1],
  ['published', 2],
  ['state', 1],
  ['pages', 2],
  ['time', 1],
];

export function renderReceipt(receipt: Receipt): string {
  return renderFields(RECEIPT_TYPE, SHAPE, {
    partnership: [receipt.partner],
    release: [String(receipt.release), receipt.releaseDigest],
    decision: [receipt.decision],
    published: [String(receipt.publication), receipt.published],
    state: [receipt.state],
    pages: [String(receipt.pages.tieUp), String(receipt.pages.original)],
    time: [receipt.time],
  });
}

/** @throws TIEUP_E_VERIFY when the text is not exactly one receipt. */
export function parseReceipt(text: string): Receipt {
  const read = fieldReader(RECEIPT_TYPE, parseFields(RECEIPT_TYPE, SHAPE, text));
  const receipt: Receipt = {
    partner: read.matching('partnership', 0, PARTNER_ID, 'a partner id'),
    release: read.count('release'),
    releaseDigest: read.digest('release', 1),
    decision: read.digest('decision'),
    publication: read.count('published'),
    published: read.digest('published', 1),
    state: read.oneOf('state', RECEIPT_STATES),
    pages: { tieUp: read.count('pages', 0), original: read.count('pages', 1) },
    time: read.instant('time'),
  };
  return canonical('the receipt', text, receipt, renderReceipt);
}
