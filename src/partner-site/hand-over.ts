/**
 * Where the main site carries out what is decided here (`publisher: main`): it is shown what the decision was made on, and what is
 * live is believed only when it is what was decided.
 */
import { TieupError } from '../errors.ts';
import { isHtml } from '../merge/file-nature.ts';
import type { MergePlan } from '../merge/plan.ts';
import { sha256 } from '../protocol/digest.ts';
import { OUTBOX_MERGE } from '../protocol/exchange.ts';
import type { PageCounts, ReceiptState } from '../protocol/receipt.ts';
import { renderSums } from '../protocol/sums.ts';
import { lookAround } from '../publish/look.ts';
import { treePathOf } from '../publish/ports.ts';
import { type PublicationRecord, readLedger } from '../publish/records.ts';
import { verifyLive } from '../publish/verify.ts';
import { readAccepted } from './accepted-release.ts';
import { readChoices } from './choices-file.ts';
import { decisionToLeave, readLeft } from './left.ts';
import type { PartnerSite } from './partner-site.ts';
import { planSite } from './plan-site.ts';

/** Puts the choices and the contents of slots into the outbox; before the decision that names them is shown. */
export async function showMerge(site: PartnerSite, plan: MergePlan): Promise<void> {
  if (site.publisher !== 'main') return;
  for (const [digest, length] of contentsOf(plan))
    await site.exchange.write(`${OUTBOX_MERGE}/${digest}`, await site.objects.read(digest, length));
  await site.exchange.write(`${OUTBOX_MERGE}/${plan.mergeDigest}.txt`, Buffer.from(plan.mergeText));
}

/** Removes what earlier decisions needed; the digests of what this one needs. */
export async function forgetEarlierMerges(site: PartnerSite, plan: MergePlan): Promise<Iterable<string>> {
  const contents = contentsOf(plan);
  const needed = new Set([...contents.keys(), `${plan.mergeDigest}.txt`]);
  for (const { name } of await site.exchange.list(OUTBOX_MERGE))
    if (!needed.has(name)) await site.exchange.remove(`${OUTBOX_MERGE}/${name}`);
  return contents.keys();
}

/** What fills slots, and files of the partner's wish outside the mount: by digest, with lengths. */
function contentsOf({ entries }: MergePlan): ReadonlyMap<string, number> {
  const contents = new Map<string, number>();
  for (const { from, release } of entries) {
    if (from.kind !== 'object') continue;
    for (const { digest, contentLength } of from.splices) contents.set(digest, contentLength);
    if (release === 0) contents.set(from.digest, from.length);
  }
  return contents;
}

/**
 * What records say that the main site can write is signed only where this side knows it by itself: the pages that are live then,
 * counted here; undefined where it is not what was decided on.
 */
export async function ownWord(
  site: PartnerSite,
  record: PublicationRecord,
  state: ReceiptState,
): Promise<PageCounts | undefined> {
  // Going back is not possible where the main site publishes.
  if (state === 'held') return undefined;
  if (state === 'live') return pagesAsDecided(site, record);
  const left = await readLeft(site);
  const hasLeft = left !== undefined && (await decisionToLeave(site, left))?.digest === record.decision;
  return hasLeft ? { tieUp: 0, original: (await liveHtml(site, record)).length } : undefined;
}

/**
 * Whether the main site has published exactly what was decided on last: nobody but the keys of this side is believed, and the
 * records of what was published are the main site's.
 */
async function pagesAsDecided(site: PartnerSite, record: PublicationRecord): Promise<PageCounts | undefined> {
  const accepted = await readAccepted(site);
  if (accepted === undefined || record.release?.digest !== accepted.releaseDigest) return undefined;
  if (record.release.number !== accepted.release.release || record.decision !== accepted.decision) return undefined;
  const { entries } = await readLedger(site.ports.state, record.number);
  if (sha256(renderSums([...entries.values()])) !== record.sums) return undefined;
  const { plan } = await planSite(site, accepted, await readChoices(site));
  if (otherThan(site, plan).length > 0) return undefined;
  if ((await verifyLive(site.ports, site.layout)).some(({ kind }) => kind !== 'extra')) return undefined;
  const html = await liveHtml(site, record);
  const redirects = new Set(plan.redirects);
  const { tieUp } = plan.counts;
  return { tieUp, original: html.filter((path) => !redirects.has(path)).length - tieUp };
}

async function liveHtml({ ports, layout }: PartnerSite, { number }: PublicationRecord): Promise<readonly string[]> {
  const seen = await lookAround(ports.web, treePathOf(layout, number));
  return seen.flatMap(({ path, kind }) => (kind !== 'folder' && isHtml(path) ? [path] : []));
}

/** Paths at which something else is live than what was decided on last; of the release and of what is removed. */
export function otherThan({ ports, layout }: PartnerSite, plan: MergePlan): readonly string[] {
  // A copy of a page of this side's own may have gone since; under the mount, and where pages are not copied, there is none.
  const isTheirs = (each: MergePlan['removals'][number]): boolean =>
    !each.original || ports.original === undefined || `/${each.path}`.startsWith(layout.mount);
  const decided = plan.entries.filter(({ from }) => from.kind === 'object');
  return [
    ...decided.filter(({ digest, before }) => before?.digest !== digest).map(({ path }) => path),
    ...plan.removals.filter(isTheirs).map(({ path }) => path),
    ...plan.conflicts.map(({ path }) => path),
  ];
}

/** @throws TIEUP_E_CONTRACT for a command that changes the live tree at once. */
export function refuseWhereMainPublishes(site: PartnerSite, what: string): void {
  if (site.publisher !== 'main') return;
  throw new TieupError('TIEUP_E_CONTRACT', `the main site publishes here, so ${what} is not possible`, {
    hint: 'ask the main site for a release with the old pages, withhold single pages, or tieup leave',
  });
}
