/**
 * Which root key is whose: `partners/<id>/holders.json` gives the public keys of a partner's newest root their names. With it
 * one holder can sign a new root while the others are away; without it their keys could not be told apart, because a master
 * that is away cannot derive them. It can name keys and never bring one in: what a root does not name is passed over.
 */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import type { KeyStore } from '../io/keys.ts';
import { readIfThere } from '../io/read-if-there.ts';
import type { Finding } from '../report/finding.ts';
import { ok, warning } from '../report/finding.ts';
import { ROOT_HOLDER } from '../protocol/names.ts';
import { rootKeyIds } from '../protocol/root-request.ts';
import { tufKeyId } from '../protocol/tuf-metadata.ts';
import type { MainSite } from './main-site.ts';
import { rootHolders, rootKeyName } from './partner-keys.ts';

/** Whose key `tieup init` makes beside that of `main`. */
export const SPARE_HOLDER = 'spare';

const MAX_FILE = 64 * 1024;
const schema = z.record(z.string().regex(ROOT_HOLDER), z.string().regex(/^[0-9a-f]{64}$/));

function holdersPath(site: MainSite, partner: string): string {
  return `${site.config.folders.partners}/${partner}/holders.json`;
}

/** @param rootKeys public keys in hex, by holder */
export async function keepHolders(
  site: MainSite,
  partner: string,
  rootKeys: Readonly<Record<string, string>>,
): Promise<void> {
  await site.files.write(holdersPath(site, partner), Buffer.from(`${JSON.stringify(rootKeys, undefined, 2)}\n`));
}

/**
 * Public keys in hex of those `holders` whose masters are elsewhere, as far as the root `previous` names them.
 * @throws TIEUP_E_FAILED when the file is damaged
 */
export async function keysOfAbsentHolders(
  site: MainSite,
  partner: string,
  holders: readonly string[],
  previous: Uint8Array | null,
): Promise<Readonly<Record<string, string>>> {
  const here = await rootHolders(site.keys);
  const named = await readHolders(site, partner);
  const { ids } = rootKeyIds(previous);
  const found = holders.flatMap((holder) => {
    const key = named[holder];
    return key === undefined || here.includes(holder) || !ids.includes(tufKeyId(key)) ? [] : [[holder, key] as const];
  });
  return Object.fromEntries(found);
}

async function readHolders(site: MainSite, partner: string): Promise<Readonly<Record<string, string>>> {
  const path = holdersPath(site, partner);
  const bytes = await readIfThere(site.files, path, MAX_FILE);
  if (bytes === undefined) return {};
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new TieupError('TIEUP_E_FAILED', `${path} is damaged`, {
      hint: 'take it from version control, or remove it and bring every root key for the next rotation',
      cause,
    });
  }
}

/** What {@link rootKeyFindings} warns of, one line each. */
export async function rootKeyWarnings({ keys, config }: MainSite): Promise<readonly string[]> {
  const found = await rootKeyFindings(keys, config.roots);
  return found.filter(({ state }) => state === 'warning').map(({ message, fix }) => `${message}: ${fix ?? ''}`);
}

/** Whether the root keys are where one mishap does not take all of them; nothing to say where none is kept. */
export async function rootKeyFindings(keys: KeyStore, roots: MainSite['config']['roots']): Promise<readonly Finding[]> {
  const { threshold, holders } = roots;
  const here = await rootHolders(keys);
  const present = holders.filter((holder) => here.includes(holder)).map(rootKeyName);
  const found: Finding[] = [];
  if (holders.length === 1) {
    found.push(
      warning(
        'root-keys',
        'there is a single root key: if it is lost, every partner has to be invited anew',
        `tieup keys create ${SPARE_HOLDER}, add ${SPARE_HOLDER} to the holders under roots in tieup.yaml, then tieup keys renew`,
      ),
    );
  }
  if (present.length > 1) {
    const [first, ...others] = present;
    const thief = present.length >= threshold ? ', and whoever copies them can sign as you' : '';
    found.push(
      warning(
        'root-keys',
        `the root keys ${[first, ...others].join(' and ')} are all on this machine: one fire or one lost disk takes them together${thief}`,
        `move ${others.map((name) => `${name}.key`).join(' and ')} to another medium, and keep that elsewhere`,
      ),
    );
  }
  if (found.length > 0 || present.length === 0) return found;
  return [ok('root-keys', `root key on this machine: ${present.join(', ')}; ${holders.length} holders in all`)];
}
