/**
 * What this machine last knew of each partner, for `status` and for refusing answers that go back in time.
 * One small JSON file a partner, `.tieup/partners/<id>/record.json`; losing it loses no right of anybody.
 */
import { z } from 'zod';
import { isTieupError, TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { VERDICTS, type Verdict } from '../protocol/decision.ts';
import { RECEIPT_STATES, type ReceiptState } from '../protocol/receipt.ts';
import { instant } from '../protocol/instant.ts';
import { cachePath, type MainSite } from './main-site.ts';
import type { BriefRelease, PushedRelease } from './sent-releases.ts';

export interface Consent {
  readonly release: number;
  readonly releaseDigest: string;
  /** SHA-256 of the terms that were agreed to. */
  readonly terms: string;
}

export interface Rejection {
  readonly releaseDigest: string;
  readonly reason: string | null;
}

export interface PartnerRecord {
  readonly pushed: { readonly release: number; readonly releaseDigest: string; readonly at: string } | null;
  /** The digest of every decision that was seen: the first one's first, without a gap. */
  readonly decisions: readonly string[];
  /** What the last of them said. */
  readonly last: { readonly verdict: Verdict; readonly release: number; readonly releaseDigest: string } | null;
  /** The release that the partner accepted last and has not rejected since. */
  readonly consent: Consent | null;
  /** The releases whose last decision is a "no", which stands whatever is decided on other releases. */
  readonly rejections: readonly Rejection[];
  /** The last receipt: the number of the decision that it follows, and what it says. */
  readonly receipt: {
    readonly seq: number;
    readonly publication: number;
    readonly published: string;
    readonly release: number;
    readonly releaseDigest: string;
    readonly state: ReceiptState;
  } | null;
  /** The last contact that failed; null when the last one went well. */
  readonly failure: { readonly code: string; readonly message: string; readonly at: string } | null;
  readonly lastContact: string | null;
}

const recordSchema: z.ZodType<PartnerRecord> = z.strictObject({
  pushed: z.strictObject({ release: z.number(), releaseDigest: z.string(), at: z.string() }).nullable(),
  decisions: z.array(z.string()),
  last: z.strictObject({ verdict: z.enum(VERDICTS), release: z.number(), releaseDigest: z.string() }).nullable(),
  consent: z.strictObject({ release: z.number(), releaseDigest: z.string(), terms: z.string() }).nullable(),
  // Records of before do not have it.
  rejections: z.array(z.strictObject({ releaseDigest: z.string(), reason: z.string().nullable() })).default([]),
  receipt: z
    .strictObject({
      seq: z.number(),
      publication: z.number(),
      published: z.string(),
      release: z.number(),
      releaseDigest: z.string(),
      state: z.enum(RECEIPT_STATES),
    })
    .nullable(),
  failure: z.strictObject({ code: z.string(), message: z.string(), at: z.string() }).nullable(),
  lastContact: z.string().nullable(),
});

/** Of a partner that nothing is known of. */
export const EMPTY_RECORD: PartnerRecord = {
  pushed: null,
  decisions: [],
  last: null,
  consent: null,
  rejections: [],
  receipt: null,
  failure: null,
  lastContact: null,
};
const MAX_RECORD = 4 * 1024 * 1024;

/** @throws TIEUP_E_FAILED when the record is there but damaged: the highest decision must not be forgotten silently. */
export async function readRecord(site: MainSite, partner: string): Promise<PartnerRecord> {
  const path = cachePath(partner, 'record.json');
  const bytes = await readIfThere(site.files, path, MAX_RECORD);
  if (bytes === undefined) return EMPTY_RECORD;
  try {
    return recordSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new TieupError('TIEUP_E_FAILED', `${path} is damaged`, {
      cause,
      hint: 'remove the file; tieup learns the rest from the partner again',
    });
  }
}

export async function updateRecord(site: MainSite, partner: string, change: Partial<PartnerRecord>): Promise<void> {
  const record = { ...(await readRecord(site, partner)), ...change };
  await site.files.write(cachePath(partner, 'record.json'), Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`));
}

export async function recordPush(
  site: MainSite,
  partner: string,
  { release, releaseDigest }: PushedRelease,
): Promise<void> {
  const at = instant(site.clock.now());
  await updateRecord(site, partner, {
    pushed: { release: release.release, releaseDigest, at },
    failure: null,
    lastContact: at,
  });
}

/** What the inbox holds, which another machine may have pushed. */
export async function recordFound(
  site: MainSite,
  partner: string,
  { release, releaseDigest }: BriefRelease,
): Promise<void> {
  const { pushed } = await readRecord(site, partner);
  if (pushed?.releaseDigest === releaseDigest) return;
  await updateRecord(site, partner, { pushed: { release: release.release, releaseDigest, at: release.created } });
}

/** A push found that nothing is to be done: whatever failed before is over. */
export async function recordContact(site: MainSite, partner: string, found: PushedRelease): Promise<void> {
  await recordFound(site, partner, found);
  await updateRecord(site, partner, { failure: null, lastContact: instant(site.clock.now()) });
}

/**
 * Another tieup at work tells itself how it ended, a contract that is not in force, a hold and Ctrl-C are no failures of a partner: none
 * is recorded.
 */
export async function recordFailure(site: MainSite, partner: string, error: TieupError): Promise<void> {
  if (isTieupError(error, 'TIEUP_E_LOCKED', 'TIEUP_E_CONTRACT', 'TIEUP_E_HELD', 'TIEUP_E_INTERRUPTED')) return;
  const { code, message } = error;
  await updateRecord(site, partner, { failure: { code, message, at: instant(site.clock.now()) } });
}
