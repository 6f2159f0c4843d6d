/**
 * Pulls the partners' access logs, believes nothing that is not proved, and answers with a cosignature.
 *
 *   epoch → export verified and pinned (logs/take-export.ts) → cosigned → hits imported → sample demanded, the last one judged → canaries
 *
 * The other half of partner-site/export-logs.ts. A partner that fails does not hold up the others. Interrupted anywhere and run
 * again, nothing is lost or counted twice: what is pinned is what was verified, and a file is named after what it holds.
 */
import pLimit from 'p-limit';
import type { Partnership } from '../config/partnership.ts';
import { asTieupError, isTieupError, type TieupError } from '../errors.ts';
import type { HitStore } from '../io/hit-store.ts';
import { INBOX_LOGS } from '../protocol/exchange.ts';
import { noteSigner, type NoteSigner } from '../protocol/note.ts';
import { documentKeyName } from './invite.ts';
import { audit, type Audited } from './logs/audit.ts';
import { deducted, missingCanaries, readCanaries } from './logs/canaries.ts';
import { keepCommitments } from './logs/commitments.ts';
import { showCosigned } from './logs/cosigned.ts';
import type { LogExchange } from './logs/fetch-part.ts';
import { enterEpoch, type OpenedEpoch } from './logs/epochs.ts';
import { addFindings, type KeptFinding } from './logs/findings.ts';
import { commitHits, importKept } from './logs/import-kept.ts';
import { withLogLock } from './logs/log-lock.ts';
import { type Pins, readPins, type TreeName } from './logs/log-records.ts';
import { judgeSwitches } from './logs/judge-switches.ts';
import { keepLooked, lookNow, readLooked } from './logs/looked.ts';
import { readSwitches } from './logs/switches.ts';
import { takeExport, type TakenExport } from './logs/take-export.ts';
import type { MainSite } from './main-site.ts';
import { takeInKeys } from './partner-key-change.ts';
import { documentKey } from './partner-keys.ts';
import { loadPartnerships } from './partnerships.ts';
import { listInbox } from './inbox-content.ts';
import { removeAll } from './upload.ts';

export type PullResult =
  | ({
      /** `none`: nothing exported yet; `behind`: cosigned again, the partner's next export goes on from there. */
      readonly kind: TakenExport['kind'];
      readonly partner: string;
      readonly pins: Pins;
      readonly added: Readonly<Record<TreeName, number>>;
      /** The epoch that began with this pull; null when none did. */
      readonly epoch: OpenedEpoch | null;
    } & Looked)
  | { readonly kind: 'failed'; readonly partner: string; readonly error: TieupError };

/** What was done with what is pinned. */
interface Looked {
  /** New ones. */
  readonly findings: readonly KeptFinding[];
  readonly audit: Pick<Audited, 'shown' | 'demanded' | 'unjudged'>;
  /** Visits of the main site's own, by month, that are in log T: to be deducted. */
  readonly canaries: Readonly<Record<string, number>>;
  readonly imported: Imported;
}

export type Imported =
  | { readonly kind: 'imported'; readonly records: number }
  /** DuckDB is not installed. */
  | { readonly kind: 'off' }
  /** What was pulled stays pulled; the next pull or import tries again. */
  | { readonly kind: 'failed'; readonly error: TieupError };

export async function pullLogs(
  site: MainSite,
  partners: readonly string[],
  concurrency: number,
): Promise<readonly PullResult[]> {
  const partnerships = (await loadPartnerships(site, partners)).filter(
    ({ keys }) => keys !== null || partners.length > 0,
  );
  const signer = await logSigner(site);
  const limit = pLimit(concurrency);
  const hits = await site.hits();
  try {
    return await Promise.all(partnerships.map((each) => limit(() => pullOrReport(site, each, signer, hits))));
  } finally {
    await hits?.close();
  }
}

/** With what the main site cosigns and demands. */
export async function logSigner(site: MainSite): Promise<NoteSigner> {
  return noteSigner(documentKeyName(site), await site.keys.load(await documentKey(site.keys)));
}

async function pullOrReport(
  site: MainSite,
  partnership: Partnership,
  signer: NoteSigner,
  hits: HitStore | undefined,
): Promise<PullResult> {
  const partner = partnership.id;
  try {
    return await withLogLock(site, partner, async () => {
      const exchange = await site.connect(partnership);
      try {
        const { partnership: known } = await takeInKeys(site, partnership, exchange);
        const result = await pullFrom(site, known, exchange, signer, hits, 'outbox');
        const { leftovers } = await listInbox(exchange, [INBOX_LOGS]);
        await removeAll(
          exchange,
          leftovers.map(({ path }) => path),
        );
        return result;
      } finally {
        await exchange.close();
      }
    });
  } catch (error) {
    return { kind: 'failed', partner, error: asTieupError(error) };
  }
}

/**
 * From an exchange, or from what stands in for one. The caller holds the lock.
 * @param origin of files nobody knows how long they lay elsewhere
 */
export async function pullFrom(
  site: MainSite,
  partnership: Partnership,
  exchange: LogExchange,
  signer: NoteSigner,
  hits: HitStore | undefined,
  origin: 'outbox' | 'files',
): Promise<PullResult> {
  const partner = partnership.id;
  const {
    pins: before,
    opened,
    findings,
  } = await enterEpoch(site, partnership, exchange, await readPins(site, partner));
  await keepCommitments(site, partnership, exchange, before);
  const isOutbox = origin === 'outbox';
  const looked = isOutbox ? await readLooked(site, partner) : undefined;
  const look = isOutbox ? await lookNow(site, partner, exchange, before, looked) : undefined;
  const taken = await takeExport(site, partnership, exchange, { pins: before, hits, looked });
  const { pins } = taken;
  // What was put aside must not be left lying when the line breaks.
  const committed = await importing(async () =>
    taken.kind === 'pulled' ? commitHits(site, partner, pins.epoch, taken.hits) : 0,
  );
  await showCosigned(site, partner, exchange, pins, signer);
  const audited = await audit(site, partnership, exchange, pins, signer);
  const canaries = await readCanaries(site, partner);
  const found = await addFindings(site, partner, [
    ...missingCanaries(canaries, pins, await readSwitches(site, partner, pins.epoch, pins.T.size)),
    ...(taken.kind === 'pulled' ? await judgeSwitches(site, partnership, exchange, taken) : []),
  ]);
  if (look !== undefined) await keepLooked(site, partner, look);
  // What earlier pulls could not import may take a while: nobody waits for it.
  const kept = hits && (await importing(() => importKept(site, partner, pins, hits)));
  return {
    kind: taken.kind,
    partner,
    pins,
    added: { T: pins.T.size - before.T.size, O: pins.O.size - before.O.size },
    epoch: opened ?? null,
    findings: [...findings, ...(taken.kind === 'pulled' ? taken.findings : []), ...audited.findings, ...found],
    audit: { shown: audited.shown, demanded: audited.demanded, unjudged: audited.unjudged },
    canaries: deducted(canaries, pins),
    imported: kept === undefined ? { kind: 'off' } : bothOf(committed, kept),
  };
}

async function importing(work: () => Promise<number>): Promise<Imported> {
  try {
    return { kind: 'imported', records: await work() };
  } catch (error) {
    if (!isTieupError(error)) throw error;
    return { kind: 'failed', error };
  }
}

function bothOf(committed: Imported, kept: Imported): Imported {
  if (kept.kind !== 'imported' || committed.kind !== 'imported') return kept;
  return { kind: 'imported', records: committed.records + kept.records };
}
