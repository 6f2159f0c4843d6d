/** With which keys an exported log is judged: one that the command line gives, or those that the site of this folder knows. */
import { isTieupError, TieupError } from '../errors.ts';
import { parseVkey, type VerifierKey } from '../protocol/vkey.ts';
import type { Context } from './command-context.ts';

const MAX_KEY_FILE = 4096;

/** @throws TIEUP_E_USAGE when no key is given and this is no site. */
export async function logKeysFor(context: Context, given: string | undefined): Promise<readonly VerifierKey[]> {
  if (given !== undefined) return [parseVkey(await vkeyLine(context, given))];
  const role = await context.role().catch((error: unknown) => {
    if (!isTieupError(error)) throw error;
    return undefined;
  });
  if (role === undefined) {
    throw new TieupError('TIEUP_E_USAGE', 'the log key of the partner is needed, because this folder is no site', {
      hint: 'give it as --key, the line "<partner>/log+…" that the partner calls its own, or a file with it',
    });
  }
  if (role === 'partner') {
    const { ownKeysEver } = await import('../partner-site/own-keys.ts');
    return ownKeysEver(await context.partnerSite(), 'log');
  }
  const { knownLogKeys } = await import('../main-site/logs/log-keys.ts');
  return knownLogKeys(await context.mainSite());
}

/** A vkey itself, or the first line of a file. */
async function vkeyLine(context: Context, given: string): Promise<string> {
  if (/^[^\s/]+\/log\+[0-9a-f]{8}\+/.test(given)) return given;
  const [line = ''] = new TextDecoder().decode(await context.readFile(given, MAX_KEY_FILE)).split('\n');
  return line.trim();
}
