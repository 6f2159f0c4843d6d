/** A page as all partners share it: what rendering copies, and what is said of the page elsewhere. */
import type { Inheritance } from '../protocol/release.ts';
import type { Condition } from './condition.ts';
import type { Segment } from './segment.ts';

export interface CompiledPage {
  /** Source path. */
  readonly source: string;
  readonly file: string;
  /** Below the mount. */
  readonly path: string;
  /** The same page at the main site. */
  readonly mainAddress: string;
  readonly inherit: Inheritance;
  readonly title: string;
  readonly description: string;
  readonly language: string;
  /** Instants, and the day of the first; undefined where nobody said so. */
  readonly published: string | undefined;
  readonly modified: string | undefined;
  readonly day: string | undefined;
  readonly partners: readonly string[] | undefined;
  readonly aliases: readonly string[];
  /** Of a further page of a list: without this the partner does not get it. */
  readonly condition: Condition | undefined;
  /** The page in the navigation that this one belongs to; another one for the further pages of a list. */
  readonly listedAt: string;
  /** Slots without whose content the page is left out. */
  readonly required: ReadonlySet<string>;
  readonly segments: readonly Segment[];
  /** What of its addresses is the same at all partners, as it stands in the page; filled when pages are rendered. */
  readonly encoded: Map<string, Uint8Array>;
  /** Files that its text takes in. */
  readonly includes: readonly string[];
}
