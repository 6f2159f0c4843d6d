/** Processes that die before a system call that changes something, on copies of a partner site. */
import type { PartnerSite } from '../../src/partner-site/partner-site.ts';
import { Crash } from './crash-tree.ts';
import type { OpenOptions, PartnerFixture } from './partner-fixture.ts';

export type Work = (site: PartnerSite) => Promise<unknown>;

/** Every system call that changes something while `work` runs on a copy, in order. */
export async function changesOf(
  ready: PartnerFixture,
  work: Work,
  options: OpenOptions = {},
): Promise<readonly string[]> {
  const steps: string[] = [];
  await work(await (await ready.copy()).open({ ...options, beforeStep: (step) => void steps.push(step) }));
  return steps;
}

/** Runs `work` on a copy and lets it die before its `last`-th step; everything that follows dies as well. */
export async function killedAt(
  ready: PartnerFixture,
  work: Work,
  last: number,
  options: OpenOptions = {},
): Promise<PartnerFixture> {
  const shop = await ready.copy();
  let steps = 0;
  const beforeStep = (step: string): void => {
    steps += 1;
    if (steps >= last) throw new Crash(step);
  };
  const ended = await work(await shop.open({ ...options, beforeStep })).catch((error: unknown) => error);
  const reasons: unknown[] = [];
  for (let each = ended; each instanceof Error; each = each.cause) reasons.push(each);
  if (!reasons.some((reason) => reason instanceof Crash))
    throw new Error(`step ${last} did not crash`, { cause: ended });
  return shop;
}
