/**
 * Splits partners over machines that know nothing of each other: each works for the partners whose id hashes to its number.
 * A partner that comes or goes moves no other.
 */
import { TieupError } from '../errors.ts';
import { sha256 } from './digest.ts';

export interface Shard {
  /** 1 for the first. */
  readonly index: number;
  readonly count: number;
}

const MAX_SHARDS = 10_000;

/** Reads `3/20`. @throws TIEUP_E_USAGE. */
export function parseShard(text: string): Shard {
  const [, index = 0, count = 0] = (/^([1-9]\d{0,4})\/([1-9]\d{0,4})$/.exec(text) ?? []).map(Number);
  if (index >= 1 && index <= count && count <= MAX_SHARDS) return { index, count };
  throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(text)} is not a share of the partners`, {
    hint: `write 1/20 for the first of twenty, at most ${MAX_SHARDS}`,
  });
}

/** Whether `partner` belongs to this share; exactly one of `1/n` … `n/n` has it, today and on every machine. */
export function isInShard(partner: string, { index, count }: Shard): boolean {
  return Number(BigInt(`0x${sha256(Buffer.from(partner)).slice(0, 16)}`) % BigInt(count)) === index - 1;
}
