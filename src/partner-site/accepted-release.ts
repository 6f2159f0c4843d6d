/**
 * The release that the manager accepted last, kept in the state with its documents: what `merge`, `resume` and the next
 * `accept` start from. Documents first, the pointer to them last.
 */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';
import { MAX_RELEASE_JSON, parseRelease, type Release } from '../protocol/release.ts';
import { MAX_TERMS_JSON, parseTerms, type Terms } from '../protocol/terms.ts';
import { keepAgreedTerms } from './agreed-terms.ts';
import type { ReleaseDocuments } from './open-release.ts';
import type { PartnerSite } from './partner-site.ts';

export interface AcceptedRelease {
  readonly release: Release;
  readonly releaseDigest: string;
  readonly terms: Terms;
  readonly termsDigest: string;
  /** SHA-256 of the bytes of `release.json`. */
  readonly releaseJson: string;
  /** Digest of the decision that accepted it. */
  readonly decision: string;
}

const POINTER = 'accepted.json';
const MAX_POINTER = 4096;
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const pointerSchema = z.strictObject({
  releaseDigest: digest,
  releaseJson: digest,
  termsDigest: digest,
  decision: digest,
});

/** The accepted release; undefined before the first. @throws TIEUP_E_VERIFY when the state is damaged. */
export async function readAccepted(site: PartnerSite): Promise<AcceptedRelease | undefined> {
  const bytes = await readIfThere(site.state, POINTER, MAX_POINTER);
  if (bytes === undefined) return undefined;
  const pointer = decodePointer(bytes);
  return { ...(await readDocuments(site, pointer.releaseDigest, pointer)), decision: pointer.decision };
}

/** A release that was accepted at some time, for a rollback to it. @throws TIEUP_E_NOT_FOUND when it is not kept. */
export async function readKept(site: PartnerSite, releaseDigest: string): Promise<Omit<AcceptedRelease, 'decision'>> {
  return readDocuments(site, releaseDigest, undefined);
}

/** Keeps the documents of a release that was just accepted, then points to them. */
export async function keepAccepted(site: PartnerSite, documents: ReleaseDocuments, decision: string): Promise<void> {
  const { releaseDigest, releaseBytes, termsBytes, termsDigest } = documents;
  await site.state.write(documentPath(releaseDigest, 'release.json'), releaseBytes);
  await site.state.write(documentPath(releaseDigest, 'partnership.json'), termsBytes);
  await keepAgreedTerms(site.state, termsBytes);
  await point(site, { releaseDigest, releaseJson: sha256(releaseBytes), termsDigest, decision });
}

/** The accepted release stays, under another decision. */
export async function keepDecision(site: PartnerSite, accepted: AcceptedRelease, decision: string): Promise<void> {
  if (decision === accepted.decision) return;
  const { releaseDigest, termsDigest, releaseJson } = accepted;
  await point(site, { releaseDigest, releaseJson, termsDigest, decision });
}

/** After leaving: no release is accepted, and the next one is judged as the first. Its documents stay. */
export async function forgetAccepted(site: PartnerSite): Promise<void> {
  await site.state.remove(POINTER);
}

async function point(site: PartnerSite, pointer: z.infer<typeof pointerSchema>): Promise<void> {
  await site.state.write(POINTER, Buffer.from(`${JSON.stringify(pointer)}\n`));
}

async function readDocuments(
  site: PartnerSite,
  releaseDigest: string,
  expected: { readonly releaseJson: string; readonly termsDigest: string } | undefined,
): Promise<Omit<AcceptedRelease, 'decision'>> {
  const release = await site.state.read(documentPath(releaseDigest, 'release.json'), MAX_RELEASE_JSON);
  const terms = await site.state.read(documentPath(releaseDigest, 'partnership.json'), MAX_TERMS_JSON);
  const termsDigest = sha256(terms);
  if (expected !== undefined && (sha256(release) !== expected.releaseJson || termsDigest !== expected.termsDigest)) {
    throw new TieupError('TIEUP_E_VERIFY', 'the accepted release in the state folder was changed', {
      hint: 'restore the state folder from a backup, or accept the release again',
    });
  }
  return {
    release: parseRelease(release),
    releaseDigest,
    releaseJson: sha256(release),
    terms: parseTerms(terms),
    termsDigest,
  };
}

function decodePointer(bytes: Uint8Array): z.infer<typeof pointerSchema> {
  try {
    return pointerSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', `${POINTER} in the state folder is damaged`, { cause });
  }
}

function documentPath(releaseDigest: string, name: string): string {
  return `releases/${releaseDigest}/${name}`;
}
