/** Holds a saved plan against the world before anything is pushed by it: what somebody looked at is pushed, or nothing is. */
import pLimit from 'p-limit';
import type { Partnership } from '../config/partnership.ts';
import type { CompiledSite } from '../content/compiled-site.ts';
import { TieupError } from '../errors.ts';
import { withDeadline } from './deadline.ts';
import { assertInForce } from './in-force.ts';
import { judgeContent } from './judge-content.ts';
import type { RemoteState } from './learn-remote.ts';
import { loadSite } from './load-site.ts';
import type { MainSite } from './main-site.ts';
import { askRemote, nextRelease } from './plan.ts';
import { PLAN_AGAIN, whyOther, type PlannedPartner } from './plan-file.ts';
import { selectPartners, type Selection } from './select-partners.ts';

export interface Planned extends Omit<Selection, 'partners'> {
  readonly planned: ReadonlyMap<string, PlannedPartner>;
  readonly concurrency: number;
  readonly deadlineMs?: number | undefined;
}

/**
 * What a push would do now at each of the partners, of this share, is exactly what was planned, or was done by this plan before. One
 * that cannot be asked holds up nobody: the push to it fails, or finds under its lock whether it is as planned.
 * @throws TIEUP_E_DRIFT with every difference, TIEUP_E_CONTRACT, and whatever a push throws that is no matter of one partner
 */
export async function assertStillPlanned(site: MainSite, { planned, ...request }: Planned): Promise<void> {
  // Those that were planned are named, so that a contract which is over by now is a refusal and not passed over.
  const partnerships = await selectPartners(site, { ...request, partners: [...planned.keys()] });
  for (const partnership of partnerships) assertInForce(partnership, site.clock.now());
  const compiled = await loadSite(site, site.clock.now());
  const limit = pLimit(request.concurrency);
  const differences = await Promise.all(
    partnerships.map((partnership) => limit(() => differenceAt(site, compiled, partnership, { planned, ...request }))),
  );
  const problems = differences.flatMap((why) => (why === undefined ? [] : [{ message: why }]));
  if (problems.length === 0) return;
  throw new TieupError('TIEUP_E_DRIFT', 'the world is not what it was when this was planned', {
    problems,
    hint: PLAN_AGAIN,
  });
}

async function differenceAt(
  site: MainSite,
  compiled: CompiledSite,
  partnership: Partnership,
  { planned, deadlineMs }: Planned,
): Promise<string | undefined> {
  const expected = planned.get(partnership.id);
  let remote: RemoteState;
  try {
    remote = await withDeadline(site, partnership.id, deadlineMs, (limited) => askRemote(limited, partnership));
  } catch {
    // The push says why.
    return undefined;
  }
  const next = await nextRelease(site, compiled, partnership, remote);
  await judgeContent(site, partnership, next.plan, next.base);
  return expected === undefined ? undefined : whyOther(expected, next);
}
