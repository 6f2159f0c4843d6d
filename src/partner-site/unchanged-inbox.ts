/**
 * Tells in a few small reads that the inbox holds what this site verified last. Cron asks every few minutes, and the answer
 * is nearly always the same.
 *
 * This trusts nothing new: a timestamp with the very bytes that were verified can lead a TUF client nowhere else than to
 * the snapshot and targets it already trusts (specification 5.4.3), unless a new root is there. What has expired is left
 * to the whole verification, which says so in the right words.
 */
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';
import { INBOX_METADATA } from '../protocol/exchange.ts';
import { readMetadataVersion } from '../protocol/tuf-metadata.ts';
import type { PartnerSite } from './partner-site.ts';

const MAX_METADATA = 4 * 1024 * 1024;
const ROLES = ['root', 'timestamp', 'snapshot', 'targets'] as const;

/** The digest of the release that was verified last, when the inbox still holds it and it is in time; undefined otherwise. */
export async function unchangedRelease(site: PartnerSite): Promise<string | undefined> {
  const trusted = new Map<string, Uint8Array>();
  for (const role of ROLES) {
    const bytes = await readIfThere(site.state, `tuf/${role}.json`, MAX_METADATA);
    if (bytes === undefined) return undefined;
    trusted.set(role, bytes);
  }
  const [root, timestamp, , targets] = ROLES.map((role) => trusted.get(role));
  if (root === undefined || timestamp === undefined || targets === undefined) return undefined;
  if (!(await isSame(site.exchange, `${INBOX_METADATA}/timestamp.json`, timestamp))) return undefined;
  const now = site.clock.now().getTime();
  for (const bytes of trusted.values()) {
    if (Date.parse(readMetadataVersion(bytes).expires) <= now) return undefined;
  }
  const nextRoot = `${INBOX_METADATA}/${readMetadataVersion(root).version + 1}.root.json`;
  if ((await site.exchange.stat(nextRoot)) !== undefined) return undefined;
  return sha256(targets);
}

async function isSame(tree: FileTree, path: string, expected: Uint8Array): Promise<boolean> {
  const found = await tree.stat(path);
  if (found?.kind !== 'file' || found.length !== expected.length) return false;
  return Buffer.compare(await tree.read(path, expected.length), expected) === 0;
}

/** The exchange, with the inbox's timestamp read once: what was compared here is what is verified afterwards. */
export function withTimestampReadOnce(exchange: FileTree): FileTree {
  const path = `${INBOX_METADATA}/timestamp.json`;
  let known: Promise<Uint8Array> | undefined;
  return {
    ...exchange,
    read: (wanted, maxLength, room) =>
      wanted === path ? (known ??= exchange.read(path, maxLength)) : exchange.read(wanted, maxLength, room),
  };
}
