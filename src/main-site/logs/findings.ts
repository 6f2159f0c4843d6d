/**
 * What is not as it should be in a partner's logs, kept in `.tieup/logs/<partner>/findings.json`. A finding refuses nothing: it is
 * for people, who ask the partner. Each is told once.
 */
import { z } from 'zod';
import { sha256 } from '../../protocol/digest.ts';
import { instant } from '../../protocol/instant.ts';
import type { MainSite } from '../main-site.ts';
import { logPath, readState, writeState } from './log-records.ts';

const KINDS = [
  /** A hit on a tie-up file was counted as one on a page of the partner's own. */
  'tie-up-as-original',
  /** A line was counted as unreadable, and can be read. */
  'readable-as-unreadable',
  /** Records that were demanded were not shown. */
  'unanswered',
  /** What was shown is not what was demanded, or not what was signed. */
  'wrong-answer',
  'too-many-unreadable',
  /** Records of tie-up pages were only counted. */
  'tie-up-withheld',
  /** A hit on a tie-up page is written down as less than it is: of another page or none, or of a program. */
  'hit-as-less',
  /** Hits that are said to be days older than the export before. */
  'late-hits',
  /** A visit that the main site made itself is not in the log. */
  'canary-missing',
  /** A release is live by the partner's receipt, and log T does not know of it. */
  'switch-missing',
  /** The partner withholds, keeps or renames files of a release: hits on them count as its own. */
  'left-out',
  /** A new epoch does not bring over all that was signed in the one before and not cosigned. */
  'records-abandoned',
  /** A new epoch begins with other records than those that were cosigned and that it does not go on from. */
  'records-again',
  /** An export has fewer records than had been committed to before it was made. */
  'records-held-back',
  /** What time a partner says it is cannot be. */
  'clock',
  /** Log T names a release as live of which nothing is known here. */
  'switch-unknown',
  /** By log T no tie-up page was live, and lines were written then. */
  'nothing-live',
  /** Lines are lost at the partner, and the manager went on. */
  'gap',
] as const;

export type FindingKind = (typeof KINDS)[number];

export interface LogFinding {
  readonly kind: FindingKind;
  readonly epoch: number;
  /** One sentence without a full stop. */
  readonly message: string;
  /** Places in the log, from 0 on; empty when it is about no single records. */
  readonly records: readonly number[];
}

export interface KeptFinding extends LogFinding {
  /** The same finding has the same id. */
  readonly id: string;
  readonly at: string;
}

const schema: z.ZodType<KeptFinding[]> = z.array(
  z.strictObject({
    id: z.string(),
    at: z.string(),
    kind: z.enum(KINDS),
    epoch: z.int().min(1),
    message: z.string(),
    records: z.array(z.int().min(0)),
  }),
);

/** Who can make findings can make many; the first ones are enough to talk about. */
const MAX_FINDINGS = 10_000;

export async function readFindings(site: MainSite, partner: string): Promise<readonly KeptFinding[]> {
  return (await readState(site, logPath(partner, 'findings.json'), schema)) ?? [];
}

/** Keeps those that are new, and returns them. */
export async function addFindings(
  site: MainSite,
  partner: string,
  findings: readonly LogFinding[],
): Promise<readonly KeptFinding[]> {
  if (findings.length === 0) return [];
  const kept = await readFindings(site, partner);
  const known = new Set(kept.map(({ id }) => id));
  const at = instant(site.clock.now());
  const added: KeptFinding[] = [];
  for (const { kind, epoch, message, records } of findings) {
    const id = sha256(JSON.stringify([kind, epoch, message, records])).slice(0, 16);
    if (known.has(id)) continue;
    known.add(id);
    added.push({ id, at, kind, epoch, message, records });
  }
  if (added.length > 0 && kept.length < MAX_FINDINGS) {
    await writeState(site, logPath(partner, 'findings.json'), [...kept, ...added]);
  }
  return added;
}
