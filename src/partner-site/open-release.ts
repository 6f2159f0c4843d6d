/**
 * Opens the release in the inbox: whatever it returns has been verified, belongs to this partner, is not older than what
 * this site has seen, is complete, and lies in private storage. Everything later works on that and never looks into the
 * inbox again, so that nothing can be swapped between check and use.
 *
 *   metadata → three documents → partner and period → paths → file set → objects → active content
 *
 * Nothing the site trusts changes before the last check has passed.
 */
import type { ActiveContent } from '../merge/active-content.ts';
import { judgeRelease } from '../merge/judge-release.ts';
import { TieupError, type Problem } from '../errors.ts';
import type { VerifiedMetadata } from '../io/tuf-client.ts';
import { MAX_SUMS, TARGET_RELEASE, TARGET_SUMS, TARGET_TERMS } from '../protocol/exchange.ts';
import { sha256 } from '../protocol/digest.ts';
import { CLOCK_TOLERANCE_MS, instant } from '../protocol/instant.ts';
import { checkPaths } from '../protocol/names.ts';
import { MAX_RELEASE_JSON, parseRelease, type Release } from '../protocol/release.ts';
import { parseSums } from '../protocol/sums.ts';
import { MAX_TERMS_JSON, parseTerms, type Terms } from '../protocol/terms.ts';
import { collectObjects } from '../publish/collect-objects.ts';
import { readInboxMetadata } from './identify-release.ts';
import type { PartnerSite } from './partner-site.ts';

const opened: unique symbol = Symbol('opened');

/** A release that {@link openRelease} has verified; nothing else makes one. */
export interface OpenedRelease extends ReleaseDocuments {
  readonly [opened]: true;
}

export interface ReleaseDocuments {
  readonly release: Release;
  readonly releaseBytes: Uint8Array;
  /** SHA-256 of its `N.targets.json`: what a decision names. */
  readonly releaseDigest: string;
  readonly terms: Terms;
  readonly termsBytes: Uint8Array;
  readonly termsDigest: string;
  /** Scripts and the like in files that the accepted release did not have, or in all when the terms change; allowed by the terms, shown to the manager. */
  readonly activeContent: readonly ActiveContent[];
}

/** The release the manager accepted before, against which changes are judged. */
export interface KnownRelease {
  readonly release: Release;
  readonly termsDigest: string;
}

/**
 * @throws TIEUP_E_VERIFY, TIEUP_E_ROLLBACK, TIEUP_E_EXPIRED, TIEUP_E_UNSAFE_PATH, TIEUP_E_TOO_LARGE, TIEUP_E_CONTRACT;
 * TIEUP_E_NOT_FOUND when nothing has been pushed yet.
 */
export async function openRelease(site: PartnerSite, known: KnownRelease | undefined): Promise<OpenedRelease> {
  const verified = await readInboxMetadata(site);
  try {
    const documents = await readDocuments(verified);
    assertOurs(site, documents);
    // Before the period: by a wrong clock a contract has not begun, or is over.
    assertClock(site, documents);
    assertInPeriod(documents.terms, site.clock.now());
    assertPaths(documents);
    await collectObjects(site, documents.release.files);
    const activeContent = await inspectContent(site, documents, known);
    await site.objects.flush();
    await verified.commit();
    return { ...documents, activeContent, [opened]: true };
  } catch (error) {
    await verified.discard();
    throw error;
  }
}

type Documents = Omit<ReleaseDocuments, 'activeContent'>;

async function readDocuments(verified: VerifiedMetadata): Promise<Documents> {
  const names = [...verified.targets.keys()].toSorted();
  if (names.join() !== [TARGET_SUMS, TARGET_TERMS, TARGET_RELEASE].toSorted().join()) {
    throw new TieupError('TIEUP_E_VERIFY', `the release has other targets than it must: ${names.join(', ')}`);
  }
  const releaseBytes = await verified.readTarget(TARGET_RELEASE, MAX_RELEASE_JSON);
  const termsBytes = await verified.readTarget(TARGET_TERMS, MAX_TERMS_JSON);
  const release = parseRelease(releaseBytes);
  // One number for one release: the one that can only rise, and that everything which follows names.
  if (release.release !== verified.versions.targets) {
    throw new TieupError(
      'TIEUP_E_VERIFY',
      `release.json says that it is release ${release.release}, its metadata that it is ${verified.versions.targets}`,
    );
  }
  assertSameFiles(release, await verified.readTarget(TARGET_SUMS, MAX_SUMS));
  return {
    release,
    releaseBytes,
    releaseDigest: verified.targetsDigest,
    terms: parseTerms(termsBytes),
    termsBytes,
    termsDigest: sha256(termsBytes),
  };
}

/** The two lists of files are one: what a manager is shown, and what anybody can check with `sha256sum -c`. */
function assertSameFiles(release: Release, sums: Uint8Array): void {
  const lines = parseSums(sums, TARGET_SUMS);
  const same =
    lines.length === release.files.length &&
    lines.every(
      ({ path, digest }, index) => release.files[index]?.path === path && release.files[index]?.digest === digest,
    );
  if (!same) throw new TieupError('TIEUP_E_VERIFY', 'SHA256SUMS and release.json do not list the same files');
}

function assertOurs(site: PartnerSite, { release, terms }: Documents): void {
  const { partner } = site.config;
  if (release.partner !== partner || terms.partner !== partner) {
    const other = release.partner === partner ? terms.partner : release.partner;
    throw new TieupError(
      'TIEUP_E_VERIFY',
      `the release in the inbox is for ${JSON.stringify(other)}, this site is ${JSON.stringify(partner)}`,
    );
  }
  if (release.site !== terms.main.url) {
    throw new TieupError('TIEUP_E_VERIFY', `the release comes from ${release.site}, its terms name ${terms.main.url}`);
  }
}

function assertInPeriod({ period: { from, until } }: Terms, now: Date): void {
  if (now < new Date(from)) {
    throw new TieupError('TIEUP_E_CONTRACT', `the contract begins on ${from.slice(0, 10)}, not before`, {
      hint: 'accept the release then, or tell the main site that the date is wrong: tieup reject --reason "…"',
    });
  }
  if (until !== null && now > new Date(until)) {
    throw new TieupError('TIEUP_E_CONTRACT', `the contract was over on ${until.slice(0, 10)}`, {
      hint: 'live pages stay; ask the main site for an extension',
    });
  }
}

/** By a clock that is behind, nothing ever expires: whoever can hold a release back could do so for as long. */
function assertClock(site: PartnerSite, { release }: Documents): void {
  const now = site.clock.now();
  if (Date.parse(release.created) <= now.getTime() + CLOCK_TOLERANCE_MS) return;
  throw new TieupError(
    'TIEUP_E_VERIFY',
    `release ${release.release} was made on ${release.created}, and here it is ${instant(now)}`,
    { hint: 'set the clock of this machine, or tell the main site to set its own; expiry cannot be judged until then' },
  );
}

function assertPaths({ release, terms }: Documents): void {
  const problems: Problem[] = checkPaths(
    release.files.map(({ path }) => path),
    terms.mount,
  );
  if (problems.length > 0)
    throw new TieupError('TIEUP_E_UNSAFE_PATH', 'the release has paths that must not be published', {
      problems,
      hint: 'tell the main site: tieup reject --reason "…"',
    });
}

/**
 * Looks for scripts and the like in every file whose bytes the accepted release did not have at that path under the same
 * terms. The terms that count are those of this release: changed terms are shown to the manager first, and what was fine
 * under the old ones may not be under the new.
 */
async function inspectContent(
  site: PartnerSite,
  { release, terms, termsDigest }: Documents,
  known: KnownRelease | undefined,
): Promise<readonly ActiveContent[]> {
  const { found, problems } = await judgeRelease(
    release.files,
    known?.termsDigest === termsDigest ? known.release.files : [],
    terms.policy,
    ({ digest, length }) => site.objects.read(digest, length),
  );
  if (problems.length > 0) {
    throw new TieupError('TIEUP_E_VERIFY', 'the release contains what the terms do not allow', {
      problems,
      hint: 'reject it (tieup reject --reason "…"), or agree with the main site on other terms',
    });
  }
  return found;
}
