/**
 * What this machine last knew of each partner, for `status` and for refusing answers that go back in time.
 * One small JSON file a partner, `.tieup/partners/<id>/record.json`; losing it loses no right of anybody.
 */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { instant } from '../protocol/instant.ts';
import type { PushedRelease } from './learn-remote.ts';
import { cachePath, type MainSite } from './main-site.ts';

export interface PartnerRecord {
  readonly pushed: { readonly release: number; readonly releaseDigest: string; readonly at: string } | null;
  /** Highest sequence number of a decision that was seen, and the digest of that decision. */
  readonly decision: { readonly seq: number; readonly digest: string } | null;
  /** The last contact that failed; null when the last one went well. */
  readonly failure: { readonly code: string; readonly message: string; readonly at: string } | null;
  readonly lastContact: string | null;
}

const recordSchema: z.ZodType<PartnerRecord> = z.strictObject({
  pushed: z.strictObject({ release: z.number(), releaseDigest: z.string(), at: z.string() }).nullable(),
  decision: z.strictObject({ seq: z.number(), digest: z.string() }).nullable(),
  failure: z.strictObject({ code: z.string(), message: z.string(), at: z.string() }).nullable(),
  lastContact: z.string().nullable(),
});

const EMPTY: PartnerRecord = { pushed: null, decision: null, failure: null, lastContact: null };
const MAX_RECORD = 64 * 1024;

/** @throws TIEUP_E_FAILED when the record is there but damaged: the highest decision must not be forgotten silently. */
export async function readRecord(site: MainSite, partner: string): Promise<PartnerRecord> {
  const path = cachePath(partner, 'record.json');
  const bytes = await readIfThere(site.files, path, MAX_RECORD);
  if (bytes === undefined) return EMPTY;
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
  { release, releaseDigest }: PushedRelease,
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

export async function recordFailure(site: MainSite, partner: string, { code, message }: TieupError): Promise<void> {
  await updateRecord(site, partner, { failure: { code, message, at: instant(site.clock.now()) } });
}
