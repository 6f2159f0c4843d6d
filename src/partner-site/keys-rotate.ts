/**
 * Replaces one of this site's keys.
 *
 *   accept key opened → new key → statement signed → kept (from here on the new key is in use) → shown in the outbox
 *
 * The main site takes in new site and log keys by itself, because the accept key signs the statement. A new accept key is
 * trusted there only after both sides have compared words by voice.
 */
import { isTieupError, TieupError } from '../errors.ts';
import type { KeyName } from '../io/keys.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';
import { OUTBOX_KEYS, MAX_KEYS_NOTE } from '../protocol/exchange.ts';
import { instant } from '../protocol/instant.ts';
import { renderKeys } from '../protocol/keys-note.ts';
import { signNoteWith } from '../protocol/note.ts';
import { renderVkey, sixWords } from '../protocol/vkey.ts';
import { countersignStanding } from './decide.ts';
import { withLogLock } from './commit-logs.ts';
import { hasLogState } from './logs/log-state.ts';
import { newEpochLocked } from './new-epoch.ts';
import {
  namedSigner,
  OWN_ROLES,
  ownKey,
  ownKeyName,
  ownSigner,
  readRotated,
  writeRotated,
  type OwnRole,
  type RotatedKeys,
} from './own-keys.ts';
import type { PartnerSite } from './partner-site.ts';
import { countersignPolicy } from './policy.ts';
import { writeReceipt } from './receipt-note.ts';
import { withLock } from './recover-site.ts';

export interface RotatedKey {
  readonly name: string;
  readonly seq: number;
  /** To be read to the main site when the accept key is new; null otherwise. */
  readonly words: readonly string[] | null;
  /** SHA-256 of the statement of the new keys, of which the words are the beginning. */
  readonly digest: string;
  /**
   * The epoch of the access logs that the new log key began; `needed` when the manager must begin it, because the state of the logs
   * was lost; null when no logs were committed to with the old key.
   */
  readonly epoch: number | 'needed' | null;
}

export interface Successor {
  /** The password of a new accept key, which may go to a new manager; that of the other keys unless given. */
  readonly passwordFor?: (name: KeyName) => Promise<string>;
  /** `agent://SHA256:…` when the new key is one that an ssh-agent holds. */
  readonly inAgent?: string | undefined;
}

/**
 * @throws TIEUP_E_USAGE when a key of cron's would be in an agent.
 * @throws TIEUP_E_KEY, TIEUP_E_PASSWORD when the accept key cannot be opened: then nothing was made
 */
export async function rotateOwnKey(
  site: PartnerSite,
  role: OwnRole,
  { passwordFor = (name) => site.keys.password(name), inAgent }: Successor = {},
): Promise<RotatedKey> {
  if (inAgent !== undefined && role !== 'accept') {
    throw new TieupError('TIEUP_E_USAGE', `the ${role} key is used by cron, so it cannot be in an ssh-agent`, {
      hint: 'only the accept key can',
    });
  }
  // Both locks before anything is made: a commit that is at work now ends before the key changes.
  const work = () => withLock(site, () => rotate(site, role, { passwordFor, inAgent }));
  return role === 'log' && site.config.logs !== undefined ? withLogLock(site, work) : work();
}

async function rotate(
  site: PartnerSite,
  role: OwnRole,
  { passwordFor, inAgent }: Required<Pick<Successor, 'passwordFor'>> & Successor,
): Promise<RotatedKey> {
  const { partner } = site.config;
  const accept = await ownSigner(site, 'accept');
  const before = await currentKeys(site);
  const generation = before.generations[role] + 1;
  const name = ownKeyName(role, generation);
  // One that an interrupted rotation left is taken: nobody has heard of it yet.
  if (inAgent !== undefined) await site.keys.refer(name, inAgent);
  else if (!(await site.keys.has(name))) {
    const password = role === 'accept' ? await passwordFor(name) : undefined;
    await site.keys.create(name, site.random(32), password);
  }
  const signer = await namedSigner(site, role, name);
  const vkeys = { ...before.vkeys, [role]: renderVkey(signer.name, signer.publicKey) };
  const seq = before.seq + 1;
  const text = renderKeys({ partner, seq, ...vkeys, time: instant(site.clock.now()) });
  const note = await signNoteWith(text, role === 'accept' ? [accept, signer] : [accept]);
  // Signed by both, what waits in the outbox stays good whether the main site knows the new key or not.
  if (role === 'accept') await countersignPolicy(site, signer);
  if (role !== 'log') await countersignStanding(site, role, signer);
  await writeRotated(site, {
    seq,
    generations: { ...before.generations, [role]: generation },
    vkeys,
    retired: { ...before.retired, [role]: [...before.retired[role], before.vkeys[role]] },
    note: new TextDecoder().decode(note),
  });
  // The receipt in the outbox has the signature of the old site key alone: it is written anew.
  await writeReceipt(site);
  await site.history.add({ action: 'new-key', detail: name });
  await showKeys(site);
  const epoch = role === 'log' ? await epochOfNewKey(site) : null;
  const digest = sha256(text);
  return { name, seq, digest, words: role === 'accept' ? sixWords(digest) : null, epoch };
}

/** One key signs one epoch: what a thief of the old key can still sign is of an epoch that is over. */
async function epochOfNewKey(site: PartnerSite): Promise<RotatedKey['epoch']> {
  if (site.config.logs === undefined || !(await hasLogState(site))) return null;
  try {
    return (await newEpochLocked(site, { reason: 'the log key was replaced' })).epoch;
  } catch (error) {
    if (!isTieupError(error, 'TIEUP_E_USAGE', 'TIEUP_E_VERIFY')) throw error;
    return 'needed';
  }
}

async function currentKeys(site: PartnerSite): Promise<RotatedKeys> {
  const rotated = await readRotated(site);
  if (rotated !== undefined) return rotated;
  const line = async (role: OwnRole): Promise<string> => {
    const { name, publicKey } = await ownKey(site, role);
    return renderVkey(name, publicKey);
  };
  const vkeys = { accept: await line('accept'), site: await line('site'), log: await line('log') };
  return {
    seq: 0,
    generations: { accept: 1, site: 1, log: 1 },
    vkeys,
    retired: { accept: [], site: [], log: [] },
    note: null,
  };
}

/** Puts the statement of keys into the outbox unless it is there: after a rotation, and after a crash or a wiped outbox. */
export async function showKeys(site: PartnerSite): Promise<void> {
  const note = (await readRotated(site))?.note;
  if (note === undefined || note === null) return;
  const bytes = Buffer.from(note);
  const shown = await readIfThere(site.exchange, OUTBOX_KEYS, MAX_KEYS_NOTE);
  if (shown === undefined || !bytes.equals(shown)) await site.exchange.write(OUTBOX_KEYS, bytes);
}

export interface OwnListedKey {
  readonly role: OwnRole;
  readonly name: string;
  readonly vkey: string;
  /** How many keys it has replaced. */
  readonly replaced: number;
  /** Whether the secret half can be found here. */
  readonly here: boolean;
}

/** The keys in use. Opens none of them. */
export async function listOwnKeys(site: PartnerSite): Promise<readonly OwnListedKey[]> {
  const { generations, vkeys, retired } = await currentKeys(site);
  const rows: OwnListedKey[] = [];
  for (const role of OWN_ROLES) {
    const name = ownKeyName(role, generations[role]);
    rows.push({ role, name, vkey: vkeys[role], replaced: retired[role].length, here: await site.keys.has(name) });
  }
  return rows;
}

/** The role that a word of the command line means. @throws TIEUP_E_USAGE. */
export function asOwnRole(word: string): OwnRole {
  const role = OWN_ROLES.find((each) => each === word);
  if (role !== undefined) return role;
  throw new TieupError('TIEUP_E_USAGE', `a partner site has no key ${JSON.stringify(word)}`, {
    hint: `keys are ${OWN_ROLES.join(', ')}`,
  });
}
