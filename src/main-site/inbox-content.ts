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
  PACK_OBJECTS,
  TARGET_RELEASE,
  TARGET_SUMS,
  TARGET_TERMS,
  targetPath,
} from '../protocol/exchange.ts';
import { exactReader, readPackIndex } from '../protocol/pack-reader.ts';
import type { PackEntry } from '../protocol/pack.ts';
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
/** So many names are read at a partner in all, or four times those of a larger release: whoever has its login can put packs there that are nothing but names. */
const MAX_NAMES = 2 ** 18;

/**
 * Lengths and the indexes of packs are looked at, content is not: whether it is right, the partner's `accept` finds out. What is
 * not looked at because there is too much of it counts as not there, and is sent again.
 */
export async function lookIntoInbox(
  exchange: FileTree,
  { files, paths }: InboxListing,
  base: SentRelease,
  versions: Versions,
): Promise<InboxContent> {
  const wanted = new Map(base.release.files.map(({ digest, length }) => [digest, length]));
  const whole = (files.get(INBOX_OBJECTS) ?? []).filter(({ name, length }) => wanted.get(name) === length);
  const objects = new Set(whole.map(({ name }) => name));
  await findPacked(exchange, files.get(INBOX_PACKS) ?? [], wanted, objects);
  return { objects, hasDocuments: documentsOf(base, versions).every((path) => paths.has(path)) };
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

/** Adds those of `wanted` that lie in packs. @param wanted lengths by digest */
async function findPacked(
  exchange: FileTree,
  entries: readonly FileEntry[],
  wanted: ReadonlyMap<string, number>,
  found: Set<string>,
): Promise<void> {
  const packs = entries.filter(({ name, length }) => name.endsWith('.pack') && length <= MAX_PACK);
  if (packs.length > MAX_PACKS) return;
  let left = Math.max(MAX_NAMES, 4 * wanted.size);
  const admits = (count: number): boolean => {
    if (count > PACK_OBJECTS || count > left) return false;
    left -= count;
    return true;
  };
  const limit = pLimit(AT_ONCE);
  const look = async (pack: FileEntry): Promise<void> => {
    if (found.size >= wanted.size) return;
    for (const { digest, length } of await objectsIn(exchange, pack, admits))
      if (wanted.get(digest) === length) found.add(digest);
  };
  await together(packs.map((pack) => limit(() => look(pack))));
}

/** Nothing when it is no whole pack, or is not admitted. */
async function objectsIn(
  exchange: FileTree,
  { name, length }: FileEntry,
  admits: (objects: number) => boolean,
): Promise<readonly PackEntry[]> {
  const reader = exactReader(exchange.stream(`${INBOX_PACKS}/${name}`, length));
  try {
    return (await readPackIndex(reader, length, admits)).entries;
  } catch (error) {
    if (error instanceof TieupError && error.exitCode !== 1) return [];
    throw error;
  } finally {
    await reader.close();
  }
}
