/** What `join` asks for, and what it says when it is done. */
import { siteAddress } from '../config/fields.ts';
import { parseSftpAddress, renderSftpAddress } from '../io/sftp-address.ts';
import { answer, wordLines } from './answers.ts';
import type { Context } from './command-context.ts';
import type { Output } from './output.ts';
import { count } from './quantity.ts';
import { visible } from './visible.ts';

/** Where the main site reaches the exchange, and where visitors reach the site. @throws TIEUP_E_CONFIG, TIEUP_E_USAGE. */
export async function askPlaces(
  ctx: Context,
  given: { readonly sftp?: string; readonly url?: string },
): Promise<{ readonly sftp: string; readonly url: string }> {
  const readSftp = (text: string): string => renderSftpAddress(parseSftpAddress(text));
  // Both flags are judged before anything is asked.
  const flags = {
    sftp: given.sftp === undefined ? undefined : readSftp(given.sftp),
    url: given.url === undefined ? undefined : siteAddress(given.url),
  };
  const sftp = await answer(ctx, {
    flag: '--sftp',
    given: flags.sftp,
    ask: 'Address at which the main site reaches your exchange folder, such as sftp://main@shop.example/exchange',
    read: readSftp,
  });
  const url = await answer(ctx, {
    flag: '--url',
    given: flags.url,
    ask: 'Address of your site, such as https://shop.example/',
    read: siteAddress,
  });
  return { sftp, url };
}

export interface JoinedFacts {
  readonly partner: string;
  /** The file of the answer. */
  readonly out: string;
  readonly exchange: string;
  readonly kitFiles: readonly string[];
  readonly digest: string;
  readonly words: readonly string[];
  readonly authorizedKey: string;
}

export function joinedText(output: Output, facts: JoinedFacts): string {
  const { partner, out, exchange, kitFiles, digest, words, authorizedKey } = facts;
  return [
    output.mark('good', `this folder is now the partner site "${visible(partner)}"`),
    ...(kitFiles.length === 0
      ? []
      : [`To build pages of your own in its spirit: ${count(kitFiles.length, 'file')} in kit/`]),
    '',
    `1. Let the main site’s login in: put this line into the file authorized_keys of its account on your server.`,
    `   ${visible(authorizedKey)}`,
    `   Give that account a user id of its own, shut it into one folder (ChrootDirectory in sshd_config), and let it`,
    `   write to ${visible(exchange)}/inbox alone: then a stolen login changes no live page. With the user id that also`,
    `   owns your site there is no protection against a stolen login. docs/sftp-server.md has the commands.`,
    `2. Send ${visible(out)} to the main site. Nothing in it is secret.`,
    `3. By telephone, read these six words to the main site; its tieup enroll shows what they must be:`,
    ...wordLines(words, digest, output),
    `4. When it has pushed:  tieup accept\n`,
  ].join('\n');
}
