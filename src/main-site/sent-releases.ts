/**
 * What was sent to a partner, one file a release: a line with its digests, then the bytes of its `release.json`. What a partner
 * answers is judged against it. The newest few are kept, and the one that the partner accepted last; their lists of files for good.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import { isTieupError, TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';
import { MAX_RELEASE_JSON, parseRelease, type Release } from '../protocol/release.ts';
import { cachePath, type MainSite } from './main-site.ts';

/** A release that was pushed: what it consists of and what a decision on it must name. */
export interface PushedRelease {
  readonly release: Release;
  /** SHA-256 of its `N.targets.json`. */
  readonly releaseDigest: string;
  readonly termsDigest: string;
}

/** What `status` has to know of it: to read all of it takes a thousand times as long. */
export interface BriefRelease extends Pick<PushedRelease, 'releaseDigest'> {
  readonly release: Pick<Release, 'release' | 'created'>;
}

export interface SentRelease extends PushedRelease {
  /** `<digest> <path>` of its files with scripts and the like; null when another machine pushed it and this one never looked. */
  readonly active: readonly string[] | null;
  /** SHA-256 of the bytes of its `release.json`. */
  readonly releaseJson: string;
}

const KEPT = 10;
const MAX_HEAD = 16 * 1024 * 1024;

const headSchema = z.strictObject({
  releaseDigest: z.string(),
  termsDigest: z.string(),
  active: z.array(z.string()).nullable(),
});

/** Undefined when it is not kept, or what is kept was cut short by a crash or edited. */
export async function readSent(site: MainSite, partner: string, number: number): Promise<SentRelease | undefined> {
  const bytes = await readIfThere(site.files, sentPath(partner, number), MAX_HEAD + MAX_RELEASE_JSON);
  const end = bytes?.indexOf(0x0a) ?? -1;
  if (bytes === undefined || end === -1) return undefined;
  try {
    const head = headSchema.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))));
    const json = bytes.subarray(end + 1);
    return { ...head, release: parseRelease(json), releaseJson: sha256(json) };
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError || isTieupError(error, 'TIEUP_E_VERIFY'))
      return undefined;
    throw error;
  }
}

/** @param pinned number of a release that stays however old it is */
export async function keepSent(
  site: MainSite,
  partner: string,
  { release, releaseDigest, termsDigest, active }: SentRelease,
  releaseBytes: Uint8Array,
  pinned: number | undefined,
): Promise<void> {
  const head = Buffer.from(`${JSON.stringify({ releaseDigest, termsDigest, active })}\n`);
  await site.files.write(sentPath(partner, release.release), Buffer.concat([head, releaseBytes]));
  for (const { name } of await site.files.list(cachePath(partner, 'sent'))) {
    const number = Number(/^([1-9]\d*)\.release$/.exec(name)?.[1] ?? Number.NaN);
    if (number <= release.release - KEPT && number !== pinned) await site.files.remove(sentPath(partner, number));
  }
}

/** What was live decides which hits were on tie-up pages, long after the next release. */
export async function keepForGood(
  site: MainSite,
  partner: string,
  releaseDigest: string,
  releaseBytes: Uint8Array,
): Promise<void> {
  await site.files.write(releasePath(partner, releaseDigest), await promisify(gzip)(releaseBytes));
}

/** A release that was pushed or seen, by the digest of its `N.targets.json`; undefined when this machine never had it. */
export async function recallRelease(site: MainSite, partner: string, digest: string): Promise<Release | undefined> {
  const zipped = await readIfThere(site.files, releasePath(partner, digest), MAX_RELEASE_JSON);
  if (zipped !== undefined) return parseRelease(await unzip(zipped));
  // As versions before this one kept it.
  const bytes = await readIfThere(site.files, cachePath(partner, `releases/${digest}.json`), MAX_RELEASE_JSON);
  return bytes === undefined ? undefined : parseRelease(bytes);
}

async function unzip(zipped: Uint8Array): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(zipped, { maxOutputLength: MAX_RELEASE_JSON });
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', 'what is kept of a release is damaged', { cause });
  }
}

function releasePath(partner: string, digest: string): string {
  return cachePath(partner, `releases/${digest}.json.gz`);
}

function sentPath(partner: string, number: number): string {
  return cachePath(partner, `sent/${number}.release`);
}
