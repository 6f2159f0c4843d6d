/**
 * Looks into a partner's inbox for what a release needs there: a crash, or a thief with the login, can have taken away what
 * `timestamp.json` still speaks of.
 */
import pLimit from 'p-limit';
import { TieupError } from '../errors.ts';
import type { FileEntry, FileTree } from '../io/file-tree.ts';
import { sha256 } from '../protocol/digest.ts';
import {
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

/** So many packs are looked into at a time. */
const AT_ONCE = 8;

/** Lengths and the indexes of packs are looked at, content is not: whether it is right, the partner's `accept` finds out. */
export async function lookIntoInbox(exchange: FileTree, base: SentRelease, versions: Versions): Promise<InboxContent> {
  const list = async (folder: string) => (await exchange.list(folder)).filter(({ kind }) => kind === 'file');
  const [metadata, targets, singles, packs] = await Promise.all(
    [INBOX_METADATA, INBOX_TARGETS, INBOX_OBJECTS, INBOX_PACKS].map(list),
  );
  const there = new Set([...pathsOf(INBOX_METADATA, metadata), ...pathsOf(INBOX_TARGETS, targets)]);
  const lengths = new Map(base.release.files.map(({ digest, length }) => [digest, length]));
  const whole = (singles ?? []).filter(({ name, length }) => lengths.get(name) === length);
  return {
    objects: new Set([...whole.map(({ name }) => name), ...(await packedObjects(exchange, packs ?? []))]),
    hasDocuments: documentsOf(base, versions).every((path) => there.has(path)),
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

function pathsOf(folder: string, entries: readonly FileEntry[] | undefined): readonly string[] {
  return (entries ?? []).map(({ name }) => `${folder}/${name}`);
}
