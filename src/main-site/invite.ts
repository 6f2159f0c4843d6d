/**
 * Starts a partnership: one signed file that the main site sends to a new partner by mail or chat.
 *
 *   partnership file → this partner's root → terms → kit → one-time secret → signed invitation
 *
 * Nothing in it is secret but the one-time code, of which only the public half of a key made from it is kept. The partner answers with `tieup join`
 * (partner-site/join.ts), the main site closes the circle with `tieup enroll` (enroll.ts).
 */
import type { Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';
import { sha256 } from '../protocol/digest.ts';
import { publicKeyOf } from '../protocol/ed25519.ts';
import { instant } from '../protocol/instant.ts';
import { describeKit } from '../protocol/kit.ts';
import { answerKey, renderInvitation, type Invitation } from '../protocol/invitation.ts';
import { noteSigner, signNote } from '../protocol/note.ts';
import { missingHolders } from '../protocol/root-request.ts';
import { renderVkey, sixWords } from '../protocol/vkey.ts';
import { renewRoots } from './keys-rotate.ts';
import { makeKit, type Kit } from './kit.ts';
import type { MainSite } from './main-site.ts';
import { documentKey, rootKeyName } from './partner-keys.ts';
import { findRoot, newestRoot } from './root-store.ts';
import { editPartnership, loadPartnership } from './partnerships.ts';
import { currentTerms } from './current-terms.ts';

export interface InviteRequest {
  readonly partner: string;
  /** How long the invitation may be answered. */
  readonly hours: number;
}

export interface Invited {
  readonly partnership: Partnership;
  /** The file to send. */
  readonly bytes: Uint8Array;
  readonly until: string;
  /** The file to send with it; undefined when the main site has no folder `kit/`. */
  readonly kit: Kit | undefined;
  /** SHA-256 of the invitation. */
  readonly digest: string;
  /** The same in words: the main site reads them out, the partner's `join` shows what they must be. */
  readonly words: readonly string[];
}

const HOUR_MS = 60 * 60 * 1000;

/** @throws TIEUP_E_USAGE when there is no such partnership, TIEUP_E_CONTRACT when the partner has joined already. */
export async function invite(site: MainSite, request: InviteRequest): Promise<Invited> {
  const partnership = await loadPartnership(site, request.partner);
  const now = site.clock.now();
  assertOpen(partnership, now);
  const until = instant(new Date(now.getTime() + request.hours * HOUR_MS));
  const document = await site.keys.load(await documentKey(site.keys));
  const name = documentKeyName(site);
  const kit = await makeKit(site);
  const invitation: Invitation = {
    terms: (await currentTerms(site, partnership)).terms,
    root: await partnerRoot(site, partnership),
    documentKey: renderVkey(name, publicKeyOf(document)),
    sshKey: await sshPublicKey(site),
    ...(kit === undefined ? {} : { kit: describeKit(kit.bytes) }),
    secret: Buffer.from(site.random(32)).toString('hex'),
    created: instant(now),
    until,
  };
  const body = renderInvitation(invitation);
  const bytes = signNote(body, [noteSigner(name, document)]);
  const kept: Partnership['invitation'] = { answerKey: answerKey(invitation), digest: sha256(body), until };
  await editPartnership(site, partnership.id, [{ path: ['invitation'], value: kept }]);
  await site.history.add({ action: 'invite', partner: partnership.id, digest: kept.digest });
  return { partnership, bytes, kit, until, digest: kept.digest, words: sixWords(kept.digest) };
}

/** The name under which this main site signs documents: its host. */
export function documentKeyName(site: MainSite): string {
  return `${new URL(site.config.site.url).hostname}/document`;
}

function assertOpen({ id, status, keys, period }: Partnership, now: Date): void {
  if (period.until !== null && now.toISOString().slice(0, 10) > period.until) {
    throw new TieupError('TIEUP_E_CONTRACT', `the contract with ${id} was over on ${period.until}`, {
      hint: `change the period in partners/${id}.yaml first: the partner agrees to it when it joins`,
    });
  }
  if (keys === null && status === 'invited') return;
  throw new TieupError('TIEUP_E_CONTRACT', `${id} is no new partner: its status is ${status}`, {
    hint: 'to start over, set its status to invited and its keys to null',
  });
}

/** The newest root of this partner, its first one made when there is none: what the partner's trust begins with. */
async function partnerRoot(site: MainSite, partnership: Partnership): Promise<Uint8Array> {
  const there = await findRoot(site, partnership.id);
  if (there !== undefined) return there.bytes;
  const renewed = await renewRoots(site, [partnership.id]);
  if (renewed.kind === 'done') return (await newestRoot(site, partnership.id)).bytes;
  const { threshold, holders } = site.config.roots;
  const missing = missingHolders(renewed.request);
  if (missing.length > 0 && missing.length < holders.length) {
    const keys = missing.map((name) => `${rootKeyName(name)}.key`).join(' and ');
    throw new TieupError(
      'TIEUP_E_KEY',
      `the first root of ${partnership.id} names every root key, and ${keys} is not here`,
      {
        hint: `bring it for a moment: tieup invite ${partnership.id} --root-keys <its folder>`,
      },
    );
  }
  throw new TieupError('TIEUP_E_KEY', `the root of ${partnership.id} needs ${threshold} of ${holders.join(', ')}`, {
    hint: `ask them to sign it first: tieup keys renew ${partnership.id}`,
  });
}

async function sshPublicKey({ sshKeys }: MainSite): Promise<string> {
  const [newest] = await sshKeys.generations();
  return sshKeys.publicLine(newest ?? 1);
}
