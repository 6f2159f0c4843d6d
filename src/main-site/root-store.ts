/**
 * The roots of a partner's repository: `partners/<id>/<n>.root.json`, all of them, in version control. The newest one is the
 * record of which keys sign for this partner; there is no other that it could disagree with.
 */
import { TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { INBOX_METADATA } from '../protocol/exchange.ts';
import { parseRoot, readMetadataVersion, type MetadataRole } from '../protocol/tuf-metadata.ts';
import type { MainSite } from './main-site.ts';

export interface PartnerRoot {
  readonly version: number;
  readonly bytes: Uint8Array;
  readonly expires: string;
  /** Key ids by role. */
  readonly keyIds: Readonly<Record<MetadataRole, readonly string[]>>;
  /** How many root keys must sign. */
  readonly threshold: number;
}

const MAX_ROOT = 512 * 1024;
const FILE = /^([1-9]\d{0,8})\.root\.json$/;

export function rootPath(site: MainSite, partner: string, version: number): string {
  return `${rootFolder(site, partner)}/${version}.root.json`;
}

function rootFolder(site: MainSite, partner: string): string {
  return `${site.config.folders.partners}/${partner}`;
}

/** Ascending; empty before the invitation. */
export async function rootVersions(site: MainSite, partner: string): Promise<readonly number[]> {
  const entries = await site.files.list(rootFolder(site, partner));
  return entries
    .flatMap(({ name }) => FILE.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** Undefined before the invitation. @throws TIEUP_E_VERIFY when the file is damaged. */
export async function findRoot(site: MainSite, partner: string): Promise<PartnerRoot | undefined> {
  const version = (await rootVersions(site, partner)).at(-1);
  if (version === undefined) return undefined;
  const path = rootPath(site, partner, version);
  const bytes = await site.files.read(path, MAX_ROOT);
  const { signed } = parseRoot(bytes);
  const head = readMetadataVersion(bytes);
  if (head.version !== version) {
    throw new TieupError('TIEUP_E_VERIFY', `${path} says that it is version ${head.version}`, {
      hint: 'take the file from version control again',
    });
  }
  const ids = (role: MetadataRole): readonly string[] => signed.roles[role]?.keyIDs ?? [];
  const keyIds = { root: ids('root'), targets: ids('targets'), snapshot: ids('snapshot'), timestamp: ids('timestamp') };
  return { version, bytes, expires: head.expires, keyIds, threshold: signed.roles['root']?.threshold ?? Infinity };
}

/** @throws TIEUP_E_NOT_FOUND when the partner was never invited. */
export async function newestRoot(site: MainSite, partner: string): Promise<PartnerRoot> {
  const root = await findRoot(site, partner);
  if (root !== undefined) return root;
  throw new TieupError('TIEUP_E_NOT_FOUND', `there is no root metadata in ${rootFolder(site, partner)}`, {
    hint: `take it from version control or a backup (tieup keys restore); a new partner gets it with tieup invite ${partner}`,
  });
}

/** Every root as it lies in the inbox: a partner that slept through some of them walks from one to the next. */
export async function rootsForInbox(
  site: MainSite,
  partner: string,
): Promise<readonly { readonly path: string; readonly bytes: Uint8Array }[]> {
  const files: { path: string; bytes: Uint8Array }[] = [];
  for (const version of await rootVersions(site, partner)) {
    const bytes = await site.files.read(rootPath(site, partner, version), MAX_ROOT);
    files.push({ path: `${INBOX_METADATA}/${version}.root.json`, bytes });
  }
  return files;
}

/** The first root: where verification of an inbox starts. */
export async function firstRoot(site: MainSite, partner: string): Promise<Uint8Array | undefined> {
  const [first] = await rootVersions(site, partner);
  return first === undefined ? undefined : readIfThere(site.files, rootPath(site, partner, first), MAX_ROOT);
}
