/**
 * Learns which release a partner's inbox holds. One small read when it is the one that this machine sent last;
 * otherwise the metadata is verified like a partner would, with the main site's own root.
 */
import { z } from 'zod';
import type { Partnership } from '../config/partnership.ts';
import { isTieupError, TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { refreshTrust, type VerifiedMetadata } from '../io/tuf-client.ts';
import { sha256 } from '../protocol/digest.ts';
import { MAX_RELEASE_JSON, parseRelease } from '../protocol/release.ts';
import { isSignedUnder, MAX_HONEST_VERSION } from '../protocol/tuf-metadata.ts';
import { INBOX_METADATA, INBOX_TARGETS, TARGET_RELEASE, TARGET_TERMS } from '../protocol/exchange.ts';
import type { SignedRelease } from './sign-release.ts';
import { pastTraces, readTraces, type Traces } from './traces.ts';
import { cachePath, type MainSite } from './main-site.ts';
import { readHead } from './read-head.ts';
import { readRecord, recordPush } from './record.ts';
import { firstRoot, newestRoot, rootVersions } from './root-store.ts';
import { keepForGood, keepSent, readSent, type BriefRelease, type SentRelease } from './sent-releases.ts';

export interface Versions {
  readonly targets: number;
  readonly snapshot: number;
  readonly timestamp: number;
}

export interface RemoteState {
  /** The highest versions that were ever signed, as far as this machine and the inbox know; 0 before the first push. */
  readonly versions: Versions;
  /** The release that the next one changes; undefined before the first push. */
  readonly base: SentRelease | undefined;
  /** The base's objects are in the inbox or with the partner; false: send everything. */
  readonly hasObjects: boolean;
  /** The inbox is not signed with the keys of the newest root: all roots have to be sent, and the metadata signed anew. */
  readonly isRekeyed: boolean;
}

/** {@link RemoteState} without what the release consists of. */
export interface BriefState extends Omit<RemoteState, 'base'> {
  readonly base: BriefRelease | undefined;
}

/** SHA-256 of `timestamp.json` as this machine last pushed or verified it, with what it stands for. */
interface Remembered {
  readonly timestampDigest: string;
  readonly versions: Versions;
  readonly releaseDigest: string;
  /** Version of the root whose keys have signed it. */
  readonly root: number;
  /** Number and time of the release; absent in what older versions of tieup kept. */
  readonly release?: BriefRelease['release'] | undefined;
}

const versionNumber = z.number().int().min(0);
const rememberedSchema: z.ZodType<Remembered> = z.strictObject({
  timestampDigest: z.string(),
  versions: z.strictObject({ targets: versionNumber, snapshot: versionNumber, timestamp: versionNumber }),
  releaseDigest: z.string(),
  root: versionNumber.default(1),
  release: z.strictObject({ release: versionNumber, created: z.string() }).optional(),
});

const BEFORE_ANY_EXPIRY = new Date(0);
const MAX_CACHE = 64 * 1024;
const TARGETS_FILE = /^([1-9]\d{0,15})\.targets\.json$/;

const NOTHING: RemoteState = {
  versions: { targets: 0, snapshot: 0, timestamp: 0 },
  base: undefined,
  hasObjects: false,
  isRekeyed: false,
};

/** The release that this machine sent last, and the digest of the head that it left in the inbox. */
type Recalled = Awaited<ReturnType<typeof recall>>;

/** What an inbox holds as far as this machine knows without asking. */
export interface Expectation {
  readonly recalled: Recalled;
  readonly remote: RemoteState;
}

/** What {@link learnRemote} will find unless somebody else was there. */
export async function expectRemote(site: MainSite, partner: string): Promise<Expectation> {
  const recalled = await recall(site, partner);
  if (recalled === undefined) return { recalled, remote: NOTHING };
  const newest = (await rootVersions(site, partner)).at(-1) ?? 1;
  return { recalled, remote: { ...recalled, hasObjects: true, isRekeyed: recalled.root !== newest } };
}

export interface LearnOptions {
  /** What was read before, of which the head need not be read again. */
  readonly ahead?: { readonly expected: Expectation; readonly head: Uint8Array | undefined };
  /** The manager wants to go on although more was sent than the inbox shows, and this machine remembers nothing of it. */
  readonly isSaid?: boolean;
  /** Where they are read already; asked for by a machine that remembers nothing. */
  readonly traces?: () => Promise<Traces>;
}

/** @throws TIEUP_E_VERIFY also when the head was taken away or set back, where this machine remembers nothing of the partner */
export async function learnRemote(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
  options: LearnOptions = {},
): Promise<RemoteState> {
  const { ahead, isSaid = false, traces = () => readTraces(site, partnership, exchange) } = options;
  const timestamp = ahead === undefined ? await readHead(exchange) : ahead.head;
  const recalled = ahead?.expected.recalled;
  if (ahead !== undefined && recalled !== undefined && timestamp !== undefined)
    if (recalled.timestampDigest === sha256(timestamp)) return ahead.expected.remote;
  // Another process of this machine may have pushed since: what it has left is read anew.
  const remembered = await recall(site, partnership.id);
  const newest = (await rootVersions(site, partnership.id)).at(-1) ?? 1;
  const fromMemory = (): RemoteState | undefined =>
    remembered && { ...remembered, hasObjects: false, isRekeyed: remembered.root !== newest };
  const past = async (head: Versions): Promise<Versions | undefined> =>
    remembered === undefined ? pastTraces(partnership.id, await traces(), head, isSaid) : undefined;
  // An empty inbox after a push: the versions must still rise, and nothing that was sent is known to be there.
  if (timestamp === undefined) {
    const known = fromMemory();
    if (known !== undefined) return known;
    const versions = await past(NOTHING.versions);
    return versions === undefined ? NOTHING : { ...NOTHING, versions };
  }
  if (remembered !== undefined && remembered.timestampDigest === sha256(timestamp))
    return { ...remembered, hasObjects: true, isRekeyed: remembered.root !== newest };
  try {
    return await verifyRemote(site, partnership, exchange, {
      timestampDigest: sha256(timestamp),
      newest,
      known: remembered,
      past,
    });
  } catch (error) {
    // Set back to an older state, by a restored backup or by a thief: what this machine remembers is newer and counts.
    const known = fromMemory();
    if (known !== undefined && isTieupError(error, 'TIEUP_E_ROLLBACK', 'TIEUP_E_VERIFY', 'TIEUP_E_NOT_FOUND'))
      return known;
    throw error;
  }
}

/** What {@link learnRemote} learns, from one small file of this machine where the head is the one that it knows. */
export async function glanceAtRemote(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
): Promise<BriefState> {
  const head = await readHead(exchange);
  const known = await readRemembered(site, partnership.id);
  if (head === undefined || known?.release === undefined || known.timestampDigest !== sha256(head))
    return learnRemote(site, partnership, exchange);
  const newest = (await rootVersions(site, partnership.id)).at(-1) ?? 1;
  const base = { releaseDigest: known.releaseDigest, release: known.release };
  return { versions: known.versions, base, hasObjects: true, isRekeyed: known.root !== newest };
}

/** The release that this machine pushed or saw last, in brief; undefined when it never did. */
export async function recallBriefly(site: MainSite, partner: string): Promise<BriefRelease | undefined> {
  const known = await readRemembered(site, partner);
  if (known?.release === undefined) return (await recall(site, partner))?.base;
  return { releaseDigest: known.releaseDigest, release: known.release };
}

interface Verification {
  readonly timestampDigest: string;
  /** Version of the newest root. */
  readonly newest: number;
  readonly known: { readonly versions: Versions; readonly base: SentRelease } | undefined;
  /** Where to go on from when more was sent than these versions say. */
  readonly past: (head: Versions) => Promise<Versions | undefined>;
}

async function verifyRemote(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
  { timestampDigest, newest, known, past }: Verification,
): Promise<RemoteState> {
  const verified = await refreshTrust({
    exchange,
    metadataFolder: INBOX_METADATA,
    targetsFolder: INBOX_TARGETS,
    // What has expired is what a push or a refresh is about to replace; here it only tells the versions.
    now: BEFORE_ANY_EXPIRY,
    stateFolder: `${site.cacheFolder}/partners/${partnership.id}/tuf`,
    trustedRoot: await firstRoot(site, partnership.id),
  });
  try {
    const read = await readPushed(verified);
    const isKnown = known !== undefined && known.base.releaseDigest === read.base.releaseDigest;
    const pushed = isKnown ? { base: known.base, releaseBytes: undefined } : read;
    const { root, targets, snapshot, timestamp } = verified.versions;
    const isRekeyed = root !== newest;
    if (known !== undefined && !isRekeyed) assertNotOlder({ targets, snapshot, timestamp }, known.versions);
    if (isRekeyed) {
      const restart = await restarted(site, partnership.id, exchange, verified, known);
      await verified.commit();
      // What was found under keys that had to be replaced may be a thief's: then nothing is taken for being there.
      return { base: pushed.base, ...restart, hasObjects: false, isRekeyed };
    }
    const versions = { targets, snapshot, timestamp };
    const further = await past(versions);
    await verified.commit();
    if (further !== undefined) return { versions: further, base: undefined, hasObjects: false, isRekeyed };
    await remember(site, partnership.id, pushed, versions, timestampDigest, root);
    return { versions, base: pushed.base, hasObjects: true, isRekeyed };
  } catch (error) {
    await verified.discard();
    throw error;
  }
}

/**
 * The numbers to go on from under new keys. A thief of the old ones may have signed the highest there is, so that none could
 * follow. Partners forget snapshot and timestamp with the old online key (TUF 5.3.11), and releases with the old release key:
 * their numbers can start over, releases at the highest that this machine or the inbox has the honest trace of.
 */
async function restarted(
  site: MainSite,
  partner: string,
  exchange: FileTree,
  { versions: { targets, snapshot, timestamp }, targetsBytes }: VerifiedMetadata,
  known: { readonly versions: Versions; readonly base: SentRelease } | undefined,
): Promise<Pick<RemoteState, 'versions'> | Pick<RemoteState, 'versions' | 'base'>> {
  const isOver = Math.max(snapshot, timestamp) > MAX_HONEST_VERSION;
  const fresh = isOver ? { snapshot: 0, timestamp: 0 } : { snapshot, timestamp };
  const newest = (await newestRoot(site, partner)).bytes;
  if (targets <= MAX_HONEST_VERSION || isSignedUnder(newest, targetsBytes)) return { versions: { targets, ...fresh } };
  const listed = (await exchange.list(INBOX_METADATA)).map(({ name }) => Number(TARGETS_FILE.exec(name)?.[1] ?? 0));
  const honest = [known?.versions.targets ?? 0, ...listed].filter((number) => number <= MAX_HONEST_VERSION);
  return { versions: { targets: Math.max(...honest), ...fresh }, base: known?.base };
}

/** What this machine signed and never read back is not in its trusted metadata; no number may be used twice. */
function assertNotOlder(found: Versions, signed: Versions): void {
  for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
    if (found[role] >= signed[role]) continue;
    throw new TieupError('TIEUP_E_ROLLBACK', `the inbox holds ${role} ${found[role]}, but ${signed[role]} was pushed`);
  }
}

async function readPushed(verified: VerifiedMetadata): Promise<{ base: SentRelease; releaseBytes: Uint8Array }> {
  const releaseBytes = await verified.readTarget(TARGET_RELEASE, MAX_RELEASE_JSON);
  const terms = verified.targets.get(TARGET_TERMS);
  if (terms === undefined) throw new TieupError('TIEUP_E_VERIFY', 'the release in the inbox has no terms');
  const base = {
    release: parseRelease(releaseBytes),
    releaseDigest: verified.targetsDigest,
    termsDigest: terms.sha256,
    active: null,
    releaseJson: sha256(releaseBytes),
  };
  return { base, releaseBytes };
}

/**
 * Keeps what was pushed or verified last, so that the next push need not read it again.
 * @param pushed without `releaseBytes` when the release itself is kept already
 */
export async function remember(
  site: MainSite,
  partner: string,
  pushed: { readonly base: SentRelease; readonly releaseBytes: Uint8Array | undefined },
  versions: Versions,
  timestampDigest: string,
  root: number,
): Promise<void> {
  const { base, releaseBytes } = pushed;
  const { releaseDigest } = base;
  // The release first: what points to it must never point to another one.
  if (releaseBytes !== undefined) {
    await keepSent(site, partner, base, releaseBytes, (await readRecord(site, partner)).consent?.release);
    await keepForGood(site, partner, releaseDigest, releaseBytes);
  }
  const { release, created } = base.release;
  const remembered: Remembered = { timestampDigest, versions, releaseDigest, root, release: { release, created } };
  await site.files.write(cachePath(partner, 'pushed.json'), Buffer.from(`${JSON.stringify(remembered)}\n`));
}

/** Keeps what was pushed just now, and takes down that it was. */
export async function keepPushed(
  site: MainSite,
  partner: string,
  { pushed, releaseBytes, versions, timestamp }: SignedRelease,
  active: readonly string[] | null,
): Promise<void> {
  const base: SentRelease = { ...pushed, active, releaseJson: sha256(releaseBytes) };
  const { version } = await newestRoot(site, partner);
  await remember(site, partner, { base, releaseBytes }, versions, sha256(timestamp.bytes), version);
  await recordPush(site, partner, pushed);
}

/** The release that this machine pushed or saw last, without asking the partner; undefined when it never did. */
export async function recall(
  site: MainSite,
  partner: string,
): Promise<{ versions: Versions; base: SentRelease; timestampDigest: string; root: number } | undefined> {
  const remembered = await readRemembered(site, partner);
  if (remembered === undefined) return undefined;
  const { versions, releaseDigest, timestampDigest, root } = remembered;
  const base = await readSent(site, partner, versions.targets);
  return base?.releaseDigest === releaseDigest ? { versions, base, timestampDigest, root } : undefined;
}

async function readRemembered(site: MainSite, partner: string): Promise<Remembered | undefined> {
  const pushed = await readIfThere(site.files, cachePath(partner, 'pushed.json'), MAX_CACHE);
  // A cache that was cut short by a crash or edited is worth nothing; the inbox tells the same.
  return pushed && decodeRemembered(pushed);
}

function decodeRemembered(bytes: Uint8Array): Remembered | undefined {
  try {
    return rememberedSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}
