/**
 * The composition root: the one file that names adapters. What a command needs is put together when it asks for it, so
 * that no command pays for what another one uses.
 */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { FoundConfig } from './find-config.ts';
import type { PartnerSiteConfig } from '../config/partner-site.ts';
import type { Partnership } from '../config/partnership.ts';
import { systemClock } from '../io/clock.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { HistoryLog, HistoryPlace } from '../io/history-log.ts';
import type { KeyStore } from '../io/keys.ts';
import type { PartnerLogin } from '../io/partner-login.ts';
import type { LoginOptions } from '../io/sftp-login.ts';
import type { SiteTrees } from '../io/site-trees.ts';
import type { Prompt } from '../io/prompt.ts';
import type { SftpConnection } from '../io/sftp-connection.ts';
import type { SharedLogins } from '../io/shared-logins.ts';
import type { ServerLook } from '../main-site/doctor-partner.ts';
import { LEDGER_FOLDER } from '../protocol/exchange.ts';
import { lettingGo } from './letting-go.ts';
import { lateHistory, lateKeys, lateMarkdown } from './late-parts.ts';
import { lockOwner, locksOf, WEB_LOCK } from './lock-owner.ts';
import { packageFile, programIdentity } from './package-files.ts';
import type { Globals } from './globals.ts';
import type { Output } from './output.ts';
import { aborted, canAsk, type Terminal } from './terminal.ts';
import { lateFewOf, markdownCompiler, markdownThreads, startOf } from './threads.ts';
import type { Context } from './command-context.ts';

export function createContext(terminal: Terminal, globals: Globals, output: Output): Context {
  const [folder, ending] = [resolve(terminal.cwd, globals.folder ?? '.'), lettingGo(terminal.interruption)];
  const trees: FileTree[] = [];
  let exitCode = 0;
  let prompt: Promise<Prompt> | undefined;
  let logins: Promise<SharedLogins> | undefined;

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
    siteAddress: globals.site,
    prompt: () => (prompt ??= openPrompt()),
    async tree(path) {
      const { folderTree } = await import('../io/folder-tree.ts');
      const tree = folderTree(resolve(folder, path));
      trees.push(tree);
      return tree;
    },
    outputFolder: async (path) => (await import('../io/output-folder.ts')).outputFolder(resolve(folder, path)),
    async keyStore(path, { further = [], references } = {}) {
      const { folderKeyStore } = await import('../io/keys.ts');
      const asking = person ? await context.prompt() : undefined;
      return folderKeyStore({
        folder: resolve(folder, path),
        further: further.map((each) => resolve(folder, each)),
        references,
        environment: terminal.environment,
        askPassword: asking && ((name) => asking.password(`Password of the ${name} key`)),
        random: context.random,
      });
    },
    keyShelf: async (path) => (await import('../io/key-shelf.ts')).keyShelf(resolve(folder, path)),
    sshKey: async (comment) => (await import('../io/ssh-key.ts')).createSshKey(comment),
    siteFiles: async () => context.tree((await foundConfig()).folder),
    identity: programIdentity,
    async mainConfig() {
      const { mainSiteOf } = await import('./find-site.ts');
      const found = await foundConfig();
      return { folder: found.folder, config: mainSiteOf(found, globals.site) };
    },
    async partnerConfig() {
      const { partnerSiteOf } = await import('./find-site.ts');
      const found = await foundConfig();
      return { folder: found.folder, config: partnerSiteOf(found, globals.site) };
    },
    role: async () => (await import('./find-site.ts')).roleOf((await foundConfig()).text),
    async mainSite({ rootKeys, config: known } = {}) {
      const found = await foundConfig();
      const at = found.folder;
      const config = known ?? (await import('./find-site.ts')).mainSiteOf(found, globals.site);
      const { isAlive, namedProcesses } = await import('../io/processes.ts');
      const { sshKeyFolder } = await import('../io/ssh-keys.ts');
      const { packCache } = await import('../io/pack-cache.ts');
      const owner = lockOwner(terminal.pid, namedProcesses(), context.random);
      const keyFolder = resolve(at, config.folders.keys);
      const keys = lateKeys(() => context.keyStore(keyFolder, { further: rootKeys }));
      const memory = packCache(at, ['.tieup', 'cache']);
      const openHistory = async (): Promise<HistoryLog> =>
        historyAt({ tree: await context.tree(resolve(at, '.tieup')), owner, clock: context.clock, isAlive });
      return {
        config,
        files: await context.tree(at),
        cacheFolder: resolve(at, '.tieup'),
        identity: await programIdentity(),
        memory,
        markdown: lateMarkdown(() => markdownCompiler(memory)),
        images: async () => (await import('../io/sharp-images.ts')).sharpImages(),
        keys,
        sshKeys: sshKeyFolder(keyFolder),
        clock: context.clock,
        random: context.random,
        owner,
        isAlive,
        history: lateHistory(openHistory),
        connect: (partnership) => connect(partnership, keyFolder, keys),
        async openSite(partnership) {
          const { treesOf } = await import('../io/site-trees.ts');
          const connection = await share(partnership, keyFolder, keys);
          const kept = await context.tree(resolve(at, '.tieup/partners', partnership.id, 'live'));
          return { kept, tree: await treesOf(connection), close: () => connection.close() };
        },
        hits: async () => (await import('../io/duckdb-hits.ts')).duckdbHits(resolve(at, '.tieup/hits')),
        folding: lateFewOf('logs/fold-thread.js'),
        visit: async (visit) => (await import('../io/page-visit.ts')).visitPage(visit, terminal.interruption),
      };
    },
    async partnerSite(acceptKey) {
      const { folder: at, config } = await context.partnerConfig();
      const { IN_PLACE, TREES_FOLDER } = await import('../config/partner-site.ts');
      const { objectStore } = await import('../publish/objects.ts');
      const { lockedTrees } = await import('../io/locked-tree.ts');
      const { isAlive, namedProcesses } = await import('../io/processes.ts');
      const { readAgreedTerms } = await import('../partner-site/agreed-terms.ts');
      const { original, exchange, slots, state: stateFolder, keys, public: webRoot } = config.folders;
      const state = await context.tree(resolve(at, stateFolder));
      await (await import('../partner-site/logs/day-salts.ts')).destroyIfAllowed({ state, clock: context.clock });
      const owner = lockOwner(terminal.pid, namedProcesses(), context.random);
      const references = acceptKey === undefined ? {} : { references: { accept: acceptKey } };
      const keyStore = await context.keyStore(resolve(at, keys), references);
      const tree = await siteTrees(config, at, keyStore);
      const web = tree(dirname(webRoot));
      const { publisher, mount } = (await readAgreedTerms(state)).terms;
      // Where the main site publishes, both sides keep the records of it.
      const ledger = publisher === 'main' ? tree(`${exchange}/${LEDGER_FOLDER}`) : state;
      const objects = objectStore(state);
      const lockOf = locksOf(owner, context.clock, isAlive);
      // Two laptops have two states; the web root is one.
      const shared = publisher === 'main' ? lockOf(ledger, 'lock') : config.site && lockOf(web, WEB_LOCK);
      const locked = lockedTrees(lockOf(state, 'lock'), shared);
      return {
        config,
        files: await context.tree(at),
        exchange: locked.keepingLock(tree(exchange)),
        slots: tree(slots),
        state,
        stateFolder: resolve(at, stateFolder),
        objects,
        ports: {
          original: original === IN_PLACE ? undefined : locked.keepingLock(tree(original)),
          web: locked.keepingLock(web),
          state: locked.keepingLock(ledger),
          objects,
          isShared: publisher === 'main',
        },
        layout: {
          how: config.publish,
          publicName: basename(resolve(at, webRoot)),
          treesName: TREES_FOLDER,
          mount,
          keep: config.keep,
        },
        publisher,
        keys: keyStore,
        logFiles: {
          open: async (pattern) => (await import('../io/log-folder.ts')).logFolder(at).open(pattern),
        },
        markdown: (await import('../content/compile-on-threads.ts')).compileOnThreads(markdownThreads()),
        startSealing: config.logs === undefined ? undefined : await startOf('logs/seal-thread.js'),
        clock: context.clock,
        random: context.random,
        history: lateHistory(() => historyAt({ tree: state, owner, clock: context.clock, isAlive })),
        lock: locked.lock,
        lockLogs: lockOf(state, 'logs/lock'),
      };
    },
    fetch: async (url, max) => (await import('../io/machine.ts')).systemMachine(folder).fetch(url, max),
    async mainDoctor() {
      const { folder: at, config } = await context.mainConfig();
      const { systemMachine } = await import('../io/machine.ts');
      const { isLetIn } = await import('../io/partner-login.ts');
      const keyFolder = resolve(at, config.folders.keys);
      const keys = await context.keyStore(keyFolder);
      return {
        machine: systemMachine(at),
        keyFolder: await context.tree(keyFolder),
        look: (partnership) => lookAtServer(partnership, keyFolder, keys),
        letsIn: (partnership, generation) => isLetIn(loginOf(partnership, keyFolder, keys, generation)),
      };
    },
    async partnerDoctor() {
      const { folder: at, config } = await context.partnerConfig();
      const { systemMachine } = await import('../io/machine.ts');
      return { machine: systemMachine(at), keyFolder: await context.tree(resolve(at, config.folders.keys)) };
    },
    async newPartnerSite(folders, answer, site) {
      const { newFolders } = await import('../io/new-folders.ts');
      const place = resolve(folder, answer);
      const keys = await context.keyStore(folders.keys);
      const tree = await siteTrees({ site, folders }, folder, keys);
      const roots = [...(site === undefined ? [folders.exchange] : []), folders.state, folders.keys, dirname(place)];
      const made = newFolders(roots.map((each) => resolve(folder, each)));
      return {
        files: await context.tree(folder),
        base: folder,
        exchange: tree(folders.exchange),
        state: await context.tree(folders.state),
        makePrivateState: () => made.makePrivate(resolve(folder, folders.state)),
        takeBackFolders: () => made.takeBack(),
        answer: { tree: await context.tree(dirname(place)), path: basename(place) },
        keys,
        keyFolder: await context.tree(folders.keys),
        clock: context.clock,
        random: context.random,
      };
    },
    async scanHostKey(address) {
      const { parseSftpAddress } = await import('../io/sftp-address.ts');
      const { scanHostKey } = await import('../io/sftp-connection.ts');
      return scanHostKey(parseSftpAddress(address), { timeoutMs: CONNECT_TIMEOUT_MS, signal: terminal.interruption });
    },
    knownHostKeys: async (at) => (await import('../io/site-trees.ts')).hostKeysKnownFor(at, terminal.environment),
    async ownHostKeys() {
      const { OWN_HOST_KEYS, readOwnHostKeys } = await import('../io/own-host-keys.ts');
      return readOwnHostKeys(await context.tree(OWN_HOST_KEYS));
    },
    async readFile(path, maxLength) {
      const place = resolve(folder, path);
      return (await context.tree(dirname(place))).read(basename(place), maxLength);
    },
    logFiles: async () => (await import('../io/log-folder.ts')).logFolder(folder),
    countingThread: () => startOf('logs/count-log.js'),
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
    serve: async (answer, port) => (await import('../io/loopback-server.ts')).startLoopbackServer(answer, port),
    async *changes(places, signal) {
      yield* (await import('../io/folder-changes.ts')).folderChanges(places, signal);
    },
    interrupted: () => aborted(terminal.interruption),
    endWith(code) {
      exitCode = code;
    },
    exitCode: () => exitCode,
    async close() {
      await (await logins)?.close();
      for (const tree of trees) await tree.close();
    },
  };
  const historyAt = async (place: HistoryPlace): Promise<HistoryLog> =>
    (await import('../io/history-log.ts')).historyLog(place);
  const foundConfig = async (): Promise<FoundConfig> => {
    const { folderTree } = await import('../io/folder-tree.ts');
    const { findConfig } = await import('./find-config.ts');
    return findConfig(folder, folderTree);
  };
  const loginWith = (keyFolder: string, keys: KeyStore): LoginOptions => ({
    environment: terminal.environment,
    keyFolder,
    password: () => keys.password('ssh'),
    timeoutMs: CONNECT_TIMEOUT_MS,
    signal: terminal.interruption,
  });
  const loginOf = (partner: Partnership, keyFolder: string, keys: KeyStore, generation?: number): PartnerLogin => ({
    ...loginWith(keyFolder, keys),
    partner,
    generation,
  });
  /** The folders of a partner's site, here or on the server that it lies on. */
  const siteTrees = async (
    { site, folders }: Pick<PartnerSiteConfig, 'site' | 'folders'>,
    at: string,
    keys: KeyStore,
  ): Promise<SiteTrees> => {
    if (site === undefined) {
      const { folderTree } = await import('../io/folder-tree.ts');
      return (path) => folderTree(resolve(at, path));
    }
    const { serverSiteTrees } = await import('../io/site-trees.ts');
    const open = serverSiteTrees(site, loginWith(resolve(at, folders.keys), keys));
    return (path) => {
      const tree = open(path);
      trees.push(tree);
      return tree;
    };
  };
  const login = async (...to: Parameters<typeof loginOf>): Promise<SftpConnection> => {
    const { loginToPartner } = await import('../io/partner-login.ts');
    return loginToPartner(loginOf(...to));
  };
  const share = async (...to: Parameters<typeof login>): Promise<SftpConnection> =>
    (await (logins ??= openLogins())).connect(ending.bounded(loginOf(...to)));
  const connect = async (...to: Parameters<typeof login>): Promise<FileTree> => {
    const { sftpTree } = await import('../io/sftp-tree.ts');
    const connection = await share(...to);
    return ending.guard(sftpTree(connection, connection.address.path));
  };
  const openLogins = async (): Promise<SharedLogins> => {
    const { loginToPartner } = await import('../io/partner-login.ts');
    return (await import('../io/shared-logins.ts')).sharedLogins({ login: loginToPartner });
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
