/**
 * Sends a signed release into a partner's inbox: objects first, metadata after them, `timestamp.json` last by rename.
 * Until that rename the partner sees the release before; a connection that breaks at any point changes nothing.
 */
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { sha256, sha256Stream } from '../protocol/digest.ts';
import { INBOX, INBOX_METADATA, INBOX_OBJECTS, INBOX_PACKS, INBOX_TARGETS, packPath } from '../protocol/exchange.ts';
import { buildPack, type PackObject } from '../protocol/pack.ts';
import { MAX_ASSET } from './read-assets.ts';
import type { PlannedFile } from './plan-release.ts';
import type { SignedRelease } from './sign-release.ts';

/** A pack is built in memory: memory is bounded by this, not by the release. */
const PACK_TARGET = 32 * 1024 * 1024;
/** Larger assets travel alone, as a stream. */
const SINGLE_FROM = 16 * 1024 * 1024;

export interface Assets {
  readonly files: FileTree;
  readonly folder: string;
}

export interface Upload {
  readonly objects: readonly PlannedFile[];
  readonly assets: Assets;
  /** Write packs again although files of their name are there. */
  readonly again: boolean;
  onBytes(bytes: number): void;
}

/** What has to be sent: each content once, without what the partner's side has. */
export function missingObjects(files: readonly PlannedFile[], there: ReadonlySet<string>): readonly PlannedFile[] {
  const missing = new Map<string, PlannedFile>();
  for (const planned of files) {
    if (!there.has(planned.file.digest)) missing.set(planned.file.digest, planned);
  }
  return [...missing.values()];
}

/** Sends the objects; returns the packs and single objects that now stand in the inbox for this release. */
export async function uploadObjects(exchange: FileTree, upload: Upload): Promise<ReadonlySet<string>> {
  const sent = new Set<string>();
  let group: PackObject[] = [];
  let groupLength = 0;
  const flush = async () => {
    if (group.length === 0) return;
    const pack = await buildPack(group);
    const path = packPath(sha256(pack));
    const present = upload.again ? undefined : await exchange.stat(path);
    if (present?.kind !== 'file' || present.length !== pack.length) await exchange.write(path, pack);
    sent.add(path);
    upload.onBytes(pack.length);
    group = [];
    groupLength = 0;
  };
  for (const { file, content } of upload.objects) {
    if (content.kind === 'asset' && file.length >= SINGLE_FROM) {
      const path = `${INBOX_OBJECTS}/${file.digest}`;
      const present = upload.again ? undefined : await exchange.stat(path);
      if (present?.kind !== 'file' || present.length !== file.length)
        await exchange.write(path, streamAsset(upload.assets, content.asset, file.digest));
      sent.add(path);
      upload.onBytes(file.length);
      continue;
    }
    const bytes =
      content.kind === 'bytes' ? content.render() : await readAsset(upload.assets, content.asset, file.digest);
    group.push({ digest: file.digest, bytes });
    groupLength += bytes.length;
    if (groupLength >= PACK_TARGET) await flush();
  }
  await flush();
  return sent;
}

/**
 * Writes metadata and targets, then commits. What is there already stays untouched: the release before may need it, and some
 * servers cannot replace a file in one step.
 */
export async function commitRelease(exchange: FileTree, signed: SignedRelease): Promise<void> {
  for (const { path, bytes } of signed.files) {
    if (!(await holds(exchange, path, bytes))) await exchange.write(path, bytes);
  }
  await exchange.write(signed.timestamp.path, signed.timestamp.bytes);
}

async function holds(exchange: FileTree, path: string, bytes: Uint8Array): Promise<boolean> {
  const there = await exchange.stat(path);
  if (there?.kind !== 'file' || there.length !== bytes.length) return false;
  return Buffer.from(await exchange.read(path, bytes.length)).equals(bytes);
}

const RELEASE_FOLDERS: readonly string[] = [INBOX, INBOX_METADATA, INBOX_TARGETS, INBOX_PACKS, INBOX_OBJECTS];

/** Removes the temporary files that an interrupted push (or pull) left; for whoever holds the lock, nobody else writes there. */
export async function removeLeftovers(exchange: FileTree, folders = RELEASE_FOLDERS): Promise<void> {
  const leftIn = async (folder: string): Promise<readonly string[]> => {
    const [whole, all] = await Promise.all([exchange.list(folder), exchange.list(folder, { temporary: true })]);
    const names = new Set(whole.map(({ name }) => name));
    return all.flatMap(({ name, kind }) => (kind === 'file' && !names.has(name) ? [`${folder}/${name}`] : []));
  };
  for (const path of (await Promise.all(folders.map(leftIn))).flat()) await exchange.remove(path);
}

/**
 * Removes what no partner needs any more: metadata and targets older than the release before, and, once a receipt says
 * that the partner has everything of the base, the packs which brought it.
 */
export async function collectGarbage(
  exchange: FileTree,
  keep: { readonly signed: SignedRelease; readonly objects: ReadonlySet<string>; readonly baseIsLive: boolean },
): Promise<void> {
  const { signed, objects, baseIsLive } = keep;
  const targets = new Set(signed.files.map(({ path }) => path));
  const oldest = { targets: signed.versions.targets - 1, snapshot: signed.versions.snapshot - 1 };
  for (const { name } of await exchange.list(INBOX_METADATA)) {
    const [, version, role] = /^(\d+)\.(targets|snapshot)\.json$/.exec(name) ?? [];
    const bound = role === 'targets' ? oldest.targets : oldest.snapshot;
    if (version !== undefined && Number(version) < bound) await exchange.remove(`${INBOX_METADATA}/${name}`);
  }
  if (!baseIsLive) return;
  for (const { name } of await exchange.list(INBOX_TARGETS)) {
    if (!targets.has(`${INBOX_TARGETS}/${name}`)) await exchange.remove(`${INBOX_TARGETS}/${name}`);
  }
  for (const folder of [INBOX_PACKS, INBOX_OBJECTS]) {
    for (const { name } of await exchange.list(folder)) {
      if (!objects.has(`${folder}/${name}`)) await exchange.remove(`${folder}/${name}`);
    }
  }
}

/** Assets are read twice, for their digest and to be sent: one that was edited in between must not be signed for. */
async function readAsset(assets: Assets, path: string, digest: string): Promise<Uint8Array> {
  const bytes = await assets.files.read(assetPath(assets, path), SINGLE_FROM);
  if (sha256(bytes) !== digest) throw edited(assets, path);
  return bytes;
}

async function* streamAsset(assets: Assets, path: string, digest: string): AsyncIterable<Uint8Array> {
  const hash = sha256Stream();
  for await (const chunk of assets.files.stream(assetPath(assets, path), MAX_ASSET)) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest() !== digest) throw edited(assets, path);
}

function edited(assets: Assets, path: string): TieupError {
  return new TieupError('TIEUP_E_DRIFT', `${assetPath(assets, path)} changed while it was being pushed`, {
    hint: 'nothing of this release can be seen; push again when nobody edits it',
  });
}

function assetPath(assets: Assets, path: string): string {
  return `${assets.folder}/${path}`;
}
