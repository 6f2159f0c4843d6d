/**
 * Visits tie-up pages of partners as any visitor would, and keeps secret which visits those were: `pull-logs.ts` misses them when
 * they are not in log T.
 */
import type { Partnership } from '../config/partnership.ts';
import { isTieupError, TieupError } from '../errors.ts';
import { instant } from '../protocol/instant.ts';
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

/** What people use; a partner can see no more of a visit than its web server writes. */
const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36',
];

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
    // Where the partner has a page of its own, a visit proves nothing.
    const pages = files.filter(({ path, page }) => page !== undefined && !own.has(path));
    if (pages.length === 0) return { kind: 'no-pages', partner };
    const unexpected: string[] = [];
    let sent = 0;
    for (let visit = 0; visit < each; visit += 1) {
      const { path } = oneOf(site, pages);
      // A visit that could not be recorded would be billed.
      const status = await withLogLock(site, partner, async () => {
        const canary = await visitPage(site, partnership, path);
        if (canary.status === 200) await writeCanaries(site, partner, [...(await readCanaries(site, partner)), canary]);
        return canary.status;
      });
      // What is not live is no test of the log: a withheld page, or a release that nobody has accepted yet.
      if (status === 200) sent += 1;
      else unexpected.push(`${path} was answered with ${status}`);
    }
    return { kind: 'sent', partner, sent, unexpected };
  } catch (error) {
    if (!isTieupError(error)) throw error;
    return { kind: 'failed', partner, error };
  }
}

async function visitPage(site: MainSite, { url }: Partnership, page: string): Promise<Canary> {
  // As links and visitors have it: who asks for index.html by its name would be told from everybody else.
  const linked = page.replace(/(^|\/)index\.html$/, '$1');
  const address = new URL(linked.split('/').map(encodeURIComponent).join('/'), url);
  const agent = oneOf(site, AGENTS);
  const referrer = oneOf(site, REFERRERS);
  const status = await site.visit({
    url: address.href,
    headers: {
      'User-Agent': agent,
      Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      'Accept-Language': 'en-US,en;q=0.5',
      'Accept-Encoding': 'gzip, deflate, br',
      ...(referrer === null ? {} : { Referer: referrer }),
    },
  });
  return { at: instant(site.clock.now()), page, agent, referrer, status, found: null };
}

/** Drawn with the site's own random numbers, so that nobody can guess it. */
function oneOf<Value>(site: MainSite, values: readonly Value[]): Value {
  const [high = 0, middle = 0, low = 0, lowest = 0] = site.random(4);
  const drawn = (high * 2 ** 24 + middle * 2 ** 16 + low * 2 ** 8 + lowest) % values.length;
  const value = values[drawn];
  if (value === undefined) throw new TieupError('TIEUP_E_FAILED', 'there is nothing to draw from');
  return value;
}
