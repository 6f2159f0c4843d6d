/**
 * Finds out which release lies in the inbox, by its signed metadata alone: enough to say no to it, whatever is in it.
 */
import { TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { refreshTrust, type VerifiedMetadata } from '../io/tuf-client.ts';
import { INBOX_METADATA, INBOX_TARGETS, TARGET_TERMS } from '../protocol/exchange.ts';
import { JOINED_ROOT, type PartnerSite } from './partner-site.ts';

/** What a decision names of a release. */
export interface IdentifiedRelease {
  /** The number of the release, which is the version of its targets. */
  readonly number: number;
  /** SHA-256 of its `N.targets.json`. */
  readonly releaseDigest: string;
  /** SHA-256 of its `partnership.json`, as signed; nobody has read it. */
  readonly termsDigest: string;
}

const MAX_ROOT = 512 * 1024;

/** The metadata of the inbox, verified; the caller commits or discards. @throws like {@link refreshTrust}. */
export async function readInboxMetadata(site: PartnerSite): Promise<VerifiedMetadata> {
  const trustedRoot = await readIfThere(site.state, JOINED_ROOT, MAX_ROOT);
  return refreshTrust({
    exchange: site.exchange,
    metadataFolder: INBOX_METADATA,
    targetsFolder: INBOX_TARGETS,
    now: site.clock.now(),
    stateFolder: `${site.stateFolder}/tuf`,
    ...(trustedRoot === undefined ? {} : { trustedRoot }),
  });
}

/**
 * Remembers that the release was seen, so that no older one is taken for new, and reads nothing of its content: that may be
 * the very reason for the "no".
 *
 * @throws like {@link refreshTrust}; TIEUP_E_VERIFY when the release has no terms that a decision could name.
 */
export async function identifyRelease(site: PartnerSite): Promise<IdentifiedRelease> {
  const verified = await readInboxMetadata(site);
  try {
    const terms = verified.targets.get(TARGET_TERMS);
    if (terms === undefined) throw new TieupError('TIEUP_E_VERIFY', `the release has no ${TARGET_TERMS}`);
    await verified.commit();
    return {
      number: verified.versions.targets,
      releaseDigest: verified.targetsDigest,
      termsDigest: terms.sha256,
    };
  } catch (error) {
    await verified.discard();
    throw error;
  }
}
