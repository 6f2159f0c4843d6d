/** A main site and a partner site of the starter folders, brought together by the command line over the embedded SFTP server. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedSftp, type EmbeddedSftp } from './embedded-sftp.ts';
import { lightenKeys } from './lighter-keys.ts';
import { call } from './script.ts';

export const PASSWORD = 'correct horse battery staple';

/** Six words that one side reads to the other, as `invite` and `join` print them. */
export function wordsIn(output: string): string {
  const found = /^ {2,3}((?:[a-z]{5} ){5}[a-z]{5})$/m.exec(output)?.[1];
  if (found === undefined) throw new Error(`there are no six words in:\n${output}`);
  return found;
}

/** A login for the main site whose folder is `main`, shut into the partner folder `partner`. */
export async function loginInto(partner: string, main: string): Promise<EmbeddedSftp> {
  const publicKey = await readFile(join(main, 'keys/ssh.pub'), 'utf8');
  return embeddedSftp({ root: partner, users: { main: { publicKey, writable: ['exchange/inbox'] } } });
}

export interface CliPartnership {
  readonly main: string;
  readonly shop: string;
  /** `tieup …words` in one of the folders; throws unless it ends with 0. Returns stdout. */
  readonly tieup: (folder: string, ...words: readonly string[]) => Promise<string>;
  /** Pushes, and lets the partner accept exactly that. */
  readonly publish: () => Promise<void>;
  /** Both sites as they are, in folders of their own and with a login of their own. */
  readonly copy: () => Promise<CliPartnership>;
  readonly dispose: () => Promise<void>;
}

/** The starter folders as `init` writes them, joined with these words more; nothing is pushed yet. */
export async function startPartnership(
  joining: readonly string[] = [],
  further: Readonly<Record<string, string>> = {},
): Promise<CliPartnership> {
  const home = await mkdtemp(join(tmpdir(), 'tieup-'));
  const [main, shop] = [join(home, 'main'), join(home, 'shop')];
  const tieup = commandIn(home, further);
  let sftp: EmbeddedSftp | undefined;
  try {
    for (const folder of [main, shop]) await mkdir(folder);
    await tieup(main, 'init', '--role', 'main', '--name', 'Northwind Coffee', '--url', 'https://northwind.example/');
    lightenKeys(join(main, 'keys'), PASSWORD);
    await tieup(shop, 'init', '--role', 'partner', '--name', 'Harbour Books');
    sftp = await loginInto(shop, main);
    const invited = wordsIn(await tieup(main, 'invite', 'harbour', '-o', join(shop, 'invitation')));
    const where = ['--sftp', `sftp://main@${addressOf(sftp)}/exchange`, '--url', 'https://harbour.example/'];
    const answered = wordsIn(await tieup(shop, 'join', 'invitation', '--yes', invited, ...where, ...joining));
    lightenKeys(join(shop, 'keys'), PASSWORD);
    await tieup(main, 'enroll', join(shop, 'harbour.answer'), '--yes', answered);
  } catch (error) {
    await sftp?.dispose();
    await rm(home, { recursive: true, force: true });
    throw error;
  }
  return joined(home, sftp, further);
}

function addressOf({ server }: EmbeddedSftp): string {
  return `127.0.0.1:${server.port}`;
}

function commandIn(home: string, further: Readonly<Record<string, string>>): CliPartnership['tieup'] {
  const path = process.env['PATH'] ?? '';
  const environment = { HOME: home, PATH: path, LANG: 'C.UTF-8', TIEUP_PASSWORD: PASSWORD, ...further };
  return async (folder, ...words) => {
    const { exitCode, stdout, stderr } = await call(words, folder, environment);
    if (exitCode !== 0) throw new Error(`tieup ${words.join(' ')} ended with ${exitCode}:\n${stdout}${stderr}`);
    return stdout;
  };
}

function joined(home: string, sftp: EmbeddedSftp, further: Readonly<Record<string, string>>): CliPartnership {
  const [main, shop] = [join(home, 'main'), join(home, 'shop')];
  const tieup = commandIn(home, further);
  return {
    main,
    shop,
    tieup,
    publish: async () => {
      await tieup(main, 'push');
      await tieup(shop, 'accept', '--yes', digestIn(await tieup(shop, 'status')));
    },
    copy: async () => {
      const to = await mkdtemp(join(tmpdir(), 'tieup-'));
      for (const name of ['main', 'shop'])
        await cp(join(home, name), join(to, name), { recursive: true, verbatimSymlinks: true });
      const login = await loginInto(join(to, 'shop'), join(to, 'main'));
      const file = join(to, 'main/partners/harbour.yaml');
      await writeFile(file, (await readFile(file, 'utf8')).replace(addressOf(sftp), addressOf(login)));
      return joined(to, login, further);
    },
    dispose: async () => {
      await sftp.dispose();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** The digest that `tieup status` of a partner names. */
export function digestIn(output: string): string {
  const found = /tieup accept --yes ([0-9a-f]{64})/.exec(output)?.[1];
  if (found === undefined) throw new Error(`there is no release digest in:\n${output}`);
  return found;
}

/** Writes what fills a slot at the partner. */
export async function fillSlot(shop: string, page: string, slot: string, text: string): Promise<void> {
  await mkdir(join(shop, 'slots', page), { recursive: true });
  await writeFile(join(shop, 'slots', page, `${slot}.md`), text);
}
