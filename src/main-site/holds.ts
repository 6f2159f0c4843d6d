/**
 * Keeps pages that a rollback brought back from being replaced by the next push: `.tieup/partners/<id>/held.json`, of this
 * machine. Losing it lets the next push bring the pages of now.
 */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { isInstant } from '../protocol/instant.ts';
import type { Partnership } from '../config/partnership.ts';
import { cachePath, type MainSite } from './main-site.ts';
import type { PassedOver, passOver } from './in-force.ts';
import type { PushResult } from './push.ts';

export interface Hold {
  /** Number of the release that went back. */
  readonly release: number;
  /** Whose pages it has. */
  readonly to: number;
  /** ISO 8601 UTC. */
  readonly since: string;
}

const MAX_LENGTH = 4096;
const schema: z.ZodType<Hold> = z.strictObject({
  release: z.int().min(1),
  to: z.int().min(1),
  since: z.string().refine(isInstant),
});

/** Undefined where nothing is held. @throws TIEUP_E_FAILED when the file is damaged: what it held must not be pushed over. */
export async function readHold({ files }: Pick<MainSite, 'files'>, partner: string): Promise<Hold | undefined> {
  const path = holdPath(partner);
  const bytes = await readIfThere(files, path, MAX_LENGTH);
  if (bytes === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new TieupError('TIEUP_E_FAILED', `${path} is damaged`, { cause, hint: `tieup partner resume ${partner}` });
  }
}

export async function keepHold({ files }: Pick<MainSite, 'files'>, partner: string, hold: Hold): Promise<void> {
  await files.write(holdPath(partner), Buffer.from(`${JSON.stringify(hold)}\n`));
}

/**
 * Holds what `push` is about to bring, from before it is there: no other push must undo it because this one was killed in between.
 * Where it surely was not brought, what was held before is held on.
 */
export async function holding(
  site: Pick<MainSite, 'files'>,
  partner: string,
  hold: Hold,
  push: () => Promise<PushResult>,
): Promise<PushResult> {
  const before = await readHold(site, partner);
  const putBack = () => (before === undefined ? endHold(site, partner) : keepHold(site, partner, before));
  await keepHold(site, partner, hold);
  let result: PushResult;
  try {
    result = await push();
  } catch (error) {
    await putBack();
    throw error;
  }
  if (result.kind !== 'failed') await keepHold(site, partner, { ...hold, release: result.release });
  else if (result.mayBeThere !== true) await putBack();
  return result;
}

/** Whether something was held. */
export async function endHold({ files }: Pick<MainSite, 'files'>, partner: string): Promise<boolean> {
  if ((await files.stat(holdPath(partner))) === undefined) return false;
  await files.remove(holdPath(partner));
  return true;
}

type Chosen = ReturnType<typeof passOver<Partnership>>;

/** Of those whose contract is in force; as {@link passOver}, whoever is named gets an answer. */
export async function passOverHeld(
  site: Pick<MainSite, 'files'>,
  { served, passedOver }: Chosen,
  named: readonly string[],
): Promise<Chosen> {
  if (named.length > 0) return { served, passedOver };
  const goOn: Partnership[] = [];
  const held: PassedOver[] = [];
  for (const partnership of served) {
    const hold = await readHold(site, partnership.id);
    if (hold === undefined) goOn.push(partnership);
    else held.push({ partner: partnership.id, why: heldText(partnership.id, hold) });
  }
  return { served: goOn, passedOver: [...passedOver, ...held] };
}

/** Why nothing is pushed. */
export function heldText(partner: string, { to, since }: Hold): string {
  return `${partner} holds the pages of release ${to} since the rollback on ${since.slice(0, 10)}: tieup partner resume ${partner}`;
}

/** @throws TIEUP_E_HELD */
export async function assertNotHeld(site: Pick<MainSite, 'files'>, partner: string): Promise<void> {
  const hold = await readHold(site, partner);
  if (hold === undefined) return;
  throw new TieupError('TIEUP_E_HELD', heldText(partner, hold), {
    hint: `nothing was pushed; mend the pages in your folders, then run tieup partner resume ${partner}, and push`,
  });
}

function holdPath(partner: string): string {
  return cachePath(partner, 'held.json');
}
