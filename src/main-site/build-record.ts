/** What an earlier build wrote for a partner, so that the next one writes only what is not there yet. */
import type { FileTree } from '../io/file-tree.ts';
import type { FileStamp } from '../io/output-folder.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';
import { PARTNER_ID } from '../protocol/names.ts';

export interface BuiltFile extends FileStamp {
  /** Of what it was made of; see `SitePage.key`. */
  readonly key: string;
}

/** By path from the partner's web root. */
export type BuildRecord = ReadonlyMap<string, BuiltFile>;

const FIRST_LINE = 'tieup-build/1';
const MAX_RECORD = 256 * 1024 * 1024;

/** Empty when there is none, or none that can be read: then everything is written. */
export async function readBuildRecord(files: FileTree, out: string, partner: string): Promise<BuildRecord> {
  const bytes = await readIfThere(files, buildRecordPath(out, partner), MAX_RECORD);
  const record = new Map<string, BuiltFile>();
  if (bytes === undefined) return record;
  const [first, ...lines] = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString().split('\n');
  if (first !== FIRST_LINE) return record;
  for (const line of lines) {
    const [key, length, modifiedMs] = line.split(' ', 3);
    if (key === undefined || length === undefined || modifiedMs === undefined) continue;
    const path = line.slice(key.length + length.length + modifiedMs.length + 3);
    record.set(path, { key, length: Number(length), modifiedMs: Number(modifiedMs) });
  }
  return record;
}

export async function writeBuildRecord(
  files: FileTree,
  out: string,
  partner: string,
  record: BuildRecord,
): Promise<void> {
  const lines = [...record].map(([path, { key, length, modifiedMs }]) => `${key} ${length} ${modifiedMs} ${path}`);
  await files.write(buildRecordPath(out, partner), Buffer.from([FIRST_LINE, ...lines, ''].join('\n')), {
    durable: false,
  });
}

/** Partners for which something was built into `out`. */
export async function recordedPartners(files: FileTree, out: string): Promise<readonly string[]> {
  const entries = await files.list(recordsFolder(out));
  return entries.flatMap(({ name, kind }) => (kind === 'file' && PARTNER_ID.test(name) ? [name] : []));
}

/** @param out the folder that was built into, absolute */
export function buildRecordPath(out: string, name: string): string {
  return `${recordsFolder(out)}/${name}`;
}

function recordsFolder(out: string): string {
  return `.tieup/build/${sha256(out).slice(0, 16)}`;
}
