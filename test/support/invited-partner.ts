/** Two starter folders by the command line, and the main site's invitation at the partner. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PASSWORD, wordsIn } from './cli-partnership.ts';
import { seededSshKey } from './embedded-sftp.ts';
import { type Script, script } from './script.ts';

export const SECRET = { TIEUP_PASSWORD: PASSWORD };
/** What `join` makes in the folder of the partner. */
export const MADE = ['kit', 'keys', 'state', 'exchange', 'schemas', 'tieup.yaml', 'harbour.answer'];

export interface Invited extends Script {
  /** A path in the partner's folder. */
  at(path: string): string;
  /** The six words that `invite` printed. */
  readonly words: string;
  /** `tieup join …` at the partner, with everything that it would ask for. */
  join(...words: readonly string[]): ReturnType<Script['run']>;
}

/** A starter main site, a starter partner, and an invitation that lies at the partner without its kit. */
export async function invited(prepare: (main: string) => Promise<void> = async () => {}): Promise<Invited> {
  const shell = await script();
  const main = join(shell.folder, 'main');
  const at = (path: string): string => join(shell.folder, 'shop', path);
  const northwind = ['--name', 'Northwind Coffee', '--url', 'https://northwind.example/'];
  await shell.run(['init', 'main', '--role', 'main', ...northwind], SECRET);
  await shell.run(['init', 'shop', '--role', 'partner', '--name', 'Harbour Books']);
  await prepare(main);
  const { stdout } = await shell.run(['-C', 'main', 'invite', 'harbour'], SECRET);
  await copyFile(join(main, 'harbour.invitation'), at('harbour.invitation'));
  const address = ['--sftp', 'sftp://main@harbour.example/exchange', '--host-key', seededSshKey('shop').publicKey];
  const agreed = ['--yes', wordsIn(stdout), '--url', 'https://harbour.example/', ...address];
  return {
    ...shell,
    at,
    words: wordsIn(stdout),
    join: (...words) => shell.run(['-C', 'shop', 'join', 'harbour.invitation', ...agreed, ...words], SECRET),
  };
}
