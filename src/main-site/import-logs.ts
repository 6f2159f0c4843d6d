/** Brings access logs to where they can be queried: those that were pulled, and exports that came otherwise, by mail or on a stick. */
import { TieupError } from '../errors.ts';
import { sha256Stream } from '../protocol/digest.ts';
import { OUTBOX_EXPORT, partPath } from '../protocol/exchange.ts';
import { EXPORT_TYPE, MAX_EXPORT_NOTE, parseExport } from '../protocol/log-export.ts';
import { claimedText } from '../protocol/note.ts';
import type { LogExchange } from './logs/fetch-part.ts';
import { forgetImports, importKept } from './logs/import-kept.ts';
import { withLogLock } from './logs/log-lock.ts';
import { readPins } from './logs/log-records.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnership, loadPartnerships } from './partnerships.ts';
import { logSigner, pullFrom, type PullResult } from './pull-logs.ts';

/** A file that the command line names. */
export interface GivenFile {
  readonly name: string;
  /** Bytes. */
  readonly length: number;
  stream(): AsyncIterable<Uint8Array>;
}

export interface ImportedPartner {
  readonly partner: string;
  readonly records: number;
}

/**
 * Imports what was pulled and is not imported yet, as after DuckDB was installed. @param again everything, from the beginning
 * @throws TIEUP_E_NOT_FOUND when DuckDB is not installed.
 */
export async function importPulled(site: MainSite, again: boolean): Promise<readonly ImportedPartner[]> {
  const hits = await site.hits();
  if (hits === undefined) throw noDuckdb();
  const results: ImportedPartner[] = [];
  try {
    for (const { id: partner } of await loadPartnerships(site)) {
      const pins = await readPins(site, partner);
      if (pins.logKey === null) continue;
      const records = await withLogLock(site, partner, async () => {
        if (again) await forgetImports(site, partner);
        return importKept(site, partner, await readPins(site, partner), hits);
      });
      results.push({ partner, records });
    }
  } finally {
    await hits.close();
  }
  return results;
}

/**
 * Takes in one export: `export.note` and the files that it names. Verified against what is pinned exactly as if it had been pulled;
 * the cosignature goes into the inbox with the next pull.
 * @throws TIEUP_E_USAGE when these files are no export; what a pull throws, and TIEUP_E_NOT_FOUND when DuckDB is not installed.
 */
export async function importFiles(site: MainSite, files: readonly GivenFile[]): Promise<PullResult> {
  const statements: { readonly note: Uint8Array; readonly text: string }[] = [];
  const parts = new Map<string, GivenFile>();
  for (const file of files) {
    const note = file.length <= MAX_EXPORT_NOTE ? await contentOf(file) : undefined;
    const text = note === undefined ? '' : claimedText(note);
    if (note !== undefined && text.startsWith(`${EXPORT_TYPE}\n`)) statements.push({ note, text });
    else parts.set(partPath(await digestOf(file)), file);
  }
  const [statement, ...more] = statements;
  if (statement === undefined || more.length > 0) {
    throw new TieupError('TIEUP_E_USAGE', `there are ${statements.length} statements among these files, not one`, {
      hint: 'give one export.note of outbox/logs and the .part.gz files that came with it',
    });
  }
  // Only to know whose key has to open it; what it says counts after that alone.
  const partnership = await loadPartnership(site, parseExport(statement.text).partner);
  const hits = await site.hits();
  if (hits === undefined) throw noDuckdb();
  try {
    const signer = await logSigner(site);
    const exchange = standIn(statement.note, parts);
    return await withLogLock(site, partnership.id, () => pullFrom(site, partnership, exchange, signer, hits, 'files'));
  } finally {
    await hits.close();
  }
}

/** An outbox with nothing but the export, and an inbox that nobody reads. */
function standIn(note: Uint8Array, parts: ReadonlyMap<string, GivenFile>): LogExchange {
  const absent = (path: string) =>
    new TieupError('TIEUP_E_NOT_FOUND', `${path} is not among the files that were given`);
  return {
    read: async (path) => {
      if (path === OUTBOX_EXPORT) return note;
      throw absent(path);
    },
    async *stream(path, maxLength) {
      const file = parts.get(path);
      if (file === undefined) throw absent(path);
      if (file.length > maxLength) throw new TieupError('TIEUP_E_TOO_LARGE', `${file.name} is longer than was signed`);
      yield* file.stream();
    },
    write: async () => {},
  };
}

async function contentOf(file: GivenFile): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.stream()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function digestOf(file: GivenFile): Promise<string> {
  const hash = sha256Stream();
  for await (const chunk of file.stream()) hash.update(chunk);
  return hash.digest();
}

function noDuckdb(): TieupError {
  return new TieupError('TIEUP_E_NOT_FOUND', 'DuckDB, which keeps hits so that they can be queried, is not installed', {
    hint: 'npm install @duckdb/node-api; what was pulled stays verified and kept until then',
  });
}
