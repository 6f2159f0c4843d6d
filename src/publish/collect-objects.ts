/**
 * Brings the content of a release from the inbox into an object store: each object once, bounded by its
 * signed length, hashed on the way. What is in the store already is not looked for.
 */
import { isTieupError, TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { INBOX_OBJECTS, INBOX_PACKS, MAX_PACK, MAX_PACKS } from '../protocol/exchange.ts';
import { exactReader, readPackIndex } from '../protocol/pack-reader.ts';
import { decodeChunk, type PackEntry } from '../protocol/pack.ts';
import type { ReleaseFile } from '../protocol/release.ts';
import type { ObjectStore } from './objects.ts';

export interface Inbox {
  readonly exchange: FileTree;
  readonly objects: ObjectStore;
}

/** Says nothing about a pack: the disk or the line failed, or somebody pressed Ctrl-C. */
const OF_NO_PACK = ['TIEUP_E_STORAGE', 'TIEUP_E_CONNECTION', 'TIEUP_E_INTERRUPTED'] as const;

/** @throws TIEUP_E_VERIFY when content is missing or is not what was signed. */
export async function collectObjects(inbox: Inbox, files: readonly ReleaseFile[]): Promise<void> {
  const missing = new Map<string, number>();
  for (const { digest, length } of files) {
    if (!(await inbox.objects.has(digest, length))) missing.set(digest, length);
  }
  if (missing.size === 0) return;
  await collectSingles(inbox, missing);
  const faults = await collectPacked(inbox, missing);
  if (missing.size > 0) throw incomplete(files, missing, faults);
}

async function collectSingles({ exchange, objects }: Inbox, missing: Map<string, number>): Promise<void> {
  for (const { name } of await exchange.list(INBOX_OBJECTS)) {
    const length = missing.get(name);
    if (length === undefined) continue;
    await objects.add(name, length, exchange.stream(`${INBOX_OBJECTS}/${name}`, length));
    missing.delete(name);
  }
}

/** Takes what is missing out of the packs; returns why packs could not be read, which matters only if something stays missing. */
async function collectPacked({ exchange, objects }: Inbox, missing: Map<string, number>): Promise<readonly unknown[]> {
  const packs = (await exchange.list(INBOX_PACKS)).filter(({ name }) => name.endsWith('.pack'));
  if (packs.length > MAX_PACKS)
    throw new TieupError('TIEUP_E_VERIFY', `the inbox holds ${packs.length} packs, more than ${MAX_PACKS}`);
  const faults: unknown[] = [];
  for (const { name } of packs) {
    if (missing.size === 0) break;
    try {
      await collectPack(exchange, `${INBOX_PACKS}/${name}`, objects, missing);
    } catch (error) {
      if (!isTieupError(error) || isTieupError(error, ...OF_NO_PACK)) throw error;
      faults.push(error);
    }
  }
  return faults;
}

async function collectPack(
  exchange: FileTree,
  path: string,
  objects: ObjectStore,
  missing: Map<string, number>,
): Promise<void> {
  const stat = await exchange.stat(path);
  const fileLength = stat?.length ?? 0;
  const reader = exactReader(exchange.stream(path, Math.min(fileLength, MAX_PACK)));
  try {
    const { chunks, entries } = await readPackIndex(reader, fileLength);
    const wanted = new Map<number, PackEntry[]>();
    for (const entry of entries) {
      if (missing.get(entry.digest) !== entry.length) continue;
      const here = wanted.get(entry.chunk);
      if (here === undefined) wanted.set(entry.chunk, [entry]);
      else here.push(entry);
    }
    for (const [number, chunk] of chunks.entries()) {
      const here = wanted.get(number);
      if (here === undefined) {
        await reader.skip(chunk.stored);
        continue;
      }
      const raw = await decodeChunk(chunk, await reader.take(chunk.stored));
      for (const { digest, offset, length } of here) {
        await objects.add(digest, length, raw.subarray(offset, offset + length));
        missing.delete(digest);
      }
    }
  } finally {
    await reader.close();
  }
}

function incomplete(
  files: readonly ReleaseFile[],
  missing: ReadonlyMap<string, number>,
  faults: readonly unknown[],
): TieupError {
  const paths = files.filter(({ digest }) => missing.has(digest)).map(({ path }) => path);
  const many = paths.length === 1 ? 'one file' : `${paths.length} files`;
  const [fault] = faults;
  const what =
    fault === undefined
      ? `is not complete: the content of ${many} is missing`
      : `was damaged or altered: the content of ${many} cannot be read`;
  return new TieupError('TIEUP_E_VERIFY', `the release in the inbox ${what}`, {
    problems: paths.slice(0, 20).map((file) => ({ message: 'its content is not in the inbox as it was signed', file })),
    hint: 'ask the main site to run tieup push --full',
    cause: fault,
  });
}
