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

/** The partner was reached just now: whatever failed before is over. */
export async function renewContact(
  { files, clock }: Pick<MainSite, 'files' | 'clock'>,
  partner: string,
  record: RawRecord,
): Promise<void> {
  const renewed = { ...record, failure: null, lastContact: instant(clock.now()) };
  await files.write(cachePath(partner, NAME), Buffer.from(`${JSON.stringify(renewed, undefined, 2)}\n`));
}
