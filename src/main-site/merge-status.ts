/** Joins what several machines found, each for its share of the partners: the `--json` documents of `tieup status` and `tieup push`. */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { PARTNER_ID } from '../protocol/names.ts';
import { STATES, type PartnerState } from './partner-state.ts';
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

const pushSchema = z.object({
  schema: z.literal('tieup.push/v1'),
  partners: z.array(
    z.object({
      partner,
      result: z.enum(['pushed', 'repaired', 'unchanged', 'failed']),
      release: z.int().optional(),
      answer: z.enum(['live', 'rejected', 'failed', 'waited-too-long']).optional(),
      reason: text.optional(),
      error: z.object({ message: z.string() }).optional(),
    }),
  ),
  heldBack: z.array(partner).default([]),
});

const resultSchema = z.union([statusSchema, pushSchema]);

/** @param name of the file, for the message. @throws TIEUP_E_USAGE unless it is such a document. */
export function parseShardResult(bytes: Uint8Array, name: string): readonly StatusRow[] {
  try {
    const found = resultSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
    if (found.schema === 'tieup.status/v1') return found.partners;
    return [...found.partners.map(rowOfPush), ...found.heldBack.map(rowOfHeldBack)];
  } catch (cause) {
    throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(name)} is no result of tieup status or tieup push`, {
      hint: 'write them with --json: tieup push --shard 1/20 --json > shard-1.json',
      cause,
    });
  }
}

const NOTHING_KNOWN = { pushed: null, pushedAt: null, live: null, lastContact: null, next: null, warnings: [] };

function rowOfPush({
  partner: id,
  result,
  release,
  answer,
  reason,
  error,
}: z.infer<typeof pushSchema>['partners'][number]): StatusRow {
  if (result === 'failed') {
    const detail = error?.message ?? null;
    return { ...NOTHING_KNOWN, partner: id, state: 'failed', detail, refreshed: false, next: `tieup push ${id}` };
  }
  const state: PartnerState = answer === undefined || answer === 'waited-too-long' ? 'pending' : answer;
  const pushed = release ?? null;
  const live = state === 'live' ? pushed : null;
  return { ...NOTHING_KNOWN, partner: id, state, pushed, live, detail: reason ?? null, refreshed: true };
}

function rowOfHeldBack(id: string): StatusRow {
  const detail = 'not pushed: it did not go well where it was tried first';
  return { ...NOTHING_KNOWN, partner: id, state: 'failed', detail, refreshed: false, next: `tieup push ${id}` };
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
