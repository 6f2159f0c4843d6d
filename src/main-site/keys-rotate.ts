/**
 * Changes the keys of the main site: a new master, a new holder, later expiry.
 *
 *   new master → tieup.yaml → request → signed here → roots kept, or a file for the other holders
 *
 * Partners learn of it from the roots that the next push or refresh sends. A rotation that was interrupted is finished by the
 * same command: as long as a partner's root does not name the newest one of that kind, no further one is made.
 */
import { CONFIG_FILE, MAX_CONFIG } from '../config/config-file.ts';
import { editYaml } from '../config/document.ts';
import { parseMainSite, type MainSiteConfig } from '../config/main-site.ts';
import type { Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';
import type { KeyName } from '../io/keys.ts';
import type { RootRequest } from '../protocol/root-request.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerships } from './partnerships.ts';
import { documentKey, generationOf, mastersOf, rootKeyName, type SingleMaster } from './partner-keys.ts';
import {
  applyRoots,
  isSettled,
  lackingMaster,
  outOfLine,
  requestRoots,
  signHere,
  type NewRoot,
} from './root-ceremony.ts';
import { findRoot } from './root-store.ts';

export type Rotation =
  | {
      readonly kind: 'done';
      /** The master that was made; null when only roots were signed. */
      readonly made: KeyName | null;
      readonly roots: readonly NewRoot[];
    }
  | {
      readonly kind: 'needs-holders';
      readonly made: KeyName | null;
      /** To be passed on to the other holders. */
      readonly request: RootRequest;
    };

/** Makes a new release or online master and puts it into every partner's root. */
export async function rotateMaster(site: MainSite, master: SingleMaster): Promise<Rotation> {
  const partnerships = await withRoots(site);
  const [newest] = await mastersOf(site.keys, master);
  // Of this master alone: whoever replaces a stolen key must not be answered with the end of another rotation.
  const pending = newest === undefined ? [] : await lackingMaster(site, partnerships, master);
  const made = pending.length === 0 ? await makeNext(site, master, newest) : null;
  return settle(site, `rotate ${master}`, pending.length === 0 ? partnerships : pending, made);
}

/** Makes the key that signs invitations from now on; what was signed before stays valid. */
export async function rotateDocument(site: MainSite): Promise<Rotation> {
  const newest = await documentKey(site.keys);
  // Opened first, so that the new one is sealed with the same password.
  if (await site.keys.has(newest)) await site.keys.load(newest);
  const made = await makeMaster(site, `document-${(generationOf(newest, 'document') ?? 1) + 1}`);
  return { kind: 'done', made, roots: [] };
}

export interface HolderChange {
  /** Who goes; the only holder when there is one and nobody is named. */
  readonly holder: string | undefined;
  /** Who comes; `<holder>-2` unless given. Null: nobody. */
  readonly by: string | null | undefined;
}

/** Puts another holder, or another master of the same person, in a holder's place. */
export async function rotateRoot(site: MainSite, change: HolderChange): Promise<Rotation> {
  const partnerships = await withRoots(site);
  const { roots } = site.config;
  const pending = await outOfLine(site, { partnerships, roots });
  if (change.holder === undefined && pending.length > 0) return settle(site, 'rotate root', pending, null);
  const { holders, gone, come } = changedHolders(roots.holders, change);
  const next = { threshold: roots.threshold, holders };
  if (next.threshold > holders.length) {
    throw new TieupError('TIEUP_E_USAGE', `${next.threshold} of ${holders.length} holders cannot sign`, {
      hint: `name who comes instead: tieup keys rotate root --holder ${gone} --by <name>`,
    });
  }
  const reason = come === undefined ? `revoke ${rootKeyName(gone)}` : `rotate root: ${come} for ${gone}`;
  const made = come !== undefined && isMadeHere(roots, change) ? await makeMaster(site, rootKeyName(come)) : null;
  return settle(await withHolders(site, next), reason, partnerships, made);
}

/**
 * Whether whoever sits here makes the new master: a lone holder does, and so does one of whom a single signature is asked
 * and who names nobody else. Others make theirs on machines of their own.
 */
function isMadeHere({ threshold, holders }: MainSiteConfig['roots'], { by }: HolderChange): boolean {
  return holders.length === 1 || (threshold === 1 && by === undefined);
}

/** Signs roots anew with the masters and holders of now: later expiry, changed holders, or a partner's first root. */
export async function renewRoots(site: MainSite, partners: readonly string[]): Promise<Rotation> {
  const named = await loadPartnerships(site, partners);
  const partnerships = partners.length === 0 ? await withRoots(site) : named;
  return settle(site, 'renew', partnerships, null);
}

async function settle(
  site: MainSite,
  reason: string,
  partnerships: readonly Partnership[],
  made: KeyName | null,
): Promise<Rotation> {
  if (partnerships.length === 0) return { kind: 'done', made, roots: [] };
  const wish = { reason, partnerships, roots: site.config.roots };
  const request = await signHere(site.keys, await requestRoots(site, wish));
  if (!isSettled(request)) return { kind: 'needs-holders', made, request };
  const roots = await applyRoots(site, request, partnerships);
  await site.history.add({ action: 'roots', detail: `${reason}: ${roots.length}` });
  return { kind: 'done', made, roots };
}

/** Partners that were never invited get their first root with the invitation. */
async function withRoots(site: MainSite): Promise<readonly Partnership[]> {
  const found: Partnership[] = [];
  for (const partnership of await loadPartnerships(site)) {
    if ((await findRoot(site, partnership.id)) !== undefined) found.push(partnership);
  }
  return found;
}

async function makeNext(site: MainSite, master: SingleMaster, newest: KeyName | undefined): Promise<KeyName> {
  const generation = newest === undefined ? 0 : (generationOf(newest, master) ?? 0);
  return makeMaster(site, generation === 0 ? master : `${master}-${generation + 1}`);
}

/** One that an interrupted rotation left is taken: nothing was signed with it yet. */
async function makeMaster(site: MainSite, name: KeyName): Promise<KeyName> {
  const { keys } = site;
  if (!(await keys.has(name))) await keys.create(name, site.random(32), await keys.password(name));
  return name;
}

function changedHolders(
  holders: readonly string[],
  { holder, by }: HolderChange,
): { readonly holders: readonly string[]; readonly gone: string; readonly come: string | undefined } {
  const gone = holder ?? (holders.length === 1 ? holders[0] : undefined);
  if (gone === undefined || !holders.includes(gone)) {
    const what = gone === undefined ? 'say which holder is to be replaced' : `${JSON.stringify(gone)} holds no root`;
    throw new TieupError('TIEUP_E_USAGE', what, { hint: `holders are ${holders.join(', ')}: --holder <name>` });
  }
  if (by === null) return { holders: holders.filter((name) => name !== gone), gone, come: undefined };
  const come = by ?? nextName(gone);
  if (holders.includes(come)) throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(come)} holds a root already`);
  return { holders: holders.map((name) => (name === gone ? come : name)), gone, come };
}

/** `main-2` after `main`, `main-3` after `main-2`. */
function nextName(holder: string): string {
  const [, base, number] = /^(.+?)(?:-([2-9]|[1-9]\d+))?$/.exec(holder) ?? [];
  return `${base ?? holder}-${Number(number ?? 1) + 1}`;
}

/** The main site after the holders in its tieup.yaml were changed. @throws TIEUP_E_CONFIG when a name cannot be one. */
async function withHolders(site: MainSite, roots: MainSiteConfig['roots']): Promise<MainSite> {
  const before = new TextDecoder().decode(await site.files.read(CONFIG_FILE, MAX_CONFIG));
  const after = editYaml(before, CONFIG_FILE, [{ path: ['roots'], value: roots }]);
  const config = parseMainSite(after, CONFIG_FILE);
  await site.files.write(CONFIG_FILE, Buffer.from(after));
  return { ...site, config };
}
