/**
 * Looks into a partner's inbox for what a release needs there: a crash, or a thief with the login, can have taken away what
 * `timestamp.json` still speaks of.
 */
import pLimit from 'p-limit';
import { TieupError } from '../errors.ts';
import type { FileEntry, FileTree } from '../io/file-tree.ts';
import { together } from '../io/together.ts';
import { isTemporaryName } from '../io/tree-path.ts';
import { sha256 } from '../protocol/digest.ts';
import {
  INBOX,
  INBOX_LOCK,
  INBOX_METADATA,
  INBOX_OBJECTS,
  INBOX_PACKS,
  INBOX_TARGETS,
  MAX_PACK,
  MAX_PACKS,
  TARGET_RELEASE,
  TARGET_SUMS,
  TARGET_TERMS,
  targetPath,
} from '../protocol/exchange.ts';
import { exactReader, readPackIndex } from '../protocol/pack-reader.ts';
import { renderSums } from '../protocol/sums.ts';
import type { Versions } from './learn-remote.ts';
import type { SentRelease } from './sent-releases.ts';

export interface InboxContent {
  /** Digests of the objects that lie there, in packs or alone. */
  readonly objects: ReadonlySet<string>;
  /** Metadata and targets of the release lie there. */
  readonly hasDocuments: boolean;
}

/** What lies in the folders of an inbox, as it was listed at one moment. */
export interface InboxListing {
  /** By folder; files alone, without temporary ones. */
  readonly files: ReadonlyMap<string, readonly FileEntry[]>;
  /** Every file that is there, from the exchange folder. */
  readonly paths: ReadonlySet<string>;
  /** Temporary files that an interrupted push has left. */
  readonly leftovers: readonly Leftover[];
}

interface Leftover {
  readonly path: string;
  readonly length: number;
}

const RELEASE_FOLDERS: readonly string[] = [INBOX, INBOX_METADATA, INBOX_TARGETS, INBOX_PACKS, INBOX_OBJECTS];

/** All folders in the same few round trips. */
export async function listInbox(exchange: FileTree, folders = RELEASE_FOLDERS): Promise<InboxListing> {
  const listed = await together(folders.map((folder) => exchange.list(folder, { temporary: true })));
  const files = new Map<string, readonly FileEntry[]>();
  const leftovers: Leftover[] = [];
  for (const [index, folder] of folders.entries()) {
    const there = (listed[index] ?? []).filter(({ kind }) => kind === 'file');
    files.set(
      folder,
      there.filter(({ name }) => !isTemporaryName(name)),
    );
    for (const { name, length } of there)
      if (isTemporaryName(name)) leftovers.push({ path: `${folder}/${name}`, length });
  }
  const paths = new Set([...files].flatMap(([folder, entries]) => entries.map(({ name }) => `${folder}/${name}`)));
  return { files, paths, leftovers };
}

/** The same where the same files lie in an inbox, and the partner has answered the same. */
export function waitingDigest({ files }: InboxListing, outbox: string): string {
  const entries = [...files].flatMap(([folder, listed]) =>
    listed.map(({ name, length, modified }) => [`${folder}/${name}`, length, modified] as const),
  );
  const lasting = entries.filter(([path]) => path !== INBOX_LOCK);
  return sha256(JSON.stringify([lasting, outbox]));
}

/** So many packs are looked into at a time. */
const AT_ONCE = 8;

/** Lengths and the indexes of packs are looked at, content is not: whether it is right, the partner's `accept` finds out. */
export async function lookIntoInbox(
  exchange: FileTree,
  { files, paths }: InboxListing,
  base: SentRelease,
  versions: Versions,
): Promise<InboxContent> {
  const lengths = new Map(base.release.files.map(({ digest, length }) => [digest, length]));
  const whole = (files.get(INBOX_OBJECTS) ?? []).filter(({ name, length }) => lengths.get(name) === length);
  const packed = await packedObjects(exchange, files.get(INBOX_PACKS) ?? []);
  return {
    objects: new Set([...whole.map(({ name }) => name), ...packed]),
    hasDocuments: documentsOf(base, versions).every((path) => paths.has(path)),
  };
}

function documentsOf({ release, releaseJson, termsDigest }: SentRelease, versions: Versions): readonly string[] {
  return [
    `${INBOX_METADATA}/${versions.targets}.targets.json`,
    `${INBOX_METADATA}/${versions.snapshot}.snapshot.json`,
    targetPath(releaseJson, TARGET_RELEASE),
    targetPath(sha256(renderSums(release.files)), TARGET_SUMS),
    targetPath(termsDigest, TARGET_TERMS),
  ];
}

async function packedObjects(exchange: FileTree, entries: readonly FileEntry[]): Promise<readonly string[]> {
  const packs = entries.filter(({ name, length }) => name.endsWith('.pack') && length <= MAX_PACK);
  if (packs.length > MAX_PACKS) return [];
  const limit = pLimit(AT_ONCE);
  return (await Promise.all(packs.map((pack) => limit(() => objectsIn(exchange, pack))))).flat();
}

/** Nothing when it is no whole pack. */
async function objectsIn(exchange: FileTree, { name, length }: FileEntry): Promise<readonly string[]> {
  const reader = exactReader(exchange.stream(`${INBOX_PACKS}/${name}`, length));
  try {
    return (await readPackIndex(reader, length)).entries.map(({ digest }) => digest);
  } catch (error) {
    if (error instanceof TieupError && error.exitCode !== 1) return [];
    throw error;
  } finally {
    await reader.close();
  }
}
