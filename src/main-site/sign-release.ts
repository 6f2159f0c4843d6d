/** Turns a release plan into the signed files of a release: three targets and the metadata over them. */
import type { ConfirmationMessage, Release } from '../protocol/release.ts';
import { renderRelease } from '../protocol/release.ts';
import { sha256 } from '../protocol/digest.ts';
import { TARGET_RELEASE, TARGET_SUMS, TARGET_TERMS, targetPath, INBOX_METADATA } from '../protocol/exchange.ts';
import { instant } from '../protocol/instant.ts';
import { renderSums } from '../protocol/sums.ts';
import { signRelease as signMetadata } from '../protocol/tuf-repository.ts';
import type { RemoteState, Versions } from './learn-remote.ts';
import type { ReleaseSeeds } from './partner-keys.ts';
import type { ReleasePlan } from './plan-release.ts';
import type { PushedRelease } from './sent-releases.ts';

export interface SignedFile {
  /** From the exchange folder. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface SignedRelease {
  readonly pushed: PushedRelease;
  readonly releaseBytes: Uint8Array;
  readonly versions: Versions;
  /** None of them changes what a partner sees. */
  readonly files: readonly SignedFile[];
  /** Written last of all, by rename: the commit point. */
  readonly timestamp: SignedFile;
}

export interface SignRequest {
  readonly partner: string;
  readonly site: string;
  readonly plan: ReleasePlan;
  readonly remote: RemoteState;
  readonly termsBytes: Uint8Array;
  readonly message: ConfirmationMessage;
  readonly seeds: ReleaseSeeds;
  readonly now: Date;
  readonly confirmBy: Date | null;
}

export function signRelease(request: SignRequest): SignedRelease {
  const { plan, remote, now } = request;
  const files = plan.files.map(({ file }) => file);
  const release: Release = {
    partner: request.partner,
    site: request.site,
    release: plan.number,
    base:
      remote.base === undefined ? null : { release: remote.base.release.release, targets: remote.base.releaseDigest },
    created: instant(now),
    confirmBy: request.confirmBy === null ? null : instant(request.confirmBy),
    message: request.message,
    files,
  };
  const releaseBytes = renderRelease(release);
  const targets = [
    { name: TARGET_SUMS, bytes: renderSums(files) },
    { name: TARGET_RELEASE, bytes: releaseBytes },
    { name: TARGET_TERMS, bytes: request.termsBytes },
  ].map((target) => ({ ...target, digest: sha256(target.bytes) }));
  const versions = {
    targets: plan.number,
    snapshot: remote.versions.snapshot + 1,
    timestamp: remote.versions.timestamp + 1,
  };
  const metadata = signMetadata({
    seeds: { targets: [request.seeds.targets], online: request.seeds.online },
    versions,
    now,
    targets: new Map(targets.map(({ name, bytes, digest }) => [name, { length: bytes.length, sha256: digest }])),
  });
  const inMetadata = ({ name, bytes }: { name: string; bytes: Uint8Array }) => ({
    path: `${INBOX_METADATA}/${name}`,
    bytes,
  });
  return {
    pushed: { release, releaseDigest: sha256(metadata.targets.bytes), termsDigest: sha256(request.termsBytes) },
    releaseBytes,
    versions,
    files: [
      ...targets.map(({ name, bytes, digest }) => ({ path: targetPath(digest, name), bytes })),
      inMetadata(metadata.targets),
      inMetadata(metadata.snapshot),
    ],
    timestamp: inMetadata(metadata.timestamp),
  };
}
