/**
 * A partner whose site lies on a real sshd, and whose manager has a laptop: `tieup.yaml`, state and keys there, everything else on
 * the server. Joined by the command line alone.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SiteFolder, siteFolder, words } from './joined-sites.ts';
import { realPart } from './real-parts.ts';
import { type Sshd, startSshd } from './sshd.ts';

export interface LaptopSites {
  readonly sshd: Sshd;
  readonly main: SiteFolder;
  /** The manager's folder; commands log in with the key of the environment. */
  readonly laptop: SiteFolder;
  /** The folder of the site on the server, as this machine sees it. */
  readonly server: string;
  /** `sftp://…` of that folder. */
  readonly address: string;
  /** The environment that the login needs. */
  readonly login: Readonly<Record<string, string>>;
  dispose(): Promise<void>;
}

export interface LaptopOptions {
  /** Further words for `tieup join`. */
  readonly joining?: readonly string[];
  /** Lines for the main site's file of the partner. */
  readonly partnership?: string;
  /** Files on the server before the partner joins. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Undefined where there is no sshd. */
export async function laptopSites({ joining = [], files = {}, partnership = '' }: LaptopOptions = {}): Promise<
  LaptopSites | undefined
> {
  const program = realPart('sshd');
  if (program === undefined) return undefined;
  const sshd = await startSshd(program);
  const home = mkdtempSync(join(tmpdir(), 'tieup-'));
  const dispose = async (): Promise<void> => {
    await sshd.dispose();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    const login = { TIEUP_KEY_SSH: sshd.key.privateKey };
    const server = join(sshd.folder, 'site');
    const host = `sftp://${sshd.user}@127.0.0.1:${sshd.port}`;
    const address = `${host}${server}`;
    for (const folder of ['original', 'laptop'])
      mkdirSync(join(folder === 'laptop' ? home : server, folder), { recursive: true });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(server, path, '..'), { recursive: true });
      writeFileSync(join(server, path), text);
    }
    const above = siteFolder(home, home);
    const main = siteFolder(join(home, 'main'), home);
    const laptop = siteFolder(join(home, 'laptop'), home, login);
    const northwind = ['--name', 'Northwind Coffee', '--url', 'https://northwind.example/'];
    await above.done(['init', 'main', '--role', 'main', ...northwind]);
    main.write('partners/harbour.yaml', `${main.read('partners/harbour.yaml')}${partnership}`);
    const invited = await main.json('invite', ['invite', 'harbour', '--out', join(home, 'harbour.invitation')]);
    const agreed = [
      join(home, 'harbour.invitation'),
      '--no-kit',
      '--yes',
      words(invited),
      '--out',
      join(home, 'harbour.answer'),
    ];
    const exchange = [
      '--sftp',
      `${address}/exchange`,
      '--host-key',
      sshd.hostKeyLine,
      '--url',
      'https://harbour.example/',
    ];
    const answered = await laptop.json('join', ['join', ...agreed, ...exchange, '--site', address, ...joining]);
    sshd.authorize(String(answered['authorizedKey']));
    await main.done(['enroll', join(home, 'harbour.answer'), '--yes', words(answered)]);
    return { sshd, main, laptop, server, address, login, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
