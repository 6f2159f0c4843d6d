/** The record of a partner (record.ts) as far as a push needs it that has nothing to send; loads no schemas. */
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';
import { instant } from '../protocol/instant.ts';
import { cachePath, type MainSite } from './main-site.ts';

/** As it lies there; whether it is what it should be, its digest tells that was taken when it was. */
export type RawRecord = Readonly<Record<string, unknown>>;

const NAME = 'record.json';
const MAX_RECORD = 4 * 1024 * 1024;

/** Undefined when there is none that could be read. */
export async function readRawRecord(
  { files }: Pick<MainSite, 'files'>,
  partner: string,
): Promise<RawRecord | undefined> {
  const bytes = await readIfThere(files, cachePath(partner, NAME), MAX_RECORD);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** The same for records that differ in nothing but how the last contact went and when that was. */
export function recordDigest(record: RawRecord): string {
  return sha256(JSON.stringify({ ...record, failure: null, lastContact: null }));
}

/** Of thousands of partners, to whom a push comes every few minutes, not each is written down each time. */
const KEPT_FOR_MS = 60 * 60 * 1000;

/** The partner was reached just now: whatever failed before is over. The time of contact may be an hour behind. */
export async function renewContact(
  { files, clock }: Pick<MainSite, 'files' | 'clock'>,
  partner: string,
  record: RawRecord,
): Promise<void> {
  const { failure, lastContact } = record;
  const since = typeof lastContact === 'string' ? clock.now().getTime() - Date.parse(lastContact) : Number.NaN;
  if (failure === null && since >= 0 && since < KEPT_FOR_MS) return;
  const renewed = { ...record, failure: null, lastContact: instant(clock.now()) };
  await files.write(cachePath(partner, NAME), Buffer.from(`${JSON.stringify(renewed, undefined, 2)}\n`));
}
