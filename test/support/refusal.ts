/** What a refused `accept` says, and that it left everything as it was. */
import { expect } from 'vitest';
import { type ErrorCode, isTieupError, type TieupError } from '../../src/errors.ts';
import { accept, type Answering } from '../../src/partner-site/accept.ts';
import { type OpenOptions, type PartnerFixture, saying } from './partner-fixture.ts';
import { changedPaths, OBJECTS } from './snapshot.ts';

export interface Refused {
  readonly code: ErrorCode;
  readonly error: TieupError;
  /** Everything that was found, one line a problem. */
  readonly problems: readonly string[];
}

/**
 * Runs `work`, which must be refused and must change nothing in the partner's folder: not what is live, not what it trusts, not
 * what it answered.
 */
export async function refusalOf(
  shop: PartnerFixture,
  work: () => Promise<unknown>,
  ignore = OBJECTS,
): Promise<Refused> {
  const before = await shop.snapshot();
  const error: unknown = await work().then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  if (!isTieupError(error)) throw error ?? new Error('it was not refused');
  expect(changedPaths(before, await shop.snapshot(), ignore)).toEqual([]);
  return { code: error.code, error, problems: error.problems.map(({ message }) => message) };
}

/** The refusal of an `accept` in which the manager would say yes to anything. */
export async function refusedAccept(
  shop: PartnerFixture,
  options: OpenOptions = {},
  answering: Answering = saying(true),
): Promise<Refused> {
  return refusalOf(shop, async () => accept(await shop.open(options), { answering, choices: {} }));
}
