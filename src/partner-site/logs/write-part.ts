/** Writes one exported log into the outbox, under the digest of its bytes. */
import { OUTBOX_LOGS, partPath } from '../../protocol/exchange.ts';
import { sha256Stream } from '../../protocol/digest.ts';
import type { ExportedFile } from '../../protocol/log-export.ts';
import type { PartnerSite } from '../partner-site.ts';
import type { Member } from './part-lines.ts';

const BUILDING = `${OUTBOX_LOGS}/building`;

/** What was written under the name it has until its digest is known is replaced by the next one, after a crash too. */
export async function writePart(
  site: PartnerSite,
  members: AsyncIterable<Member>,
  path = partPath,
): Promise<ExportedFile> {
  const hash = sha256Stream();
  let [length, rawLength] = [0, 0];
  async function* counted(): AsyncIterable<Uint8Array> {
    for await (const member of members) {
      hash.update(member.bytes);
      length += member.bytes.length;
      rawLength += member.rawLength;
      yield member.bytes;
    }
  }
  await site.exchange.write(BUILDING, counted());
  const digest = hash.digest();
  await site.exchange.rename(BUILDING, path(digest));
  return { digest, length, rawLength };
}

/** True when the outbox holds the file as it was written. @throws TIEUP_E_NOT_FOUND when it is gone, TIEUP_E_TOO_LARGE when it has grown. */
export async function isPartWhole(site: PartnerSite, file: ExportedFile | null): Promise<boolean> {
  if (file === null) return true;
  const hash = sha256Stream();
  for await (const chunk of site.exchange.stream(partPath(file.digest), file.length)) hash.update(chunk);
  return hash.digest() === file.digest;
}

/** Removes exported logs that no statement names any more. */
export async function removeParts(site: PartnerSite, kept: ReadonlySet<string>): Promise<void> {
  const old = (await site.exchange.list(OUTBOX_LOGS))
    .map(({ name }) => /^([0-9a-f]{64})\.part\.gz$/.exec(name)?.[1])
    .filter((digest) => digest !== undefined && !kept.has(digest))
    .map((digest) => partPath(digest ?? ''));
  for (const path of old) await site.exchange.remove(path);
  if (old.length > 0) await site.exchange.sync(old);
}
