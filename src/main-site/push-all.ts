/**
 * Pushes to many partners: a few at a time, each for itself. How one of them is reached is push.ts.
 */
import pLimit from 'p-limit';
import type { Partnership } from '../config/partnership.ts';
import type { CompiledSite } from '../content/compiled-site.ts';
import { TieupError, type Problem } from '../errors.ts';
import { loadSite } from './load-site.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerships, passOver, type PassedOver } from './partnerships.ts';
import { pushTo, type PushRequest, type PushResult } from './push.ts';
import { recordFailure } from './record.ts';

export interface Pushed {
  readonly results: readonly PushResult[];
  readonly passedOver: readonly PassedOver[];
  /** What is worth mending in the pages, such as links that lead nowhere; they were pushed all the same. */
  readonly warnings: readonly Problem[];
}

/**
 * Pushes to each partner; one that fails does not hold up the others. Where all would be passed over each is refused instead: a
 * push that reaches nobody is no success.
 * @throws when the site itself cannot be built.
 */
export async function pushAll(site: MainSite, request: PushRequest): Promise<Pushed> {
  const all = await loadPartnerships(site, request.partners);
  const { served, passedOver } = passOver(all, request.partners, site.clock.now());
  // The first partners are connected to while the pages are read.
  const compiling = loadSite(site, site.clock.now());
  compiling.catch(() => {});
  const limit = pLimit(request.concurrency);
  const partnerships = served.length === 0 ? all : served;
  const results = await Promise.all(
    partnerships.map((partnership) => limit(() => pushOrReport(site, compiling, partnership, request))),
  );
  const compiled = await compiling;
  return { results, passedOver: served.length === 0 ? [] : passedOver, warnings: compiled.warnings };
}

async function pushOrReport(
  site: MainSite,
  compiling: Promise<CompiledSite>,
  partnership: Partnership,
  request: PushRequest,
): Promise<PushResult> {
  try {
    return await pushTo(site, compiling, partnership, request);
  } catch (error) {
    // What is wrong with the site itself is no failure of a partner.
    await compiling;
    if (!(error instanceof TieupError)) throw error;
    await recordFailure(site, partnership.id, error);
    return { kind: 'failed', partner: partnership.id, error };
  }
}
