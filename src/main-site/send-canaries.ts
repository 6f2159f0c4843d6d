/**
 * Visits tie-up pages of partners as any visitor would, and keeps secret which visits those were: `pull-logs.ts` misses them when
 * they are not in log T.
 */
import type { Partnership } from '../config/partnership.ts';
import { isTieupError, TieupError } from '../errors.ts';
import { instant } from '../protocol/instant.ts';
import type { ReleaseFile } from '../protocol/release.ts';
import { browserAgent } from './browser-agents.ts';
import { recall } from './learn-remote.ts';
import { type Canary, readCanaries, writeCanaries } from './logs/canaries.ts';
import { withLogLock } from './logs/log-lock.ts';
import { readPins } from './logs/log-records.ts';
import { ownPathsNow } from './logs/switches.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerships } from './partnerships.ts';

export type CanaryResult =
  | { readonly kind: 'sent'; readonly partner: string; readonly sent: number; readonly unexpected: readonly string[] }
  /** No page of this partner was pushed yet. */
  | { readonly kind: 'no-pages'; readonly partner: string }
  | { readonly kind: 'failed'; readonly partner: string; readonly error: TieupError };

const REFERRERS = [null, null, 'https://www.google.com/', 'https://duckduckgo.com/', 'https://www.bing.com/'];

/** @param each how many visits to each partner */
export async function sendCanaries(
  site: MainSite,
  partners: readonly string[],
  each: number,
): Promise<readonly CanaryResult[]> {
  const results: CanaryResult[] = [];
  for (const partnership of await loadPartnerships(site, partners)) {
    if (partnership.keys === null && partners.length === 0) continue;
    results.push(await visitOrReport(site, partnership, each));
  }
  return results;
}

async function visitOrReport(site: MainSite, partnership: Partnership, each: number): Promise<CanaryResult> {
  const partner = partnership.id;
  try {
    const own = await ownPathsNow(site, partner, await readPins(site, partner));
    const files = (await recall(site, partner))?.base.release.files ?? [];
    const pages = files.filter(({ page }) => page !== undefined);
    if (pages.length === 0) return { kind: 'no-pages', partner };
    const unexpected: string[] = [];
    let sent = 0;
    for (let visit = 0; visit < each; visit += 1) {
      const page = oneOf(site, pages);
      // A visit that could not be recorded would be billed.
      const canary = await withLogLock(site, partner, async () => {
        const made = await visitPage(site, partnership, page);
        if (!isTest(made, own)) return made;
        await writeCanaries(site, partner, [...(await readCanaries(site, partner)), made]);
        return made;
      });
      if (isTest(canary, own)) sent += 1;
      else unexpected.push(whyNot(canary));
    }
    return { kind: 'sent', partner, sent, unexpected };
  } catch (error) {
    if (!isTieupError(error)) throw error;
    return { kind: 'failed', partner, error };
  }
}

/**
 * What is not live is no test of the log: a withheld page, or a release that nobody has accepted yet. Where the partner says that a page is
 * its own, only one that is the release's to the byte is.
 */
function isTest({ status, page, isOurs }: Canary, own: ReadonlySet<string>): boolean {
  return status === 200 && (isOurs || !own.has(page));
}

function whyNot({ page, status }: Canary): string {
  return status === 200 ? `${page} is the partner's own, as it says` : `${page} was answered with ${status}`;
}

async function visitPage(site: MainSite, { url }: Partnership, { path: page, digest }: ReleaseFile): Promise<Canary> {
  // As links and visitors have it: who asks for index.html by its name would be told from everybody else.
  const linked = page.replace(/(^|\/)index\.html$/, '$1');
  const address = new URL(linked.split('/').map(encodeURIComponent).join('/'), url);
  const agent = browserAgent((values) => oneOf(site, values), site.clock.now());
  const referrer = oneOf(site, REFERRERS);
  const answer = await site.visit({
    url: address.href,
    headers: {
      'User-Agent': agent,
      Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      'Accept-Language': 'en-US,en;q=0.5',
      'Accept-Encoding': 'gzip, deflate, br',
      ...(referrer === null ? {} : { Referer: referrer }),
    },
  });
  const { status } = answer;
  return {
    at: instant(site.clock.now()),
    page,
    agent,
    referrer,
    status,
    isOurs: answer.digest === digest,
    found: null,
  };
}

/** Drawn with the site's own random numbers, so that nobody can guess it. */
function oneOf<Value>(site: MainSite, values: readonly Value[]): Value {
  const [high = 0, middle = 0, low = 0, lowest = 0] = site.random(4);
  const drawn = (high * 2 ** 24 + middle * 2 ** 16 + low * 2 ** 8 + lowest) % values.length;
  const value = values[drawn];
  if (value === undefined) throw new TieupError('TIEUP_E_FAILED', 'there is nothing to draw from');
  return value;
}
