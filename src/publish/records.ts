/**
 * What tieup remembers of its publications, in the state folder:
 *
 *     publications/<n>.json        what was published, from which release, when
 *     published/<n>.ledger         which files of that tree were tieup's own
 *     published/<n>.SHA256SUMS     the same for `sha256sum -c`
 *     published/<n>.settled        link mode: what of the partner's own it took over from the tree before; see settled.ts
 *     live.json                    which publication is live (overwrite mode; in link mode the link itself says it)
 *     held.json                    the manager went back and holds it
 *
 * A ledger belongs to its publication, so that the ledger in force changes in the very step in which the tree does.
 */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { EMPTY_LEDGER, type Ledger, type LedgerEntry, MAX_LEDGER, parseLedger, renderLedger } from '../merge/ledger.ts';
import type { PageCounts } from '../protocol/receipt.ts';
import type { Layout, Ports } from './ports.ts';

export interface PublicationRecord {
  /** Rises with every publication, never used twice. */
  readonly number: number;
  /** ISO 8601 UTC. */
  readonly time: string;
  readonly how: 'overwrite' | 'link';
  readonly mount: string;
  /** null when no tie-up page is live. */
  readonly release: { readonly number: number; readonly digest: string } | null;
  /** Digest of the decision that this carries out; null when there is none. */
  readonly decision: string | null;
  /** The earlier publication that this one restores; null for a publication of its own. */
  readonly restores: number | null;
  readonly pages: PageCounts;
  /** Files that tieup put there. */
  readonly files: number;
  /** SHA-256 of `published/<n>.SHA256SUMS`. */
  readonly sums: string;
  /** HTML files of the release that are redirects, not pages. */
  readonly redirects: readonly string[];
  /** Files of the release before that stay beside this one; see merge/earlier-assets.ts. */
  readonly earlier: readonly string[];
  /** Folders in the web root that tieup made (overwrite mode). */
  readonly folders: readonly string[];
}

export interface Held {
  /** The publication that is held live. */
  readonly publication: number;
  readonly since: string;
}

/** What is live, with the ledger that is in force. */
export interface Live {
  /** 0 before the first publication. */
  readonly number: number;
  readonly record: PublicationRecord | undefined;
  readonly ledger: Ledger;
}

const MAX_RECORD = 16 * 1024 * 1024;
const number = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const count = z.number().int().min(0);
const digest = z.string().regex(/^[0-9a-f]{64}$/);

const recordSchema: z.ZodType<PublicationRecord> = z.strictObject({
  number,
  time: z.string(),
  how: z.enum(['overwrite', 'link']),
  mount: z.string(),
  release: z.strictObject({ number, digest }).nullable(),
  decision: digest.nullable(),
  restores: number.nullable(),
  pages: z.strictObject({ tieUp: count, original: count }),
  files: count,
  sums: digest,
  redirects: z.array(z.string()),
  earlier: z.array(z.string()).default([]),
  folders: z.array(z.string()),
});
const heldSchema: z.ZodType<Held> = z.strictObject({ publication: number, since: z.string() });
const liveSchema = z.strictObject({ publication: number });

const RECORDS = 'publications';
const HELD = 'held.json';
const LIVE = 'live.json';

/** @throws TIEUP_E_CONFLICT when the web root is not what the way of publishing needs. */
export async function readLive(ports: Ports, layout: Layout): Promise<Live> {
  const current = await liveNumber(ports, layout);
  if (current === 0) return { number: 0, record: undefined, ledger: EMPTY_LEDGER };
  return {
    number: current,
    record: await readRecord(ports.state, current),
    ledger: await readLedger(ports.state, current),
  };
}

/** The number of the publication that is live; 0 when there is none. */
export async function liveNumber(ports: Ports, layout: Layout): Promise<number> {
  const { publicName, treesName } = layout;
  const root = await ports.web.stat(publicName);
  if (layout.how === 'overwrite') {
    if (root === undefined || root.kind === 'folder') {
      return (await readJson(ports.state, LIVE, liveSchema))?.publication ?? 0;
    }
    throw new TieupError('TIEUP_E_CONFLICT', `the web root ${JSON.stringify(publicName)} is not a folder`, {
      hint: `publish: overwrite needs a real folder; replace the ${root.kind} by a copy of what it shows, or set publish: link`,
    });
  }
  if (root === undefined) return 0;
  if (root.kind !== 'link') {
    throw new TieupError('TIEUP_E_CONFLICT', `the web root ${JSON.stringify(publicName)} is a real ${root.kind}`, {
      hint: 'publish: link needs a link there; move its content into the original folder and rename the old folder, or set publish: overwrite',
    });
  }
  const target = await ports.web.readLink(publicName);
  const [, name, digits] = /^(.+)\/([1-9]\d{0,14})$/.exec(target) ?? [];
  if (name === treesName) return Number(digits);
  throw new TieupError(
    'TIEUP_E_CONFLICT',
    `the link ${JSON.stringify(publicName)} points to ${JSON.stringify(target)}, which is not a tree of tieup's`,
    {
      hint: `move what it shows into the original folder and remove the link`,
    },
  );
}

export async function writeLiveNumber(state: FileTree, publication: number): Promise<void> {
  await writeJson(state, LIVE, { publication });
}

/** One more than every number that was ever used. */
export async function nextNumber(ports: Ports, layout: Layout): Promise<number> {
  const used = [
    await liveNumber(ports, layout),
    ...(await publicationNumbers(ports.state)),
    ...(await treeNumbers(ports.web, layout)),
  ];
  return Math.max(...used) + 1;
}

/** Ascending. */
export async function publicationNumbers(state: FileTree): Promise<readonly number[]> {
  return numbersIn(await state.list(RECORDS), /^([1-9]\d{0,14})\.json$/);
}

/** The trees that are there in link mode, ascending. */
export async function treeNumbers(web: FileTree, layout: Layout): Promise<readonly number[]> {
  return layout.how === 'link' ? numbersIn(await web.list(layout.treesName), /^([1-9]\d{0,14})$/) : [];
}

/** The numbers in the names that match `pattern`, ascending. */
export function numbersIn(entries: readonly { readonly name: string }[], pattern: RegExp): readonly number[] {
  return entries
    .flatMap(({ name }) => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** Every publication, the newest first. */
export async function history(ports: Ports): Promise<readonly PublicationRecord[]> {
  const records: PublicationRecord[] = [];
  for (const each of (await publicationNumbers(ports.state)).toReversed()) {
    const record = await readRecord(ports.state, each);
    if (record !== undefined) records.push(record);
  }
  return records;
}

export function readRecord(state: FileTree, publication: number): Promise<PublicationRecord | undefined> {
  return readJson(state, recordPath(publication), recordSchema);
}

/** @throws TIEUP_E_VERIFY when it is damaged; a lost ledger owns nothing. */
export async function readLedger(state: FileTree, publication: number): Promise<Ledger> {
  const path = ledgerPath(publication);
  const bytes = await readIfThere(state, path, MAX_LEDGER);
  return bytes === undefined ? EMPTY_LEDGER : parseLedger(bytes, path);
}

/** The files of the partner's own which publication `number` moved along or was told to give up; see settled.ts. */
export async function readSettled(state: FileTree, publication: number): Promise<Iterable<LedgerEntry>> {
  const path = settledPath(publication);
  const bytes = await readIfThere(state, path, MAX_LEDGER);
  return bytes === undefined ? [] : parseLedger(bytes, path).entries.values();
}

/** Ledger and sums first, the record last: a publication that has a record has everything. */
export async function writeRecord(
  state: FileTree,
  record: PublicationRecord,
  files: { readonly ledger: Uint8Array; readonly sums: Uint8Array },
  settled: readonly LedgerEntry[] = [],
): Promise<void> {
  if (settled.length > 0) await state.write(settledPath(record.number), renderLedger(null, settled));
  await state.write(ledgerPath(record.number), files.ledger);
  await state.write(sumsPath(record.number), files.sums);
  await writeJson(state, recordPath(record.number), record);
}

/** The record first, so that what is half removed has none. */
export async function removeRecord(state: FileTree, publication: number): Promise<void> {
  const record = recordPath(publication);
  await state.remove(record);
  await state.sync([record]);
  for (const path of [sumsPath(publication), ledgerPath(publication), settledPath(publication)])
    await state.remove(path);
}

function recordPath(publication: number): string {
  return `${RECORDS}/${publication}.json`;
}

function settledPath(publication: number): string {
  return `published/${publication}.settled`;
}

function ledgerPath(publication: number): string {
  return `published/${publication}.ledger`;
}

/** Where in the state folder the sums of a publication are. */
export function sumsPath(publication: number): string {
  return `published/${publication}.SHA256SUMS`;
}

export function readHeld(state: FileTree): Promise<Held | undefined> {
  return readJson(state, HELD, heldSchema);
}

export async function writeHeld(state: FileTree, held: Held): Promise<void> {
  await writeJson(state, HELD, held);
}

/** Ends a hold, so that the next release can be published again; false when nothing was held. */
export async function resume(ports: Ports): Promise<boolean> {
  const held = await readHeld(ports.state);
  await ports.state.remove(HELD);
  await ports.state.sync([HELD]);
  return held !== undefined;
}

/** @throws TIEUP_E_VERIFY when a state file is not what tieup wrote. */
export async function readJson<T>(
  state: FileTree,
  path: string,
  schema: z.ZodType<T>,
  max = MAX_RECORD,
): Promise<T | undefined> {
  const bytes = await readIfThere(state, path, max);
  if (bytes === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', `${path} in the state folder is damaged`, { cause });
  }
  const decoded = schema.safeParse(value);
  if (decoded.success) return decoded.data;
  throw new TieupError('TIEUP_E_VERIFY', `${path} in the state folder is damaged`, { cause: decoded.error });
}

export async function writeJson(state: FileTree, path: string, value: unknown): Promise<void> {
  await state.write(path, new TextEncoder().encode(`${JSON.stringify(value)}\n`));
}
