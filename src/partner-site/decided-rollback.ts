/**
 * A rollback that was decided is carried out, if need be by the next command: the main site has the decision in its hands from
 * the moment at which it is signed.
 *
 *   intent → decision → switch → intent forgotten
 *
 * The intent names the publication, which the decision does not: one release can have been published more than once.
 */
import { z } from 'zod';
import { isTieupError } from '../errors.ts';
import type { Choices } from '../merge/choices.ts';
import { readHeld, readJson, readLive, writeJson } from '../publish/records.ts';
import { type Restored, rollbackTo } from '../publish/rollback.ts';
import { pathChoicesSchema, readChoices, writeChoices } from './choices-file.ts';
import { lastDecision } from './decide.ts';
import type { PartnerSite } from './partner-site.ts';

export interface RollbackIntent {
  readonly publication: number;
  /** What the manager chose for it about single paths; remembered with the others once it is decided. */
  readonly choices: Choices['paths'];
}

interface Intent extends RollbackIntent {
  /** Digest of the decision before the one to come; null when there is none. */
  readonly after: string | null;
}

const FILE = 'rollback.json';
const intentSchema: z.ZodType<Intent> = z.strictObject({
  publication: z.number().int().min(1),
  choices: pathChoicesSchema,
  after: z.string().nullable(),
});

/** Comes before the decision; without one it means nothing. */
export async function intendRollback(site: PartnerSite, { publication, choices }: RollbackIntent): Promise<void> {
  const after = (await lastDecision(site))?.digest ?? null;
  await writeJson(site.state, FILE, { publication, choices, after } satisfies Intent);
}

/** @throws as {@link rollbackTo}; the intent then stands, unless trying again cannot help. */
export async function carryOutRollback(
  site: PartnerSite,
  { publication, choices: added }: RollbackIntent,
  decision: string,
): Promise<Restored> {
  let restored: Restored;
  try {
    const choices = addChoices(await readChoices(site), added);
    if (Object.keys(added).length > 0) await writeChoices(site, choices);
    restored = await rollbackTo(site.ports, site.layout, publication, {
      decisionDigest: decision,
      now: site.clock.now(),
      choices,
    });
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_CONFLICT', 'TIEUP_E_DRIFT', 'TIEUP_E_NOT_FOUND', 'TIEUP_E_VERIFY'))
      await forget(site);
    throw error;
  }
  await forget(site);
  return restored;
}

/** `added` beside those that are remembered, and instead of them where both name a path. */
export function addChoices({ withheld, paths }: Choices, added: Choices['paths']): Choices {
  return { withheld, paths: { ...paths, ...added } };
}

/** Carries out what a crash left undone; the number of the publication that is now held, undefined when there was nothing to do. */
export async function finishRollback(site: PartnerSite): Promise<number | undefined> {
  const intent = await readJson(site.state, FILE, intentSchema);
  if (intent === undefined) return undefined;
  const last = await lastDecision(site);
  const isDecided = last?.decision.verdict === 'rollback' && last.decision.previous === intent.after;
  if (!isDecided || (await isHeldAs(site, intent.publication, last.digest))) {
    await forget(site);
    return undefined;
  }
  await carryOutRollback(site, intent, last.digest);
  return intent.publication;
}

async function isHeldAs(site: PartnerSite, publication: number, decision: string): Promise<boolean> {
  const held = await readHeld(site.ports.state);
  if (held === undefined) return false;
  if (held.publication === publication) return true;
  const { record } = await readLive(site.ports, site.layout);
  return record?.number === held.publication && record.decision === decision;
}

async function forget(site: PartnerSite): Promise<void> {
  await site.state.remove(FILE);
  await site.state.sync([FILE]);
}
