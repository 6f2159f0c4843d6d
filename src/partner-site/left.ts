/**
 * That the manager has left the partnership, and since when. While it stands, nothing of the main site's goes live: no
 * release is accepted, and no cron job may merge the pages back in that were taken away.
 *
 * Written before the decision that it belongs to, so that no crash can come between the manager's word and its effect.
 */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { readJson, writeJson } from '../publish/records.ts';
import { lastDecision, type SignedDecision } from './decide.ts';
import type { PartnerSite } from './partner-site.ts';

export interface Left {
  /** ISO 8601 UTC. */
  readonly since: string;
  /** The release that was live. */
  readonly releaseDigest: string;
  /** Digest of the decision before the one to leave; null when there is none. */
  readonly after: string | null;
}

const FILE = 'left.json';
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const leftSchema: z.ZodType<Left> = z.strictObject({
  since: z.string(),
  releaseDigest: digest,
  after: digest.nullable(),
});

/** Undefined while the partnership goes on. @throws TIEUP_E_VERIFY when the file is damaged. */
export function readLeft(site: PartnerSite): Promise<Left | undefined> {
  return readJson(site.state, FILE, leftSchema);
}

export async function keepLeft(site: PartnerSite, left: Left): Promise<void> {
  await writeJson(site.state, FILE, left);
}

export async function forgetLeft(site: PartnerSite): Promise<void> {
  await site.state.remove(FILE);
  await site.state.sync([FILE]);
}

/** The decision by which the manager left; undefined when it was never signed. Nothing is decided after it. */
export async function decisionToLeave(site: PartnerSite, left: Left): Promise<SignedDecision | undefined> {
  const last = await lastDecision(site);
  if (last === undefined) return undefined;
  const { verdict, releaseDigest, previous } = last.decision;
  const fits = verdict === 'rejected' && releaseDigest === left.releaseDigest && previous === left.after;
  return fits ? last : undefined;
}

/** @throws TIEUP_E_CONTRACT after `tieup leave`. */
export async function refuseAfterLeaving(site: PartnerSite): Promise<void> {
  const left = await readLeft(site);
  if (left === undefined) return;
  throw new TieupError('TIEUP_E_CONTRACT', `this site left the partnership on ${left.since.slice(0, 10)}`, {
    hint: 'to take releases again: tieup leave --undo',
  });
}
