/**
 * Replaces the SSH key with which the main site logs in at its partners.
 *
 *   new key beside the old one → its line to every partner → who lets it in is asked of their servers → the old key goes
 *
 * The same command begins, says how far it is, and ends it. A partner that has not added the line yet is still reached with
 * the old key, so no push waits for the slowest of them.
 */
import pLimit from 'p-limit';
import type { Partnership } from '../config/partnership.ts';
import { isTieupError, TieupError } from '../errors.ts';
import type { SshKey } from '../io/ssh-key.ts';
import type { SshKeys } from '../io/ssh-keys.ts';
import { ok, warning, type Finding } from '../report/finding.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerships } from './partnerships.ts';

export interface SshRotationPorts {
  /** Whether the partner's server lets this key in. @throws TIEUP_E_HOST_KEY, TIEUP_E_CONNECTION and the like. */
  readonly letsIn: (partnership: Partnership, generation: number) => Promise<boolean>;
  makeKey(): Promise<SshKey>;
}

export interface SshPartner {
  readonly partner: string;
  /** Which keys it lets in; `invited`: it was sent an older one with an invitation that it has not answered. */
  readonly state: 'old' | 'both' | 'new' | 'neither' | 'invited' | 'unreachable';
  /** Why it cannot be reached. */
  readonly detail: string | null;
}

export interface SshRotation {
  /** `begun`: a new key was made. `waiting`: somebody still needs the old one. `done`: the old one was removed here. */
  readonly kind: 'begun' | 'waiting' | 'done';
  /** For `authorized_keys` of every partner. */
  readonly line: string;
  readonly partners: readonly SshPartner[];
}

const CONCURRENCY = 8;

/** @throws TIEUP_E_KEY when there is no SSH key in the folder of the keys. */
export async function rotateSsh(site: MainSite, ports: SshRotationPorts): Promise<SshRotation> {
  const { sshKeys } = site;
  const [newest, ...older] = await sshKeys.generations();
  if (newest === undefined) {
    throw new TieupError('TIEUP_E_KEY', 'there is no SSH key in the folder of the keys', {
      hint: 'a key in your agent is replaced with ssh-keygen, ssh-add and TIEUP_KEY_SSH: see docs/keys.md',
    });
  }
  const partnerships = (await loadPartnerships(site)).filter(({ status }) => status !== 'ended');
  if (older.length === 0) {
    await sshKeys.create(newest + 1, await ports.makeKey());
    const partners = partnerships.map((each): SshPartner => ({ partner: each.id, state: 'old', detail: null }));
    return { kind: 'begun', line: await authorizedLine(sshKeys, newest + 1), partners };
  }
  const limit = pLimit(CONCURRENCY);
  const asked = await Promise.all(
    partnerships.map((each) => limit(() => askPartner(each, newest, older, ports.letsIn))),
  );
  const partners = asked.flatMap((each) => each ?? []);
  const line = await authorizedLine(sshKeys, newest);
  if (partners.some(({ state }) => state !== 'new' && state !== 'both')) return { kind: 'waiting', line, partners };
  for (const generation of older) await sshKeys.remove(generation);
  return { kind: 'done', line, partners };
}

/** The line that a partner puts into `authorized_keys`. */
export async function authorizedLine(sshKeys: SshKeys, generation: number): Promise<string> {
  return `restrict,command="internal-sftp" ${await sshKeys.publicLine(generation)}`;
}

/** Undefined for a partner that was never sent a key. */
async function askPartner(
  partnership: Partnership,
  newest: number,
  older: readonly number[],
  letsIn: SshRotationPorts['letsIn'],
): Promise<SshPartner | undefined> {
  const { id: partner, status, invitation } = partnership;
  if (status === 'invited') return invitation === null ? undefined : { partner, state: 'invited', detail: null };
  try {
    const isNew = await letsIn(partnership, newest);
    let isOld = false;
    for (const generation of older) isOld ||= await letsIn(partnership, generation);
    const state = isNew ? (isOld ? 'both' : 'new') : isOld ? 'old' : 'neither';
    return { partner, state, detail: null };
  } catch (error) {
    if (!isTieupError(error)) throw error;
    return { partner, state: 'unreachable', detail: error.message };
  }
}

/** What a partner has to do while the key is being replaced; nothing to say at other times. @throws what `letsIn` throws. */
export async function sshKeyFindings(
  { sshKeys }: MainSite,
  partnership: Partnership,
  letsIn: SshRotationPorts['letsIn'],
): Promise<readonly Finding[]> {
  const [newest, ...older] = await sshKeys.generations();
  if (newest === undefined || older.length === 0) return [];
  const asked = await askPartner(partnership, newest, older, letsIn);
  const add = `ask it to add this line to authorized_keys: ${await authorizedLine(sshKeys, newest)}`;
  switch (asked?.state) {
    case 'new':
      return [ok('ssh-key', 'it lets the new SSH key in, and the old one no more')];
    case 'both':
      return [
        warning(
          'ssh-key',
          'it lets the old SSH key in as well as the new one',
          'ask it to remove the old line from authorized_keys',
        ),
      ];
    case 'old':
      return [warning('ssh-key', 'it does not let the new SSH key in yet, so the old one is used', add)];
    case 'neither':
      return [warning('ssh-key', 'it lets none of the SSH keys in this folder in', add)];
    case undefined:
    case 'invited':
    case 'unreachable':
      return [];
  }
}
