/**
 * Style sheets, pictures and scripts of the release before, which stay one release longer: whoever got a page a moment ago, or has
 * it from a cache, still finds what it refers to. A pure decision.
 *
 * Only what has its hash in its name, and only where the new release has a newer version of it. So nothing stands in the way of what
 * is new, there is never more of it than the release before had, and what the main site took out altogether is gone at once.
 */
import type { ReleaseFile } from '../protocol/release.ts';
import { plainName } from '../protocol/hashed-name.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';

/** What is live. */
export interface LiveAssets {
  readonly ledger: Ledger;
  /** Paths that stand there for the sake of the release before, which must not stay for another one; undefined when nothing is live. */
  readonly record: { readonly earlier: readonly string[] } | undefined;
}

type NextFile = Pick<ReleaseFile, 'path' | 'digest' | 'page' | 'redirect'>;

/** @param digest of the release that is to be live. @returns in the order of the ledger. */
export function earlierAssets(
  { ledger, record }: LiveAssets,
  { files, digest }: { readonly files: readonly NextFile[]; readonly digest: string },
): readonly LedgerEntry[] {
  const stayed = new Set(record?.earlier);
  const all = [...ledger.entries.values()];
  // The same release once more, with other slots or choices, is no reason to take away what stays for its sake.
  if (ledger.releaseDigest === digest) return all.filter(({ path }) => stayed.has(path));
  const next = new Set<string>();
  const names = new Set<string>();
  for (const { path, digest: content, page, redirect } of files) {
    next.add(path);
    if (page === undefined && redirect === undefined) names.add(plainName(path, content) ?? path);
  }
  return all.filter(({ path, digest: content, release }) => {
    if (release === 0 || stayed.has(path) || next.has(path)) return false;
    const name = plainName(path, content);
    return name !== undefined && names.has(name);
  });
}
