/**
 * The composition root: the one file that names adapters. What a command needs is put together when it asks for it, so
 * that no command pays for what another one uses.
 */
import { randomBytes } from 'node:crypto';
import { hostname, tmpdir, userInfo } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { MainSiteConfig } from '../config/main-site.ts';
import type { PartnerSiteConfig } from '../config/partner-site.ts';
import type { Partnership } from '../config/partnership.ts';
import { isTieupError, TieupError } from '../errors.ts';
import type { Clock } from '../io/clock.ts';
import { systemClock } from '../io/clock.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { KeyShelf } from '../io/key-shelf.ts';
import type { KeyStore } from '../io/keys.ts';
import type { Prompt } from '../io/prompt.ts';
import type { SftpConnection } from '../io/sftp-connection.ts';
import type { SshKey } from '../io/ssh-key.ts';
import type { SshAuth } from '../io/ssh-login.ts';
import type { LockOwner } from '../io/lock.ts';
import type { StockTufClient } from '../io/tuf-conformance.ts';
import type { MainDoctorPorts } from '../main-site/doctor.ts';
import type { ServerLook } from '../main-site/doctor-partner.ts';
import type { MainSite } from '../main-site/main-site.ts';
import type { PartnerDoctorPorts } from '../partner-site/doctor.ts';
import type { JoinPorts } from '../partner-site/join.ts';
import type { PartnerSite } from '../partner-site/partner-site.ts';
import type { DemoStage } from './demo-stage.ts';
import { packageFile } from './package-files.ts';
import type { Globals } from './globals.ts';
import type { Output } from './output.ts';
import { canAsk } from './terminal.ts';
import type { Terminal } from './terminal.ts';

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
  /** A local folder, absolute or relative to the working folder; closed at the end of the run. */
  tree(folder: string): Promise<FileTree>;
  /** The keys in a local folder. */
  keyStore(folder: string): Promise<KeyStore>;
  /** The same keys as files. */
  keyShelf(folder: string): Promise<KeyShelf>;
  /** A new SSH key pair. */
  sshKey(comment: string): Promise<SshKey>;
  /** The main site of the working folder. @throws TIEUP_E_CONFIG, TIEUP_E_USAGE when it is a partner site. */
  mainConfig(): Promise<{ readonly folder: string; readonly config: MainSiteConfig }>;
  /** The partner site of the working folder. @throws TIEUP_E_CONFIG, TIEUP_E_USAGE when it is a main site. */
  partnerConfig(): Promise<{ readonly folder: string; readonly config: PartnerSiteConfig }>;
  /** The main site of the working folder with everything its use cases need. */
  mainSite(): Promise<MainSite>;
  /** The partner site of the working folder with everything its use cases need. */
  partnerSite(): Promise<PartnerSite>;
  /** What `tieup doctor` looks through, at a main site. */
  mainDoctor(): Promise<MainDoctorPorts>;
  /** The same at a partner site. */
  partnerDoctor(): Promise<Omit<PartnerDoctorPorts, 'fetch'>>;
  /** What a folder needs to become a partner site. */
  newPartnerSite(folders: PartnerSiteConfig['folders']): Promise<JoinPorts>;
  /** Whose site the working folder is. */
  role(): Promise<'main' | 'partner'>;
  /** The host keys that the server at `sftp://…` shows, as `ssh-ed25519 AAAA…` lines. */
  scanHostKey(address: string): Promise<readonly string[]>;
  /** A file that the command line names. @throws TIEUP_E_NOT_FOUND, TIEUP_E_TOO_LARGE. */
  readFile(path: string, maxLength: number): Promise<Uint8Array>;
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  /** A new folder among the temporary ones of this machine, absolute; it stays. */
  temporaryFolder(prefix: string): Promise<string>;
  /** A stock TUF client that keeps its metadata in this folder. */
  tufClient(metadataFolder: string): Promise<StockTufClient>;
  /** Servers for the demo. */
  demoStage(): DemoStage;
  /** Resolves at the first Ctrl-C. */
  interrupted(): Promise<void>;
  /** Ends the run with `code` although nothing failed: changes pending, some partners failed. */
  endWith(code: number): void;
  exitCode(): number;
  close(): Promise<void>;
}

export function createContext(terminal: Terminal, globals: Globals, output: Output): Context {
  const folder = resolve(terminal.cwd, globals.folder ?? '.');
  const trees: FileTree[] = [];
  let exitCode = 0;
  let prompt: Promise<Prompt> | undefined;

  const person = canAsk(terminal);
  const openPrompt = async (): Promise<Prompt> => {
    const { noPrompt, terminalPrompt } = await import('../io/prompt.ts');
    return person ? terminalPrompt(terminal) : noPrompt;
  };
  const context: Context = {
    output,
    environment: terminal.environment,
    interruption: terminal.interruption,
    folder,
    clock: systemClock,
    random: (length) => new Uint8Array(randomBytes(length)),
    canAsk: person,
    prompt: () => (prompt ??= openPrompt()),
    async tree(path) {
      const { folderTree } = await import('../io/folder-tree.ts');
      const tree = folderTree(resolve(folder, path));
      trees.push(tree);
      return tree;
    },
    async keyStore(path) {
      const { folderKeyStore } = await import('../io/keys.ts');
      const asking = person ? await context.prompt() : undefined;
      return folderKeyStore({
        folder: resolve(folder, path),
        environment: terminal.environment,
        askPassword: asking && ((name) => asking.password(`Password of the ${name} key`)),
        random: context.random,
      });
    },
    async keyShelf(path) {
      const { keyShelf } = await import('../io/key-shelf.ts');
      return keyShelf(resolve(folder, path));
    },
    async sshKey(comment) {
      const { createSshKey } = await import('../io/ssh-key.ts');
      return createSshKey(comment);
    },
    async mainConfig() {
      const { folderTree } = await import('../io/folder-tree.ts');
      const { findConfig, mainSiteOf } = await import('./find-site.ts');
      const found = await findConfig(folder, folderTree);
      return { folder: found.folder, config: mainSiteOf(found) };
    },
    async partnerConfig() {
      const { folderTree } = await import('../io/folder-tree.ts');
      const { findConfig, partnerSiteOf } = await import('./find-site.ts');
      const found = await findConfig(folder, folderTree);
      return { folder: found.folder, config: partnerSiteOf(found) };
    },
    async role() {
      const { folderTree } = await import('../io/folder-tree.ts');
      const { findConfig, roleOf } = await import('./find-site.ts');
      return roleOf((await findConfig(folder, folderTree)).text);
    },
    async mainSite() {
      const { folder: at, config } = await context.mainConfig();
      const { isAlive } = await import('../io/processes.ts');
      const keys = await context.keyStore(resolve(at, config.folders.keys));
      return {
        config,
        files: await context.tree(at),
        cacheFolder: resolve(at, '.tieup'),
        keys,
        clock: context.clock,
        random: context.random,
        owner: lockOwner(terminal.pid, context.random),
        isAlive,
        connect: (partnership) => connect(partnership, resolve(at, config.folders.keys), keys),
        hits: async () => (await import('../io/duckdb-hits.ts')).duckdbHits(resolve(at, '.tieup/hits')),
        visit: async (visit) => (await import('../io/page-visit.ts')).visitPage(visit, terminal.interruption),
      };
    },
    async partnerSite() {
      const { folder: at, config } = await context.partnerConfig();
      const { IN_PLACE, TREES_FOLDER } = await import('../config/partner-site.ts');
      const { objectStore } = await import('../publish/objects.ts');
      const { acquireLock } = await import('../io/lock.ts');
      const { isAlive } = await import('../io/processes.ts');
      const { readAgreedTerms } = await import('../partner-site/agreed-terms.ts');
      const { original, exchange, slots, state: stateFolder, keys, public: webRoot } = config.folders;
      const state = await context.tree(resolve(at, stateFolder));
      const place = resolve(at, webRoot);
      const owner = lockOwner(terminal.pid, context.random);
      return {
        config,
        files: await context.tree(at),
        exchange: await context.tree(resolve(at, exchange)),
        slots: await context.tree(resolve(at, slots)),
        state,
        stateFolder: resolve(at, stateFolder),
        objects: objectStore(state),
        ports: {
          original: original === IN_PLACE ? undefined : await context.tree(resolve(at, original)),
          web: await context.tree(dirname(place)),
          state,
        },
        layout: {
          how: config.publish,
          publicName: basename(place),
          treesName: TREES_FOLDER,
          mount: (await readAgreedTerms(state)).terms.mount,
          keep: config.keep,
        },
        keys: await context.keyStore(resolve(at, keys)),
        logFiles: {
          open: async (pattern) => (await import('../io/log-folder.ts')).logFolder(at).open(pattern),
        },
        clock: context.clock,
        random: context.random,
        lock: () => acquireLock(state, 'lock', owner, context.clock, LOCK_MINUTES, { isAlive }),
        lockLogs: () => acquireLock(state, 'logs/lock', owner, context.clock, LOCK_MINUTES, { isAlive }),
      };
    },
    async mainDoctor() {
      const { folder: at, config } = await context.mainConfig();
      const { systemMachine } = await import('../io/machine.ts');
      const keyFolder = resolve(at, config.folders.keys);
      const keys = await context.keyStore(keyFolder);
      return {
        machine: systemMachine(at),
        keyFolder: await context.tree(keyFolder),
        look: (partnership) => lookAtServer(partnership, keyFolder, keys),
      };
    },
    async partnerDoctor() {
      const { folder: at, config } = await context.partnerConfig();
      const { systemMachine } = await import('../io/machine.ts');
      return { machine: systemMachine(at), keyFolder: await context.tree(resolve(at, config.folders.keys)) };
    },
    async newPartnerSite(folders) {
      return {
        files: await context.tree(folder),
        exchange: await context.tree(folders.exchange),
        state: await context.tree(folders.state),
        makePrivateState: async () => {
          const { mkdir } = await import('node:fs/promises');
          await mkdir(resolve(folder, folders.state), { recursive: true, mode: 0o700 });
        },
        keys: await context.keyStore(folders.keys),
        clock: context.clock,
        random: context.random,
      };
    },
    async scanHostKey(address) {
      const { parseSftpAddress } = await import('../io/sftp-address.ts');
      const { scanHostKey } = await import('../io/sftp-connection.ts');
      return scanHostKey(parseSftpAddress(address), { timeoutMs: CONNECT_TIMEOUT_MS, signal: terminal.interruption });
    },
    async readFile(path, maxLength) {
      const place = resolve(folder, path);
      return (await context.tree(dirname(place))).read(basename(place), maxLength);
    },
    async writeFile(path, bytes) {
      const place = resolve(folder, path);
      await (await context.tree(dirname(place))).write(basename(place), bytes);
    },
    async temporaryFolder(prefix) {
      const { mkdtemp, realpath } = await import('node:fs/promises');
      return realpath(await mkdtemp(join(tmpdir(), prefix)));
    },
    async tufClient(metadataFolder) {
      const { stockTufClient } = await import('../io/tuf-conformance.ts');
      return stockTufClient(resolve(folder, metadataFolder), context.clock);
    },
    demoStage: () => ({
      async callTieup(argv, at, environment) {
        const { runScript } = await import('../io/processes.ts');
        return runScript(packageFile('bin/tieup.js'), argv, at, environment);
      },
      async startSftp(root, publicKey) {
        const { startSftpServer } = await import('../io/sftp-server.ts');
        const hostKey = (await context.sshKey('tieup demo')).privateKey;
        return startSftpServer({ root, hostKey, users: { main: { publicKey, writable: ['inbox'] } } });
      },
      async startWeb(root) {
        const { startStaticServer } = await import('../io/static-server.ts');
        return startStaticServer(root);
      },
    }),
    interrupted: () =>
      new Promise((resolvePromise) => {
        if (terminal.interruption.aborted) resolvePromise();
        terminal.interruption.addEventListener('abort', () => resolvePromise(), { once: true });
      }),
    endWith(code) {
      exitCode = code;
    },
    exitCode: () => exitCode,
    async close() {
      for (const tree of trees) await tree.close();
    },
  };
  /** Logs in to a partner's exchange; an encrypted SSH key asks for its password only when it is needed. */
  const login = async ({ id, sftp }: Partnership, keyFolder: string, keys: KeyStore): Promise<SftpConnection> => {
    if (sftp === null) {
      throw new TieupError('TIEUP_E_CONTRACT', `${id} has not joined yet`, {
        hint: `run tieup enroll with its answer`,
      });
    }
    const { parseSftpAddress } = await import('../io/sftp-address.ts');
    const { connectSftp } = await import('../io/sftp-connection.ts');
    const address = parseSftpAddress(sftp.url);
    const open = (auth: SshAuth) =>
      connectSftp({
        address,
        hostKeys: sftp.hostKeys,
        auth,
        timeoutMs: CONNECT_TIMEOUT_MS,
        signal: terminal.interruption,
      });
    const { findSshAuth } = await import('../io/ssh-auth.ts');
    const auth = await findSshAuth(terminal.environment, keyFolder);
    try {
      return await open(auth);
    } catch (error) {
      if (auth.kind !== 'key' || !isTieupError(error, 'TIEUP_E_PASSWORD')) throw error;
      return await open({ ...auth, passphrase: await keys.password('ssh') });
    }
  };
  const connect = async (...to: Parameters<typeof login>): Promise<FileTree> => {
    const { sftpTree } = await import('../io/sftp-tree.ts');
    const connection = await login(...to);
    return sftpTree(connection, connection.address.path);
  };
  const lookAtServer = async (...to: Parameters<typeof login>): Promise<ServerLook> => {
    const { sftpTree } = await import('../io/sftp-tree.ts');
    const connection = await login(...to);
    const { path } = connection.address;
    return {
      tree: sftpTree(connection, path),
      server: connection.server,
      freeBytes: () => connection.session.freeBytes(path.replace(/^~\/?/, '') || '.'),
    };
  };
  return context;
}

const CONNECT_TIMEOUT_MS = 20_000;
const LOCK_MINUTES = 60;

function lockOwner(pid: number, random: (length: number) => Uint8Array): LockOwner {
  const host = hostname();
  const id = Buffer.from(random(16)).toString('hex');
  return { who: `${userInfo().username}@${host}, process ${pid}`, id, host, pid };
}
