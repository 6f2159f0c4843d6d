/** Filling the slots of pages with objects of the store: the i/o around merge/splice.ts. */
import type { MergeEntry, MergePlan } from '../merge/plan.ts';
import { splice } from '../merge/splice.ts';
import { sha256 } from '../protocol/digest.ts';
import type { ObjectReader, ObjectStore } from './objects.ts';

/** An entry whose bytes are known. */
export type ResolvedEntry = MergeEntry & { readonly digest: string };

/**
 * The same plan with the digests and lengths of pages whose slots are filled, so that a summary knows which of them change.
 * Writes nothing. @throws like {@link ObjectReader.read}.
 */
export async function resolvePlan(plan: MergePlan, objects: ObjectReader): Promise<MergePlan> {
  const entries: MergeEntry[] = [];
  for (const entry of plan.entries) {
    if (entry.from.kind !== 'object' || entry.digest !== undefined) entries.push(entry);
    else entries.push({ ...entry, digest: sha256(await composeEntry(entry, objects)) });
  }
  return { ...plan, entries };
}

/** The bytes of one tie-up file, slots filled. @throws like {@link ObjectReader.read}. */
export async function composeEntry({ from }: MergeEntry, objects: ObjectReader): Promise<Uint8Array> {
  if (from.kind !== 'object') throw new TypeError('only a tie-up file is composed of objects');
  const contents = new Map<string, Uint8Array>();
  for (const { digest, contentLength } of from.splices) contents.set(digest, await objects.read(digest, contentLength));
  return splice(await objects.read(from.digest, from.length), from.splices, contents);
}

/** Puts every page with filled slots into the store as an object of its own: from here on a file is its digest. */
export async function resolveEntries(
  entries: readonly MergeEntry[],
  objects: ObjectStore,
): Promise<readonly ResolvedEntry[]> {
  const resolved: ResolvedEntry[] = [];
  for (const entry of entries) {
    const { digest, from } = entry;
    const filled = from.kind === 'object' && from.splices.length > 0;
    if (digest !== undefined && (!filled || (await objects.has(digest, entry.length)))) {
      resolved.push({ ...entry, digest });
      continue;
    }
    const bytes = await composeEntry(entry, objects);
    const page = { length: bytes.length, digest: sha256(bytes) };
    if (!(await objects.has(page.digest, page.length))) await objects.add(page.digest, page.length, bytes);
    resolved.push({ ...entry, ...page });
  }
  return resolved;
}
