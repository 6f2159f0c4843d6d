/**
 * Judges the content of a release by the terms: the main site before it sends it, the partner before its manager is asked. Only
 * what the release before did not have at the same path is looked at.
 */
import type { Problem } from '../errors.ts';
import type { ReleaseFile } from '../protocol/release.ts';
import type { ContentPolicy } from '../protocol/terms.ts';
import type { ActiveContent } from './active-content.ts';
import { fileNature } from './file-nature.ts';

/** Raise it with every change of what is found in a file: what was found harmless before is looked at again. */
export const JUDGE_VERSION = 'active/1';

export interface JudgedRelease {
  /** Everything that can do more than be looked at, in the files that are new. */
  readonly found: readonly ActiveContent[];
  /** What of it the policy does not allow. */
  readonly problems: readonly Problem[];
}

/** @param known files that were judged before */
export async function judgeRelease<File extends Pick<ReleaseFile, 'path' | 'digest'>>(
  files: readonly File[],
  known: readonly Pick<ReleaseFile, 'path' | 'digest'>[],
  policy: ContentPolicy,
  read: (file: File) => Promise<Uint8Array>,
): Promise<JudgedRelease> {
  const seen = new Set(known.map(fileKey));
  const unseen = files.filter((file) => !seen.has(fileKey(file)) && fileNature(file.path) !== 'inert');
  if (unseen.length === 0) return { found: [], problems: [] };
  // Only here: a run that finds nothing new need not wait for the HTML parser to load.
  const { findActiveContent, judgeActiveContent } = await import('./active-content.ts');
  const found: ActiveContent[] = [];
  for (const file of unseen) {
    for (const each of findActiveContent(await read(file), file.path)) found.push(each);
  }
  return { found, problems: judgeActiveContent(found, policy) };
}

/** The same bytes at another path are another file: addresses in it may mean something else. */
export function fileKey({ path, digest }: Pick<ReleaseFile, 'path' | 'digest'>): string {
  return `${digest} ${path}`;
}
