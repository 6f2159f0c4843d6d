/**
 * Sends a signed release into a partner's inbox: objects first, metadata after them, `timestamp.json` last by rename.
 * Until that rename the partner sees the release before; a connection that breaks at any point changes nothing.
 */
import type { FileTree, StagedFile } from '../io/file-tree.ts';
import { together } from '../io/together.ts';
import { hasTag } from '../io/tree-path.ts';
import { sha256 } from '../protocol/digest.ts';
import {
  INBOX_METADATA,
  INBOX_OBJECTS,
  INBOX_PACKS,
  INBOX_TARGETS,
  PACK_OBJECTS,
  packPath,
} from '../protocol/exchange.ts';
import { buildPack, type PackObject } from '../protocol/pack.ts';
import type { Assets } from './assets.ts';
import type { InboxListing } from './inbox-content.ts';
import type { PlannedFile } from './plan-release.ts';
import type { SignedFile, SignedRelease } from './sign-release.ts';
import { isNumbered } from './watched-head.ts';

/** A pack is built in memory: memory is bounded by this, not by the release. */
const PACK_TARGET = 32 * 1024 * 1024;
/** Files that are compressed in themselves, which most of what all partners get alike is: nothing is won by trying it again for each. */
const DENSE = /\.(?:png|jpe?g|gif|webp|avif|woff2?|pdf|zip|gz|br|mp[34]|m4[av]|webm|ogg|opus|docx|xlsx|pptx|epub)$/i;
/** A shorter pack is sent whole again when its transfer was cut off. */
const RESUME_FROM = 4 * 1024 * 1024;
/** Hex digits of a pack's digest in the name of what is not whole yet. */
const TAG_LENGTH = 32;
/** Larger assets travel alone, as a stream. */
const SINGLE_FROM = 16 * 1024 * 1024;

export interface Upload {
  readonly objects: readonly PlannedFile[];
  readonly assets: Assets;
  /** Write packs again although files of their name are there. */
  readonly again: boolean;
  /** False where the line is faster than the compressor. */
  readonly compress: boolean;
  /** What attempts that were cut off have left; asked for where a pack is long. Comes when nobody writes there any more. */
  leftovers(): Promise<InboxListing['leftovers']>;
  /** Told of the bytes that were sent so far. */
  onSent(bytes: number): void;
}

/** What has to be sent: each content once, without what the partner's side has. */
export function missingObjects(files: readonly PlannedFile[], there: ReadonlySet<string>): readonly PlannedFile[] {
  const missing = new Map<string, PlannedFile>();
  for (const planned of files) {
    if (!there.has(planned.file.digest)) missing.set(planned.file.digest, planned);
  }
  return [...missing.values()];
}

/** Everything of a release beside its place in the inbox, where nobody looks for it. */
export interface StagedRelease {
  readonly content: readonly StagedFile[];
  /** Without the head, and without those under a number. */
  readonly documents: readonly StagedFile[];
  /** Metadata under numbers that nobody else has used. */
  readonly numbered: readonly NumberedFile[];
  readonly head: StagedFile;
  /** The packs and single objects that stand in the inbox for this release once it is committed. */
  readonly paths: ReadonlySet<string>;
  readonly sentBytes: number;
}

export interface NumberedFile extends StagedFile {
  readonly path: string;
}

/** Sends everything at the same time, a few round trips for all. What was staged is taken back when something fails.
 * @throws TIEUP_E_EXISTS when another release was sent under its numbers
 */
export async function stageRelease(exchange: FileTree, signed: SignedRelease, upload: Upload): Promise<StagedRelease> {
  const staged: StagedFile[] = [];
  const keep = async (staging: Promise<StagedFile>): Promise<StagedFile> => {
    const file = await staging;
    staged.push(file);
    return file;
  };
  const document = async ({ path, bytes }: SignedFile): Promise<readonly NumberedFile[]> => {
    if (await holds(exchange, path, bytes)) return [];
    return [{ ...(await keep(exchange.stage(path, bytes, { isNew: isNumbered(path) }))), path }];
  };
  try {
    const [objects, sent, head] = await together([
      stageObjects(exchange, upload, keep),
      together(signed.files.map(document)),
      keep(exchange.stage(signed.timestamp.path, signed.timestamp.bytes)),
    ]);
    const documents = sent.flat();
    const numbered = documents.filter(({ path }) => isNumbered(path));
    return { ...objects, documents: documents.filter(({ path }) => !isNumbered(path)), numbered, head };
  } catch (error) {
    await discardAll(staged);
    throw error;
  }
}

/**
 * Puts what was staged into its place, and the head last of all: the commit point. Content and documents have names which no
 * release before knows.
 * @param roots written right before the head: from then on a partner trusts none of the keys before
 * @param assertOurs asked in the round trip before the head: what it throws keeps the head from its place
 * @throws TIEUP_E_EXISTS when another release was sent under its numbers meanwhile
 */
export async function commitRelease(
  exchange: FileTree,
  { content, documents, numbered, head }: StagedRelease,
  roots: readonly SignedFile[],
  assertOurs: () => Promise<void>,
): Promise<void> {
  await commitNumbered(exchange, numbered, async () => {
    await together([...[...content, ...documents].map((file) => file.commit()), assertOurs()]);
  });
  await together(
    roots.map(async ({ path, bytes }) => {
      if (!(await holds(exchange, path, bytes))) await exchange.write(path, bytes);
    }),
  );
  await head.commit();
}

/** At the same time as `beside`; when one of it all fails, the numbers are free again. */
export async function commitNumbered(
  exchange: FileTree,
  numbered: readonly NumberedFile[],
  beside: () => Promise<void>,
): Promise<void> {
  const used: string[] = [];
  const commit = async (file: NumberedFile): Promise<void> => {
    await file.commit();
    used.push(file.path);
  };
  try {
    await together([...numbered.map(commit), beside()]);
  } catch (error) {
    await removeAll(exchange, used).catch(() => {});
    throw error;
  }
}

export async function discardRelease({ content, documents, numbered, head }: StagedRelease): Promise<void> {
  await discardAll([...content, ...documents, ...numbered, head]);
}

async function discardAll(staged: readonly StagedFile[]): Promise<void> {
  await together(staged.map((file) => file.discard()));
}

/** Sends objects and puts them into their place; returns which packs and single objects these are. */
export async function uploadObjects(exchange: FileTree, upload: Upload): Promise<StagedObjects> {
  const staged = await stageObjects(exchange, upload, (staging) => staging);
  await together(staged.content.map((file) => file.commit()));
  return staged;
}

type StagedObjects = Pick<StagedRelease, 'content' | 'paths' | 'sentBytes'>;

/** A pack is built while the one before it is on its way. */
async function stageObjects(
  exchange: FileTree,
  upload: Upload,
  keep: (staging: Promise<StagedFile>) => Promise<StagedFile>,
): Promise<StagedObjects> {
  const content: StagedFile[] = [];
  const paths = new Set<string>();
  let sentBytes = 0;
  const isThere = async (path: string, length: number): Promise<boolean> => {
    if (upload.again) return false;
    const there = await exchange.stat(path);
    return there?.kind === 'file' && there.length === length;
  };
  const sent = (path: string, length: number): void => {
    paths.add(path);
    sentBytes += length;
    upload.onSent(sentBytes);
  };
  const sendPack = async (pack: Uint8Array): Promise<void> => {
    const digest = sha256(pack);
    const path = packPath(digest);
    if (!(await isThere(path, pack.length))) {
      const tag = digest.slice(0, TAG_LENGTH);
      const from = pack.length < RESUME_FROM ? undefined : longestOf(await upload.leftovers(), tag);
      content.push(await keep(exchange.stage(path, pack, { tag, from })));
    }
    sent(path, pack.length);
  };
  let underWay: Promise<void> = Promise.resolve();
  try {
    for await (const pack of packsOf(upload)) {
      await underWay;
      underWay = sendPack(pack);
      // It is awaited in the next turn or below.
      underWay.catch(() => {});
    }
  } finally {
    await underWay;
  }
  for (const planned of upload.objects) {
    if (!travelsAlone(planned)) continue;
    const { digest, length } = planned.file;
    const path = `${INBOX_OBJECTS}/${digest}`;
    if (!(await isThere(path, length))) await exchange.write(path, upload.assets.stream(planned.content.asset, digest));
    sent(path, length);
  }
  return { content, paths, sentBytes };
}

/** What an attempt that was cut off has left of this pack. */
function longestOf(leftovers: InboxListing['leftovers'], tag: string): string | undefined {
  const [longest] = leftovers.filter(({ path }) => hasTag(path, tag)).toSorted((a, b) => b.length - a.length);
  return longest?.path;
}

async function* packsOf({ objects, assets, compress }: Upload): AsyncGenerator<Uint8Array> {
  let group: PackObject[] = [];
  let groupLength = 0;
  for (const planned of objects) {
    if (travelsAlone(planned)) continue;
    const { file, content } = planned;
    const bytes = content.kind === 'bytes' ? content.render() : await assets.read(content.asset, file.digest);
    group.push({ digest: file.digest, bytes, isDense: DENSE.test(file.path), isShared: content.kind === 'asset' });
    groupLength += bytes.length;
    if (groupLength < PACK_TARGET && group.length < PACK_OBJECTS) continue;
    yield await buildPack(group, { compress, shared: assets.chunks });
    group = [];
    groupLength = 0;
  }
  if (group.length > 0) yield await buildPack(group, { compress, shared: assets.chunks });
}

type AssetSource = Extract<PlannedFile['content'], { readonly kind: 'asset' }>;

function travelsAlone(planned: PlannedFile): planned is PlannedFile & { readonly content: AssetSource } {
  return planned.content.kind === 'asset' && planned.file.length >= SINGLE_FROM;
}

async function holds(exchange: FileTree, path: string, bytes: Uint8Array): Promise<boolean> {
  const there = await exchange.stat(path);
  if (there?.kind !== 'file' || there.length !== bytes.length) return false;
  return Buffer.from(await exchange.read(path, bytes.length)).equals(bytes);
}

/**
 * What no partner needs any more: temporary files of an interrupted push, metadata older than the release before, and, once a
 * receipt says that the partner has everything of the base, the targets and packs which brought it.
 */
export function garbageOf(
  { files, leftovers }: InboxListing,
  keep: { readonly signed: SignedRelease; readonly objects: ReadonlySet<string>; readonly baseIsLive: boolean },
): readonly string[] {
  const { signed, objects, baseIsLive } = keep;
  const oldest = { targets: signed.versions.targets - 1, snapshot: signed.versions.snapshot - 1 };
  const pathsIn = (folder: string) => (files.get(folder) ?? []).map(({ name }) => `${folder}/${name}`);
  const metadata = pathsIn(INBOX_METADATA).filter((path) => {
    const [, version, role] = /\/(\d+)\.(targets|snapshot)\.json$/.exec(path) ?? [];
    return version !== undefined && Number(version) < (role === 'targets' ? oldest.targets : oldest.snapshot);
  });
  const temporary = leftovers.map(({ path }) => path);
  if (!baseIsLive) return [...temporary, ...metadata];
  const needed = new Set([...signed.files.map(({ path }) => path), ...objects]);
  const content = [INBOX_TARGETS, INBOX_PACKS, INBOX_OBJECTS].flatMap(pathsIn).filter((path) => !needed.has(path));
  return [...temporary, ...metadata, ...content];
}

/** Removes files at the same time, a few round trips for all. */
export async function removeAll(exchange: FileTree, paths: readonly string[]): Promise<void> {
  await together(paths.map((path) => exchange.remove(path)));
}
