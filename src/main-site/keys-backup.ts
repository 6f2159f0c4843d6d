/** Copies of the keys in one file: sealed keys as they are, and all partners' roots. */
import { TieupError } from '../errors.ts';
import type { KeyShelf } from '../io/key-shelf.ts';
import type { KeyName } from '../io/keys.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { instant } from '../protocol/instant.ts';
import { parseKeyBackup, renderKeyBackup } from '../protocol/key-backup.ts';
import { parseRoot } from '../protocol/tuf-metadata.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerships } from './partnerships.ts';
import { rootPath, rootsForInbox, rootVersions } from './root-store.ts';

export interface BackedUp {
  readonly bytes: Uint8Array;
  readonly keys: readonly KeyName[];
  /** Plain keys: never written into a backup. */
  readonly leftOut: readonly KeyName[];
  readonly roots: number;
}

export async function backUpKeys(site: MainSite, shelf: KeyShelf): Promise<BackedUp> {
  const all = await shelf.list();
  const keys: Record<string, string> = {};
  for (const { name, state } of all) if (state === 'sealed') keys[name] = await shelf.sealed(name);
  const roots: Record<string, Record<string, string>> = {};
  let count = 0;
  for (const { id } of await loadPartnerships(site)) {
    const versions = await rootVersions(site, id);
    const files = await rootsForInbox(site, id);
    const texts = files.map(({ bytes }, index) => [String(versions[index]), new TextDecoder().decode(bytes)] as const);
    if (texts.length > 0) roots[id] = Object.fromEntries(texts);
    count += texts.length;
  }
  const bytes = renderKeyBackup({ site: site.config.site.url, created: instant(site.clock.now()), keys, roots });
  const names = (sealed: boolean) => all.filter(({ state }) => (state === 'sealed') === sealed).map(({ name }) => name);
  return { bytes, keys: names(true), leftOut: names(false), roots: count };
}

export interface Restored {
  readonly keys: readonly KeyName[];
  readonly roots: readonly string[];
  /** Already there, and the same. */
  readonly unchanged: number;
}

/**
 * Puts back what is missing. Nothing that is there is overwritten: when something differs, nothing is restored.
 * @throws TIEUP_E_VERIFY when it is another site's backup or damaged, TIEUP_E_EXISTS with everything that differs.
 */
export async function restoreKeys(site: MainSite, shelf: KeyShelf, bytes: Uint8Array): Promise<Restored> {
  const backup = parseKeyBackup(bytes);
  const { url } = site.config.site;
  if (backup.site !== url)
    throw new TieupError('TIEUP_E_VERIFY', `this is the backup of ${backup.site}, not of ${url}`);
  const taken: string[] = [];
  const keys: { readonly name: KeyName; readonly pem: string }[] = [];
  const roots: { readonly path: string; readonly text: string }[] = [];
  let unchanged = 0;
  for (const [given, pem] of Object.entries(backup.keys)) {
    const name = asKeyName(given);
    if (!(await shelf.has(name))) keys.push({ name, pem });
    else if (await isSame(shelf, name, pem)) unchanged += 1;
    else taken.push(`${name}.key`);
  }
  for (const [partner, versions] of Object.entries(backup.roots)) {
    for (const [version, text] of Object.entries(versions)) {
      parseRoot(new TextEncoder().encode(text));
      const path = rootPath(site, partner, Number(version));
      const there = await readIfThere(site.files, path, 512 * 1024);
      if (there === undefined) roots.push({ path, text });
      else if (new TextDecoder().decode(there) === text) unchanged += 1;
      else taken.push(path);
    }
  }
  if (taken.length > 0) {
    throw new TieupError('TIEUP_E_EXISTS', 'the backup differs from what is there, so nothing was restored', {
      problems: taken.map((file) => ({ message: 'differs from the backup', file })),
      hint: 'move these away first, when the backup is what you want',
    });
  }
  for (const { name, pem } of keys) await shelf.keep(name, pem);
  for (const { path, text } of roots) await site.files.write(path, Buffer.from(text));
  return { keys: keys.map(({ name }) => name), roots: roots.map(({ path }) => path), unchanged };
}

async function isSame(shelf: KeyShelf, name: KeyName, pem: string): Promise<boolean> {
  try {
    return (await shelf.sealed(name)) === pem;
  } catch (error) {
    if (error instanceof TieupError) return false;
    throw error;
  }
}

const KEY_NAME = /^(root|release|online|document|ssh)(?:-([a-z0-9]+(?:-[a-z0-9]+)*))?$/;

function asKeyName(name: string): KeyName {
  const [, first, rest] = KEY_NAME.exec(name) ?? [];
  const base = (['root', 'release', 'online', 'document', 'ssh'] as const).find((each) => each === first);
  if (base === undefined)
    throw new TieupError('TIEUP_E_VERIFY', `the backup holds a key ${JSON.stringify(name)}, which a main site has not`);
  return rest === undefined ? base : `${base}-${rest}`;
}
