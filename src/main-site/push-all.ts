/**
 * Pushes to many partners: a few at a time, each for itself. How one of them is reached is push.ts.
 */
import pLimit from 'p-limit';
import type { Partnership } from '../config/partnership.ts';
import type { CompiledSite } from '../content/site.ts';
import { isTieupError, TieupError } from '../errors.ts';
import { loadSite } from './load-site.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerships, whyNotInForce } from './partnerships.ts';
import { pushTo, type PushRequest, type PushResult } from './push.ts';
import { recordFailure } from './record.ts';

/** Pushes to each partner; one that fails does not hold up the others. @throws when the site itself cannot be built. */
export async function pushAll(site: MainSite, request: PushRequest): Promise<readonly PushResult[]> {
  const partnerships = passOver(site, await loadPartnerships(site, request.partners), request);
  const compiled = await loadSite(site.config, site.files);
  const limit = pLimit(request.concurrency);
  return Promise.all(
    partnerships.map((partnership) => limit(() => pushOrReport(site, compiled, partnership, request))),
  );
}

/**
 * Who is named gets an answer, a refusal too; where nobody is named, partners who have not joined yet or whose contract is
 * not in force are passed over, unless there are no others.
 */
function passOver(
  site: MainSite,
  partnerships: readonly Partnership[],
  { partners, onProgress }: Pick<PushRequest, 'partners' | 'onProgress'>,
): readonly Partnership[] {
  if (partners.length > 0) return partnerships;
  const now = site.clock.now();
  const inForce = partnerships.filter((partnership) => whyNotInForce(partnership, now) === undefined);
  if (inForce.length === 0) return partnerships;
  for (const partnership of partnerships) {
    const why = whyNotInForce(partnership, now);
    if (why !== undefined) onProgress(partnership.id, { kind: 'passed-over', why: why.message });
  }
  return inForce;
}

async function pushOrReport(
  site: MainSite,
  compiled: CompiledSite,
  partnership: Partnership,
  request: PushRequest,
): Promise<PushResult> {
  try {
    return await pushTo(site, compiled, partnership, request);
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    // Another push is at work: that one will tell how it ended. And a contract that is not in force is no failure.
    if (!isTieupError(error, 'TIEUP_E_LOCKED', 'TIEUP_E_CONTRACT')) await recordFailure(site, partnership.id, error);
    return { kind: 'failed', partner: partnership.id, error };
  }
}
