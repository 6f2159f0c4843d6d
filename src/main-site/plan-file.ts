/**
 * A plan that was saved: what a push would change at each partner, down to the SHA-256 of every file, so that what somebody
 * looked at is exactly what is pushed later, or nothing is.
 *
 * The file is an expectation and no permission: whatever it says, a push sends what the pages make, signed as ever, or refuses.
 */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { DIGEST, sha256 } from '../protocol/digest.ts';
import { PARTNER_ID } from '../protocol/names.ts';
import type { ReleaseFile } from '../protocol/release.ts';
import type { NextRelease } from './push.ts';

interface FileDigest {
  readonly path: string;
  /** SHA-256 of its bytes. */
  readonly digest: string;
}

export interface PlannedPartner {
  readonly partner: string;
  /** The release that is changed, with the SHA-256 of its `N.targets.json`; null before the first. */
  readonly base: { readonly release: number; readonly digest: string } | null;
  readonly next: number;
  /** SHA-256 of the terms that come with it. */
  readonly terms: string;
  /** SHA-256 over the list of its files as it stands in `release.json`: each with path, length, digest, slots and title. */
  readonly files: string;
  readonly added: readonly FileDigest[];
  readonly changed: readonly (FileDigest & { readonly before: string })[];
  readonly removed: readonly FileDigest[];
}

export interface PlanFile {
  readonly schema: 'tieup.plan-file/v1';
  /** ISO 8601 UTC. */
  readonly created: string;
  readonly partners: readonly PlannedPartner[];
}

const SCHEMA = 'tieup.plan-file/v1';
/** Ten thousand partners with a few changes each; the list of everything that is new everywhere is longer than anybody reads. */
export const MAX_PLAN_FILE = 256 * 1024 * 1024;

const digest = z.string().regex(DIGEST);
const file = { path: z.string().max(4096), digest };
const planFileSchema: z.ZodType<PlanFile> = z.strictObject({
  schema: z.literal(SCHEMA),
  created: z.string(),
  partners: z.array(
    z.strictObject({
      partner: z.string().regex(PARTNER_ID),
      base: z.strictObject({ release: z.int().min(1), digest }).nullable(),
      next: z.int().min(1),
      terms: digest,
      files: digest,
      added: z.array(z.strictObject(file)),
      changed: z.array(z.strictObject({ ...file, before: digest })),
      removed: z.array(z.strictObject(file)),
    }),
  ),
});

export function describeNext(partner: string, { plan, base, termsDigest }: NextRelease): PlannedPartner {
  const files = plan.files.map((each) => each.file);
  const before = digestsOf(base?.release.files ?? []);
  const now = digestsOf(files);
  const named = (paths: readonly string[], digests: ReadonlyMap<string, string>): readonly FileDigest[] =>
    paths.map((path) => ({ path, digest: digests.get(path) ?? '' }));
  return {
    partner,
    base: base === undefined ? null : { release: base.release.release, digest: base.releaseDigest },
    next: plan.number,
    terms: termsDigest,
    files: digestOfFiles(files),
    added: named(plan.added, now),
    changed: named(plan.changed, now).map((each) => ({ ...each, before: before.get(each.path) ?? '' })),
    removed: named(plan.removed, before),
  };
}

function digestsOf(files: readonly ReleaseFile[]): ReadonlyMap<string, string> {
  return new Map(files.map((each) => [each.path, each.digest]));
}

/** One partner a line, so that two plans can be compared with diff. */
export function renderPlanFile({ schema, created, partners }: PlanFile): string {
  const head = `{"schema":${JSON.stringify(schema)},"created":${JSON.stringify(created)},"partners":[`;
  return `${head}${partners.map((each) => `\n${JSON.stringify(each)}`).join(',')}\n]}\n`;
}

/** @param name of the file, for the message. @throws TIEUP_E_USAGE for anything that `tieup plan --out` did not write. */
export function parsePlanFile(bytes: Uint8Array, name: string): PlanFile {
  try {
    const plan = planFileSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
    if (new Set(plan.partners.map(({ partner }) => partner)).size === plan.partners.length) return plan;
  } catch (cause) {
    throw notAPlan(name, cause);
  }
  throw notAPlan(name);
}

function notAPlan(name: string, cause?: unknown): TieupError {
  return new TieupError('TIEUP_E_USAGE', `${JSON.stringify(name)} is not a plan`, {
    hint: 'tieup plan --out plan.json writes one',
    cause,
  });
}

/** Why what a push would do now is not what was planned; undefined when it is the same, byte for byte, or is done. */
export function whyOther(planned: PlannedPartner, next: NextRelease): string | undefined {
  const { partner } = planned;
  if (isDone(planned, next)) return undefined;
  const now = describeNext(partner, next);
  if (planned.base?.digest !== now.base?.digest)
    return `${partner} holds release ${now.base?.release ?? '-'} now, and ${planned.base?.release ?? 'none'} when it was planned`;
  if (planned.next !== now.next) return `${partner} would get release ${now.next}, and ${planned.next} was planned`;
  if (planned.terms !== now.terms) return `the terms of ${partner} are others than those that were planned`;
  if (planned.files === now.files) return undefined;
  const lines = ({ added, changed, removed }: PlannedPartner): readonly string[] =>
    [...added, ...changed, ...removed].map((each) => JSON.stringify(each));
  const [then, today] = [new Set(lines(planned)), lines(now)];
  const fresh = today.filter((line) => !then.delete(line));
  const paths = new Set([...fresh, ...then].map((line) => pathOf(line)));
  const named = [...paths].slice(0, 5).join(', ');
  const further = paths.size > 5 ? ` and ${paths.size - 5} more` : '';
  return paths.size === 0
    ? `the pages of ${partner} have other titles or slots than when it was planned`
    : `the pages for ${partner} changed since it was planned: ${named}${further}`;
}

/** The inbox holds what this very plan has brought, and there is nothing new. */
function isDone({ base: before, next: number, terms, files }: PlannedPartner, { base, plan }: NextRelease): boolean {
  if (base === undefined || plan.differs) return false;
  const { release, termsDigest } = base;
  const follows = (release.base?.targets ?? null) === (before?.digest ?? null);
  return follows && release.release === number && termsDigest === terms && digestOfFiles(release.files) === files;
}

function digestOfFiles(files: readonly ReleaseFile[]): string {
  return sha256(JSON.stringify(files));
}

function pathOf(line: string): string {
  return /^\{"path":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line;
}

/** @throws TIEUP_E_DRIFT unless a push would do exactly what was planned for this partner. */
export function assertAsPlanned(
  planned: ReadonlyMap<string, PlannedPartner>,
  partner: string,
  next: NextRelease,
): void {
  const expected = planned.get(partner);
  const why = expected === undefined ? `nothing was planned for ${partner}` : whyOther(expected, next);
  if (why !== undefined) throw new TieupError('TIEUP_E_DRIFT', why, { hint: PLAN_AGAIN });
}

export const PLAN_AGAIN = 'nothing was pushed there; plan again with tieup plan --out, and look at what is different';
