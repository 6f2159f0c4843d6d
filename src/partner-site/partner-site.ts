/** What every use case of a partner site works with; put together once, in cli/context.ts. */
import type { PartnerSiteConfig } from '../config/partner-site.ts';
import type { MarkdownCompiler } from '../content/markdown.ts';
import type { Clock } from '../io/clock.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { HistoryLog } from '../io/history-log.ts';
import type { KeyStore } from '../io/keys.ts';
import type { Lock } from '../io/lock.ts';
import type { LogFiles } from '../io/log-files.ts';
import type { Thread } from '../io/threads.ts';
import type { SavedTrees } from '../logs/seal-thread.ts';
import type { ObjectStore } from '../publish/objects.ts';
import type { Publisher } from '../protocol/terms.ts';
import type { Layout, Ports } from '../publish/ports.ts';

export interface PartnerSite {
  readonly config: PartnerSiteConfig;
  /** The folder with `tieup.yaml`. */
  readonly files: FileTree;
  readonly exchange: FileTree;
  readonly slots: FileTree;
  /** Trusted state, out of reach of the main site's account. */
  readonly state: FileTree;
  /** The same on this machine, absolute: tuf-js needs a real folder. */
  readonly stateFolder: string;
  /** Verified content, in the state. */
  readonly objects: ObjectStore;
  /** The trees that publishing works on. */
  readonly ports: Ports;
  readonly layout: Layout;
  /** Who carries out what is decided here. With `main`, the records of it lie where both sides write them. */
  readonly publisher: Publisher;
  /** Compiles what fills slots, within bounds of time and memory. */
  readonly markdown: MarkdownCompiler;
  readonly keys: KeyStore;
  /** The access logs of the web server, relative to the folder of `tieup.yaml`. */
  readonly logFiles: LogFiles;
  /** Starts a thread that seals records, with what `savedTrees` gives; undefined where there is one core alone. */
  readonly startSealing: ((trees: SavedTrees) => Thread) | undefined;
  readonly clock: Clock;
  random(length: number): Uint8Array;
  /** What was done here, by whom and when. */
  readonly history: HistoryLog;
  /** One tieup at a time. @throws TIEUP_E_LOCKED. */
  lock(): Promise<Lock>;
  /** One tieup at a time reads the logs; publishing need not wait for it. @throws TIEUP_E_LOCKED. */
  lockLogs(): Promise<Lock>;
}

/** The root metadata from the invitation, from the state folder: where trust begins. */
export const JOINED_ROOT = 'root.json';
