/** What commands are given: everything they may touch, put together in context.ts when they ask for it. */
import type { MainSiteConfig } from '../config/main-site.ts';
import type { PartnerSiteConfig } from '../config/partner-site.ts';
import type { Clock } from '../io/clock.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { KeyShelf } from '../io/key-shelf.ts';
import type { KeyStore, KeyStoreOptions } from '../io/keys.ts';
import type { OwnHostKey } from '../io/own-host-keys.ts';
import type { WatchedPlace } from '../io/folder-changes.ts';
import type { AnswerRequest, LoopbackServer } from '../io/loopback-server.ts';
import type { LogFiles } from '../io/log-files.ts';
import type { StartCounting } from '../logs/count-log.ts';
import type { Prompt } from '../io/prompt.ts';
import type { SshKey } from '../io/ssh-key.ts';
import type { StockTufClient } from '../io/tuf-conformance.ts';
import type { MainDoctorPorts } from '../main-site/doctor.ts';
import type { OutputFolder } from '../io/output-folder.ts';
import type { MainSite } from '../main-site/main-site.ts';
import type { PartnerDoctorPorts } from '../partner-site/doctor.ts';
import type { JoinPorts } from '../partner-site/join.ts';
import type { PartnerSite } from '../partner-site/partner-site.ts';
import type { DemoStage } from './demo-stage.ts';
import type { Output } from './output.ts';
import type { Terminal } from './terminal.ts';

export interface MainSiteOptions {
  /** Further folders of root keys. */
  readonly rootKeys?: readonly string[];
  /** What its `tieup.yaml` says, for who knows that already. */
  readonly config?: MainSiteConfig;
}

export interface Context {
  readonly output: Output;
  readonly environment: Terminal['environment'];
  /** Aborts at the first Ctrl-C. */
  readonly interruption: AbortSignal;
  /** The folder to work in, absolute. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
  /** Whether there is a person before this terminal. */
  readonly canAsk: boolean;
  /** Asks a person; refuses with the name of the flag when there is none. */
  prompt(): Promise<Prompt>;
  /** A folder to write output into that can be made again. */
  outputFolder(path: string): Promise<OutputFolder>;
  /** A local folder, absolute or relative to the working folder; closed at the end of the run. */
  tree(folder: string): Promise<FileTree>;
  /** The keys in a local folder. */
  keyStore(folder: string, options?: Pick<KeyStoreOptions, 'further' | 'references'>): Promise<KeyStore>;
  /** The same keys as files. */
  keyShelf(folder: string): Promise<KeyShelf>;
  /** A new SSH key pair. */
  sshKey(comment: string): Promise<SshKey>;
  /** The folder of the site that the working folder is in, before its `tieup.yaml` is understood. @throws TIEUP_E_CONFIG */
  siteFiles(): Promise<FileTree>;
  /** Of this program: differs from one build of it to the next. */
  identity(): Promise<string>;
  /** The main site of the working folder. @throws TIEUP_E_CONFIG, TIEUP_E_USAGE when it is a partner site. */
  mainConfig(): Promise<{ readonly folder: string; readonly config: MainSiteConfig }>;
  /** The partner site of the working folder. @throws TIEUP_E_CONFIG, TIEUP_E_USAGE when it is a main site. */
  partnerConfig(): Promise<{ readonly folder: string; readonly config: PartnerSiteConfig }>;
  /** The main site of the working folder with everything its use cases need. */
  mainSite(options?: MainSiteOptions): Promise<MainSite>;
  /** The partner site of the working folder with everything its use cases need. @param acceptKey where that key is, from `--key` */
  partnerSite(acceptKey?: string): Promise<PartnerSite>;
  /** What a visitor gets at an http or https address; at most `maxLength` bytes of it. @throws TIEUP_E_CONNECTION. */
  fetch(url: string, maxLength: number): Promise<{ readonly status: number; readonly body: Uint8Array }>;
  /** What `tieup doctor` looks through, at a main site. */
  mainDoctor(): Promise<MainDoctorPorts>;
  /** The same at a partner site. */
  partnerDoctor(): Promise<Omit<PartnerDoctorPorts, 'fetch'>>;
  /** What a folder needs to become a partner site, which writes its answer to the file `answer`; `site` when it lies on a server. */
  newPartnerSite(
    folders: PartnerSiteConfig['folders'],
    answer: string,
    site: PartnerSiteConfig['site'],
  ): Promise<JoinPorts>;
  /** `sftp://…` after --site. */
  readonly siteAddress: string | undefined;
  /** The host keys that `known_hosts` has for the server at `sftp://…`. */
  knownHostKeys(address: string): Promise<readonly string[]>;
  /** Whose site the working folder is. */
  role(): Promise<'main' | 'partner'>;
  /** The host keys that the server at `sftp://…` shows, as `ssh-ed25519 AAAA…` lines. */
  scanHostKey(address: string): Promise<readonly string[]>;
  /** The host keys of this machine's own SSH server; none when it has none. */
  ownHostKeys(): Promise<readonly OwnHostKey[]>;
  /** A file that the command line names. @throws TIEUP_E_NOT_FOUND, TIEUP_E_TOO_LARGE. */
  readFile(path: string, maxLength: number): Promise<Uint8Array>;
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  /** Log files that the command line names. */
  logFiles(): Promise<LogFiles>;
  /** A thread beside this one that counts lines; undefined where there is one core alone. */
  countingThread(): Promise<StartCounting | undefined>;
  /** A new folder among the temporary ones of this machine, absolute; it stays. */
  temporaryFolder(prefix: string): Promise<string>;
  /** A stock TUF client that keeps its metadata in this folder. */
  tufClient(metadataFolder: string): Promise<StockTufClient>;
  /** Servers for the demo. */
  demoStage(): DemoStage;
  /** A web server for the browsers of this machine; the caller closes it. @throws TIEUP_E_EXISTS when the port is taken */
  serve(answer: AnswerRequest, port: number): Promise<LoopbackServer>;
  /** Yields at once, and then after each burst of changes. */
  changes(places: () => readonly WatchedPlace[], signal: AbortSignal): AsyncIterable<void>;
  /** Resolves at the first Ctrl-C. */
  interrupted(): Promise<void>;
  /** Ends the run with `code` although nothing failed: changes pending, some partners failed. */
  endWith(code: number): void;
  exitCode(): number;
  close(): Promise<void>;
}
