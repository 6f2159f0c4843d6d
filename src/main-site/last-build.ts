/**
 * What the last build of a folder was made of and came to: while that is as it was, there is nothing to build.
 *
 * Everything that was read is read again and compared by its digest, and every file that was written is looked at. Loads
 * neither schemas nor YAML: a build that finds nothing to do is done before they would have been read.
 */
import type { Problem } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { OutputFolder } from '../io/output-folder.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { wouldReadTheSame, type Reading } from '../io/recorded-reads.ts';
import { buildRecordPath, readBuildRecord } from './build-record.ts';
import type { BuiltPartner } from './build.ts';

/** Under which a build was made. */
export interface BuildTerms {
  /** Differs with every version of tieup. */
  readonly tool: string;
  /** As they were named. */
  readonly partners: readonly string[];
}

export interface LastBuild extends BuildTerms {
  /** ISO 8601 UTC: it holds from here on, and up to the moment at which a page comes or goes by its date. */
  readonly from: string;
  readonly until: string | null;
  readonly readings: readonly Reading[];
  readonly built: readonly BuiltPartner[];
  readonly warnings: readonly Problem[];
}

const NAME = '.last';
const SCHEMA = 'tieup-last-build/1';
const MAX_LAST = 64 * 1024 * 1024;

export async function keepLastBuild(files: FileTree, out: string, last: LastBuild): Promise<void> {
  const text = `${JSON.stringify({ schema: SCHEMA, ...last })}\n`;
  await files.write(buildRecordPath(out, NAME), Buffer.from(text), { durable: false });
}

/** What the last build came to when another one would come to the same; undefined when it has to be made. */
export async function unchangedBuild(
  files: FileTree,
  folder: OutputFolder,
  { tool, partners }: BuildTerms,
  now: Date,
): Promise<Pick<LastBuild, 'built' | 'warnings'> | undefined> {
  const last = decode(await readIfThere(files, buildRecordPath(folder.label, NAME), MAX_LAST));
  if (last === undefined || last.tool !== tool || last.partners.join('\n') !== partners.join('\n')) return undefined;
  if (now < new Date(last.from) || (last.until !== null && now >= new Date(last.until))) return undefined;
  if (!(await wouldReadTheSame(files, last.readings))) return undefined;
  for (const { partner, files: count } of last.built) {
    if (!(await isThere(files, folder, partner, count))) return undefined;
  }
  return { built: last.built.map((each) => ({ ...each, written: 0, removed: 0 })), warnings: last.warnings };
}

/** Whether everything that was written for a partner is as it was written. */
async function isThere(files: FileTree, folder: OutputFolder, partner: string, count: number): Promise<boolean> {
  const record = await readBuildRecord(files, folder.label, partner);
  if (record.size !== count) return false;
  return folder.areUntouched([...record].map(([path, written]) => [`${partner}/${path}`, written]));
}

/** Undefined for what was cut short by a crash, edited, or written by another version: then everything is built. */
function decode(bytes: Uint8Array | undefined): LastBuild | undefined {
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isLastBuild(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

// Written by keepLastBuild alone. It is checked as far as a wrong value could be taken for another: what is not as it should be in
// a reading or a partner does not agree with the files either.
function isLastBuild(value: unknown): value is LastBuild {
  if (typeof value !== 'object' || value === null) return false;
  const { schema, tool, partners, from, until, readings, built, warnings }: Partial<LastBuild & { schema: unknown }> =
    value;
  return (
    schema === SCHEMA &&
    typeof tool === 'string' &&
    typeof from === 'string' &&
    (until === null || typeof until === 'string') &&
    [partners, readings, built, warnings].every((each) => Array.isArray(each))
  );
}
