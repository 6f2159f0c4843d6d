/**
 * New roots for partners: who signs what, and when it counts.
 *
 *   masters and holders as they are now → request → public keys of every holder → signatures → partners/<id>/<n>.root.json
 *
 * With one holder all of it happens at once. With several, the request travels as a file (protocol/root-request.ts), and
 * nothing changes at the main site before enough holders of the old and of the new root have signed.
 */
import type { Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';
import type { KeyName, KeyStore } from '../io/keys.ts';
import { instant } from '../protocol/instant.ts';
import {
  isComplete,
  missingHolders,
  sealPartnerRoot,
  signPartnerRoot,
  type PartnerRootRequest,
  type RootRequest,
} from '../protocol/root-request.ts';
import { expiryAfter } from '../protocol/tuf-repository.ts';
import { tufKeyId } from '../protocol/tuf-metadata.ts';
import type { MainSite } from './main-site.ts';
import { keyIdOf, mastersOf, publicHex, rootHolders, rootSeed, singleSeed, type SingleMaster } from './partner-keys.ts';
import { keepHolders, keysOfAbsentHolders } from './root-holders.ts';
import { findRoot, rootPath, type PartnerRoot } from './root-store.ts';

export interface Wish {
  /** In words, for the holders: `rotate release`. */
  readonly reason: string;
  readonly partnerships: readonly Partnership[];
  readonly roots: MainSite['config']['roots'];
}

/** Asks for a new root of every partner named, with the newest masters that are here. @throws TIEUP_E_KEY, TIEUP_E_PASSWORD. */
export async function requestRoots(site: MainSite, { reason, partnerships, roots }: Wish): Promise<RootRequest> {
  const now = site.clock.now();
  const { threshold, holders } = roots;
  const partners: PartnerRootRequest[] = [];
  for (const partnership of partnerships) {
    const { id: partner, epoch } = partnership;
    const previous = await findRoot(site, partner);
    partners.push({
      partner,
      epoch,
      version: (previous?.version ?? 0) + 1,
      expires: instant(expiryAfter(now, 'root')),
      previous: previous?.bytes ?? null,
      ...(await presentKeys(site, partnership)),
      rootKeys: await keysOfAbsentHolders(site, partner, holders, previous?.bytes ?? null),
      signatures: {},
    });
  }
  return { site: site.config.site.url, reason, created: instant(now), threshold, holders, partners };
}

/** A partner's release and online keys out of the newest masters. */
async function presentKeys(
  { keys }: MainSite,
  { id: partner, epoch }: Partnership,
): Promise<{ readonly targets: string; readonly online: string }> {
  const publicKey = async (master: SingleMaster): Promise<string> =>
    publicHex(await singleSeed(keys, master, await newestMaster(keys, master), { partner, epoch }));
  return { targets: await publicKey('release'), online: await publicKey('online') };
}

/** @throws TIEUP_E_KEY when there is none. */
export async function newestMaster(keys: KeyStore, master: SingleMaster): Promise<KeyName> {
  const [newest] = await mastersOf(keys, master);
  if (newest !== undefined) return newest;
  throw new TieupError('TIEUP_E_KEY', `there is no ${master} master here`, {
    hint: `take it from a backup (tieup keys restore), or make a new one with tieup keys rotate ${master}`,
  });
}

/** Partners whose newest root does not name the masters and holders of now: those of a rotation that was interrupted. */
export async function outOfLine(
  site: MainSite,
  { partnerships, roots }: Omit<Wish, 'reason'>,
): Promise<readonly Partnership[]> {
  const here = new Set(await rootHolders(site.keys));
  const found: Partnership[] = [];
  for (const partnership of partnerships) {
    const root = await findRoot(site, partnership.id);
    if (root === undefined) continue;
    const { targets, online } = await presentKeys(site, partnership);
    const named = root.keyIds.targets.includes(tufKeyId(targets)) && root.keyIds.timestamp.includes(tufKeyId(online));
    if (!named || !(await holdersAgree(site, partnership, root, roots, here))) found.push(partnership);
  }
  return found;
}

/** Partners whose newest root does not name the newest one of these masters: those of its rotation, when it was interrupted. */
export async function lackingMaster(
  site: MainSite,
  partnerships: readonly Partnership[],
  master: SingleMaster,
): Promise<readonly Partnership[]> {
  const found: Partnership[] = [];
  for (const partnership of partnerships) {
    const root = await findRoot(site, partnership.id);
    const present = await presentKeys(site, partnership);
    const [role, key] =
      master === 'release' ? (['targets', present.targets] as const) : (['timestamp', present.online] as const);
    if (root !== undefined && !root.keyIds[role].includes(tufKeyId(key))) found.push(partnership);
  }
  return found;
}

/** As far as can be told here: the keys of a holder who is elsewhere are known to that holder alone. */
async function holdersAgree(
  { keys }: MainSite,
  { id: partner, epoch }: Partnership,
  { keyIds, threshold }: PartnerRoot,
  roots: Wish['roots'],
  here: ReadonlySet<string>,
): Promise<boolean> {
  if (threshold !== roots.threshold || keyIds.root.length !== roots.holders.length) return false;
  for (const holder of roots.holders) {
    if (here.has(holder) && !keyIds.root.includes(keyIdOf(await rootSeed(keys, holder, { partner, epoch }))))
      return false;
  }
  return true;
}

/**
 * Adds the public keys of the holders whose masters are here.
 * @throws TIEUP_E_VERIFY when the file gives one of them another key: somebody changed it on its way.
 */
export async function addHolderKeys(keys: KeyStore, request: RootRequest): Promise<RootRequest> {
  const here = (await rootHolders(keys)).filter((holder) => request.holders.includes(holder));
  const partners: PartnerRootRequest[] = [];
  for (const each of request.partners) {
    const rootKeys: Record<string, string> = { ...each.rootKeys };
    for (const holder of here) {
      const own = publicHex(await rootSeed(keys, holder, each));
      if ((rootKeys[holder] ?? own) !== own) {
        throw new TieupError(
          'TIEUP_E_VERIFY',
          `the root request gives ${holder} a key for ${each.partner} which is not ${holder}’s`,
          {
            hint: 'somebody changed the file on its way, or another master has the same name: start again with the main site’s file',
          },
        );
      }
      rootKeys[holder] = own;
    }
    partners.push({ ...each, rootKeys });
  }
  return { ...request, partners };
}

/** Signs with every root master that is here and that the old or the new root names. */
export async function addSignatures(keys: KeyStore, request: RootRequest): Promise<RootRequest> {
  const here = await rootHolders(keys);
  const partners: PartnerRootRequest[] = [];
  for (const each of request.partners) {
    let signed = each;
    for (const holder of here) signed = signPartnerRoot(request, signed, await rootSeed(keys, holder, each));
    partners.push(signed);
  }
  return { ...request, partners };
}

/** The request with all that this machine can add to it. */
export async function signHere(keys: KeyStore, request: RootRequest): Promise<RootRequest> {
  const known = await addHolderKeys(keys, request);
  return missingHolders(known).length === 0 ? addSignatures(keys, known) : known;
}

/** True when nobody else need sign. */
export function isSettled(request: RootRequest): boolean {
  return missingHolders(request).length === 0 && isComplete(request);
}

export interface NewRoot {
  readonly partner: string;
  readonly version: number;
}

/**
 * Keeps the new roots. Everything is checked before the first is written.
 * @throws TIEUP_E_KEY when too few have signed, TIEUP_E_VERIFY when the request is not what this main site asked for,
 * TIEUP_E_DRIFT when a partner has another root by now.
 */
export async function applyRoots(
  site: MainSite,
  request: RootRequest,
  partnerships: readonly Partnership[],
): Promise<readonly NewRoot[]> {
  const { roots, site: own } = site.config;
  if (request.site !== own.url) throw refused(`it is for ${request.site}, not for ${own.url}`);
  if (request.threshold !== roots.threshold || request.holders.join() !== roots.holders.join()) {
    throw refused('its holders are not those of tieup.yaml');
  }
  const missing = missingHolders(request);
  if (missing.length > 0) {
    throw new TieupError('TIEUP_E_KEY', `the root request lacks the public keys of ${missing.join(', ')}`, {
      hint: 'let each of them run tieup keys sign on the file',
    });
  }
  const files: { readonly path: string; readonly bytes: Uint8Array }[] = [];
  for (const each of request.partners) {
    const partnership = partnerships.find(({ id }) => id === each.partner);
    if (partnership === undefined) throw refused(`there is no partner ${each.partner}`);
    const newest = await findRoot(site, each.partner);
    if (Buffer.compare(newest?.bytes ?? new Uint8Array(0), each.previous ?? new Uint8Array(0)) !== 0) {
      throw new TieupError('TIEUP_E_DRIFT', `the root of ${each.partner} is not the one on which the request builds`, {
        hint: 'it was applied already, or another rotation came first: start the rotation again',
      });
    }
    const { targets, online } = await presentKeys(site, partnership);
    if (each.epoch !== partnership.epoch || each.targets !== targets || each.online !== online) {
      throw refused(`it names keys for ${each.partner} which are not this main site’s`);
    }
    files.push({ path: rootPath(site, each.partner, each.version), bytes: sealPartnerRoot(request, each) });
  }
  for (const { partner, rootKeys } of request.partners) await keepHolders(site, partner, rootKeys);
  for (const { path, bytes } of files) await site.files.write(path, bytes);
  return request.partners.map(({ partner, version }) => ({ partner, version }));
}

function refused(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the root request is refused: ${why}`, {
    hint: 'start again with tieup keys renew at the main site',
  });
}
