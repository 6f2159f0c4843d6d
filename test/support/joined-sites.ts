/**
 * A main site and a partner made by the command line alone, and joined over a real sshd: as root the partner's folder is
 * what the main site's login is shut into, otherwise the login is that of the user who runs the tests.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lightenKeys } from './lighter-keys.ts';
import { asRoot, realPart } from './real-parts.ts';
import { type Ended, start } from './script.ts';
import { type Sshd, startChrootedSshd, startSshd } from './sshd.ts';

export const PASSWORD = 'correct horse';

export interface SiteFolder {
  /** Absolute. */
  readonly folder: string;
  /** `tieup …words` in this folder; `undefined` takes a variable away. */
  run(words: readonly string[], environment?: Readonly<Record<string, string | undefined>>): Promise<Ended>;
  /** The same with `--json`, which must end with `exitCode` and print one document of the schema `tieup.<name>/v1`. */
  json(name: string, words: readonly string[], exitCode?: number): Promise<Record<string, unknown>>;
  /** The same, which must end well; what it printed. */
  done(words: readonly string[]): Promise<string>;
  path(path: string): string;
  read(path: string): string;
  write(path: string, text: string): void;
  /** Replaces a text that must be there. */
  edit(path: string, from: string, to: string): void;
}

export interface JoinedSites {
  readonly sshd: Sshd;
  /** Whether the main site's login is shut into the partner's folder, with a uid of its own. */
  readonly chrooted: boolean;
  readonly main: SiteFolder;
  readonly shop: SiteFolder;
  /** The main site in a folder of its own, which may be damaged; gone with the rest. */
  copyOfMain(): SiteFolder;
  dispose(): Promise<void>;
}

/** Undefined where there is no sshd. */
export async function joinedSites(): Promise<JoinedSites | undefined> {
  const program = realPart('sshd');
  if (program === undefined) return undefined;
  const chrooted = asRoot('sshd');
  const sshd = await (chrooted ? startChrootedSshd(program) : startSshd(program));
  // Link publishing makes it.
  if (chrooted) rmdirSync(join(sshd.folder, 'public'));
  const home = mkdtempSync(join(tmpdir(), 'tieup-'));
  const main = siteFolder(join(home, 'main'), home);
  const shop = siteFolder(sshd.folder, home);
  let copies = 0;
  const joined: JoinedSites = {
    sshd,
    chrooted,
    main,
    shop,
    copyOfMain: () => {
      copies += 1;
      const folder = join(home, `main-${copies}`);
      cpSync(main.folder, folder, { recursive: true });
      return siteFolder(folder, home);
    },
    dispose: async () => {
      await sshd.dispose();
      rmSync(home, { recursive: true, force: true });
    },
  };
  try {
    await joinThem(joined, home);
  } catch (error) {
    await joined.dispose();
    throw error;
  }
  return joined;
}

/** The main site's login as the partner's server knows it, from the line that `join` prints. */
async function joinThem({ sshd, chrooted, main, shop }: JoinedSites, home: string): Promise<void> {
  const above = siteFolder(home, home);
  const northwind = ['--name', 'Northwind Coffee', '--url', 'https://northwind.example/'];
  await above.done(['init', 'main', '--role', 'main', ...northwind]);
  lightenKeys(main.path('keys'), PASSWORD);
  await above.done(['init', shop.folder, '--role', 'partner', '--name', 'Harbour Books']);
  const invited = await main.json('invite', ['invite', 'harbour', '--out', join(home, 'harbour.invitation')]);
  const exchange = chrooted ? '/exchange' : shop.path('exchange');
  const agreed = ['--yes', words(invited), '--out', join(home, 'harbour.answer')];
  const places = [
    '--sftp',
    `sftp://${sshd.user}@127.0.0.1:${sshd.port}${exchange}`,
    '--url',
    'https://harbour.example/',
  ];
  const answered = await shop.json('join', ['join', join(home, 'harbour.invitation'), ...agreed, ...places]);
  lightenKeys(shop.path('keys'), PASSWORD);
  sshd.authorize(String(answered['authorizedKey']));
  await main.done(['enroll', join(home, 'harbour.answer'), '--yes', words(answered)]);
}

export function words(document: Record<string, unknown>): string {
  const found = document['words'];
  if (!Array.isArray(found) || found.length !== 6) throw new Error('there are no six words');
  return found.join(' ');
}

/** @param always variables of every command */
export function siteFolder(folder: string, home: string, always: Readonly<Record<string, string>> = {}): SiteFolder {
  const path = (name: string): string => join(folder, name);
  const site: SiteFolder = {
    folder,
    path,
    run: (given, environment = {}) => {
      const all = {
        HOME: home,
        PATH: process.env['PATH'],
        LANG: 'C.UTF-8',
        TIEUP_PASSWORD: PASSWORD,
        ...always,
        ...environment,
      };
      const set = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
      return start(given, folder, Object.fromEntries(set));
    },
    json: async (name, given, exitCode = 0) => {
      const ended = await site.run([...given, '--json']);
      if (ended.exitCode !== exitCode) throw unexpected(given, ended);
      const document: unknown = JSON.parse(ended.stdout);
      if (typeof document !== 'object' || document === null) throw unexpected(given, ended);
      const fields: Record<string, unknown> = { ...document };
      if (fields['schema'] !== `tieup.${name}/v1`) throw unexpected(given, ended);
      return fields;
    },
    done: async (given) => {
      const ended = await site.run(given);
      if (ended.exitCode !== 0) throw unexpected(given, ended);
      return ended.stdout;
    },
    read: (name) => readFileSync(path(name), 'utf8'),
    write: (name, text) => writeFileSync(path(name), text),
    edit: (name, from, to) => {
      const before = site.read(name);
      if (!before.includes(from)) throw new Error(`${name} has no ${JSON.stringify(from)}`);
      site.write(name, before.replace(from, to));
    },
  };
  return site;
}

function unexpected(given: readonly string[], { exitCode, stdout, stderr }: Ended): Error {
  return new Error(`tieup ${given.join(' ')} ended with ${exitCode}\n${stdout}${stderr}`);
}

/** Every path below `folder` with its bytes in hex, without what lies below `leftOut`. */
export function filesBelow(folder: string, leftOut?: string): Readonly<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(folder.length + 1);
    if (leftOut !== undefined && path.startsWith(`${leftOut}/`)) continue;
    files[path] = entry.isFile() ? readFileSync(join(folder, path), 'hex') : 'no file';
  }
  return files;
}
