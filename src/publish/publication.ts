/** What publishing is told, what it works on, and what it says afterwards. */
import type { MergePlan } from '../merge/plan.ts';
import type { ResolvedEntry } from './compose.ts';
import type { PublicationRecord } from './records.ts';

export interface PublishInfo {
  readonly release: { readonly number: number } | null;
  /** SHA-256 of its `N.targets.json`; null without a release. */
  readonly releaseDigest: string | null;
  readonly decisionDigest: string | null;
  readonly now: Date;
}

export interface Publication {
  readonly record: PublicationRecord;
  /** Files whose bytes were written, and files that went. */
  readonly written: number;
  readonly removed: number;
  /** False when exactly this is live already: nothing was done and no number was used. */
  readonly changed: boolean;
  /** What is left of trees that are no longer kept; looked at again the next time. */
  readonly unpruned: readonly Unpruned[];
}

export interface Unpruned {
  /** From the folder in which the web root is: `published/3.removing/mine.pdf`. */
  readonly path: string;
  /** `not-ours`: somebody put it there or edited it, and it lives nowhere else; `stuck`: it could not be removed. */
  readonly why: 'not-ours' | 'stuck';
}

export type Done = Pick<Publication, 'record' | 'written' | 'removed'>;

/** What a way of publishing is handed. */
export interface Prepared {
  readonly plan: MergePlan;
  /** The files that will be tieup's own. */
  readonly owned: readonly ResolvedEntry[];
  readonly record: PublicationRecord;
  readonly ledger: Uint8Array;
  readonly sums: Uint8Array;
  /** The instant from which the outcome is held; null when it is not. */
  readonly hold: string | null;
}
