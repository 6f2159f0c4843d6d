/** What every use case of the main site works with; put together once, in cli/context.ts. */
import type { MainSiteConfig } from '../config/main-site.ts';
import type { Partnership } from '../config/partnership.ts';
import type { FragmentStore } from '../content/compile-cached.ts';
import type { MarkdownCompiler } from '../content/markdown.ts';
import type { Clock } from '../io/clock.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { ImageSizer } from '../io/image-sizer.ts';
import type { KeyStore } from '../io/keys.ts';
import type { HistoryLog } from '../io/history-log.ts';
import type { HitStore } from '../io/hit-store.ts';
import type { LockOwner } from '../io/lock.ts';
import type { SshKeys } from '../io/ssh-keys.ts';
import type { PageAnswer, PageVisit } from '../io/page-visit.ts';
import type { StartFolding } from '../logs/fold-thread.ts';

export interface MainSite {
  readonly config: MainSiteConfig;
  /** The folder with `tieup.yaml`. */
  readonly files: FileTree;
  /** Where `.tieup/` is on this machine, absolute: tuf-js needs a real folder. */
  readonly cacheFolder: string;
  /** Of this program: what another version of it has remembered may mean something else. */
  readonly identity: string;
  /** What was found out about contents before, by key. */
  readonly memory: FragmentStore;
  /** Compiles the pages' texts, those alone that are new. */
  readonly markdown: MarkdownCompiler;
  /** Makes pictures smaller; undefined where sharp, which does it, is not installed. */
  images(): Promise<ImageSizer | undefined>;
  readonly keys: KeyStore;
  /** The keys that log in at partners. */
  readonly sshKeys: SshKeys;
  readonly clock: Clock;
  random(length: number): Uint8Array;
  /** How this process signs locks. */
  readonly owner: LockOwner;
  /** Whether a process of this machine runs: the lock of one that was killed need not be waited for. */
  isAlive(pid: number): boolean;
  /** What was done here, by whom and when. */
  readonly history: HistoryLog;
  /** Opens a partner's `exchange/`; the caller closes it. @throws TIEUP_E_HOST_KEY, TIEUP_E_LOGIN, TIEUP_E_CONNECTION. */
  connect(partnership: Partnership): Promise<FileTree>;
  /** The site of a partner for which it publishes itself; the caller closes it. @throws as `connect`, TIEUP_E_STORAGE. */
  openSite(partnership: Partnership): Promise<SiteAccess>;
  /** Where verified hits go; undefined where DuckDB, which writes them, is not installed. The caller closes it. */
  hits(): Promise<HitStore | undefined>;
  /** What starts a thread that hashes records beside this one; undefined where there is one core alone. */
  folding(): Promise<StartFolding | undefined>;
  /** Asks a web server for one page. @throws TIEUP_E_CONNECTION. */
  visit(visit: PageVisit): Promise<PageAnswer>;
}

/** A partner's site as the main site's login reaches it. */
export interface SiteAccess {
  /** The tree below a folder, absolute or from the exchange. */
  tree(folder: string): FileTree;
  /** On this machine: content that was verified. */
  readonly kept: FileTree;
  close(): Promise<void>;
}

/** Where the cached state of one partner lies, from the site folder. */
export function cachePath(partner: string, name: string): string {
  return `.tieup/partners/${partner}/${name}`;
}
