/** Joins what several machines found, each for its share of the partners: the `--json` documents of `tieup status` and `tieup push`. */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { PARTNER_ID } from '../protocol/names.ts';
import { STATES } from './partner-state.ts';
import { worstFirst, type StatusRow } from './status.ts';

export const MAX_RESULT = 256 * 1024 * 1024;

const partner = z.string().regex(PARTNER_ID);
const text = z.string().max(20_000).nullable();
const number = z.int().min(0).nullable();

// Later versions may say more: that is passed by.
const statusSchema = z.object({
  schema: z.literal('tieup.status/v1'),
  partners: z.array(
    z.object({
      partner,
      state: z.enum(STATES),
      pushed: number,
      pushedAt: text.default(null),
      live: number,
      detail: text,
      lastContact: text,
      next: text.default(null),
      refreshed: z.boolean().default(true),
      warnings: z.array(z.string()).default([]),
    }),
  ),
});

/** What the machine that pushed knew of it. */
const standing = { state: z.enum(STATES).optional(), detail: text.default(null), live: number.default(null) };

const pushSchema = z.object({
  schema: z.literal('tieup.push/v1'),
  partners: z.array(
    z.object({
      partner,
      result: z.enum(['pushed', 'repaired', 'unchanged', 'failed']),
      release: z.int().optional(),
      ...standing,
      answer: z.enum(['live', 'rejected', 'failed', 'waited-too-long']).optional(),
      error: z.object({ message: z.string() }).optional(),
    }),
  ),
  heldBack: z.array(partner).default([]),
  passedOver: z
    .array(z.object({ partner, why: z.string().max(20_000), pushed: number.default(null), ...standing }))
    .default([]),
});

const errorSchema = z.object({ schema: z.literal('tieup.error/v1'), message: z.string().max(20_000) });

const resultSchema = z.union([statusSchema, pushSchema, errorSchema]);

export type ShardResult =
  | { readonly kind: 'rows'; readonly rows: readonly StatusRow[] }
  /** The machine whose file this is died, or failed as a whole: its partners are missing, unless another file has them. */
  | { readonly kind: 'failed'; readonly why: string };

/** As everything that is printed with --json begins. */
const BEGINNING = /^\{\s*"schema":\s*"tieup\.(?:status|push|error)\/v1"/;

/** @param name of the file, for the message. @throws TIEUP_E_USAGE unless it is such a document, or the beginning of one. */
export function parseShardResult(bytes: Uint8Array, name: string): ShardResult {
  const died = (how: string): ShardResult => {
    return { kind: 'failed', why: `${name} is ${how}: who should have written it did not end well` };
  };
  try {
    const written = new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim();
    // The shell of a job makes the file before tieup has anything to write.
    if (written === '') return died('empty');
    const document = parseJson(written);
    if (document === undefined && BEGINNING.test(written)) return died('cut short');
    const found = resultSchema.parse(document);
    switch (found.schema) {
      case 'tieup.error/v1':
        return { kind: 'failed', why: `${name} reports a failure: ${found.message}` };
      case 'tieup.status/v1':
        return { kind: 'rows', rows: found.partners };
      case 'tieup.push/v1':
        return {
          kind: 'rows',
          rows: [
            ...found.partners.map(rowOfPush),
            ...found.heldBack.map(rowOfHeldBack),
            ...found.passedOver.map(rowOfPassedOver),
          ],
        };
    }
  } catch (cause) {
    throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(name)} is no result of tieup status or tieup push`, {
      hint: 'write them with --json: tieup push --shard 1/20 --json > shard-1.json',
      cause,
    });
  }
}

/** Undefined for what is no JSON. */
function parseJson(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    return undefined;
  }
}

const NOTHING_KNOWN = { pushed: null, pushedAt: null, live: null, lastContact: null, next: null, warnings: [] };

type PushDocument = z.infer<typeof pushSchema>;

function rowOfPush({
  partner: id,
  result,
  release,
  state = 'pending',
  detail,
  live,
  answer,
  error,
}: PushDocument['partners'][number]): StatusRow {
  if (result === 'failed' || answer === 'failed') {
    const why = error?.message ?? null;
    return { ...NOTHING_KNOWN, partner: id, state: 'failed', detail: why, refreshed: false, next: `tieup push ${id}` };
  }
  return { ...NOTHING_KNOWN, partner: id, state, pushed: release ?? null, live, detail, refreshed: true };
}

function rowOfHeldBack(id: string): StatusRow {
  const detail = 'not pushed: it did not go well where it was tried first';
  return { ...NOTHING_KNOWN, partner: id, state: 'failed', detail, refreshed: false, next: `tieup push ${id}` };
}

/** The contract is not in force, or the pages are held: no failure. */
function rowOfPassedOver({
  partner: id,
  why,
  state,
  detail,
  pushed,
  live,
}: PushDocument['passedOver'][number]): StatusRow {
  const [known, refreshed] = state === undefined ? (['failed', false] as const) : [state, true];
  return { ...NOTHING_KNOWN, partner: id, state: known, pushed, live, detail: detail ?? why, refreshed };
}

/**
 * One row a partner, worst first; a partner that several documents have is what the last of them says.
 * @param expected everybody who should be in one of them: who is missing has failed, because a machine that died wrote nothing
 */
export function mergeStatus(
  results: readonly (readonly StatusRow[])[],
  expected: readonly string[],
): readonly StatusRow[] {
  const rows = new Map(results.flat().map((row) => [row.partner, row]));
  const missing = expected
    .filter((id) => !rows.has(id))
    .map((id): StatusRow => {
      return { ...rowOfHeldBack(id), detail: 'no machine reported on it' };
    });
  return [...rows.values(), ...missing].toSorted(worstFirst);
}
