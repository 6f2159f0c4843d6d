/**
 * Verifies what lies in an inbox with tuf-js, a stock client of The Update Framework.
 *
 *   trusted state ─copy─▶ private copy ─tuf-js over the inbox─▶ second look (tuf-chain.ts) ─▶ commit: the copy is the state
 *
 * Whatever is refused on the way, the trusted state stays as it was. Every inbox file is read once: what was verified is what
 * is used, also when somebody exchanges the file in between.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Fetcher, Updater } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { isTieupError, TieupError } from '../errors.ts';
import { sha256 } from '../protocol/digest.ts';
import { Equivocation } from '../protocol/equivocation.ts';
import { checkChain, type ReceivedFiles, type TrustedFiles, type VerifiedChain } from '../protocol/tuf-chain.ts';
import { checkRootKeys, type MetadataRole, type TargetDescription } from '../protocol/tuf-metadata.ts';
import { keepEvidence } from './evidence.ts';
import type { FileTree } from './file-tree.ts';
import { copyTrust, type TrustCopy } from './tuf-state.ts';

export interface RefreshOptions {
  readonly exchange: FileTree;
  /** In the exchange: `inbox/metadata`. */
  readonly metadataFolder: string;
  /** In the exchange: `inbox/targets`. */
  readonly targetsFolder: string;
  /** Absolute path of the folder of trusted metadata; its parent is tieup's own. */
  readonly stateFolder: string;
  /** What to trust when the state folder does not exist yet. */
  readonly trustedRoot?: Uint8Array | undefined;
  /** When it is; the system's time unless given. */
  readonly now?: Date | undefined;
}

/** Metadata that is authentic, whole, for this partner's keys, in time, and not older than what was trusted. */
export interface VerifiedMetadata {
  readonly versions: Readonly<Record<MetadataRole, number>>;
  /** ISO 8601 UTC. */
  readonly expires: Readonly<Record<MetadataRole, string>>;
  /** The bytes of `N.targets.json`. */
  readonly targetsBytes: Uint8Array;
  /** Their SHA-256: the release digest. */
  readonly targetsDigest: string;
  readonly targets: ReadonlyMap<string, TargetDescription>;
  /** The verified bytes of a target. @throws TIEUP_E_VERIFY when it is not what was signed, TIEUP_E_TOO_LARGE when it is longer than `maxLength`. */
  readTarget(name: string, maxLength: number): Promise<Uint8Array>;
  /** Trusts this from now on; durable when it returns. @throws TIEUP_E_DRIFT when another tieup was faster. */
  commit(): Promise<void>;
  /** Forgets it; fine after a commit. */
  discard(): Promise<void>;
}

/**
 * Reads and verifies the metadata of the inbox. The caller commits or discards.
 * @throws TIEUP_E_NOT_FOUND when nothing has been pushed yet, TIEUP_E_EXPIRED when it is authentic and its time is over,
 * TIEUP_E_ROLLBACK when it is authentic and older than what was seen, TIEUP_E_TOO_LARGE and TIEUP_E_VERIFY for everything
 * else that is wrong with it; faults of the exchange as they come. What contradicts signed metadata seen before is kept in
 * `evidence/` beside the state folder.
 */
export async function refreshTrust(options: RefreshOptions): Promise<VerifiedMetadata> {
  const now = options.now ?? new Date();
  const copy = await copyTrust(options.stateFolder, options.trustedRoot);
  try {
    const received = await runClient(copy, new InboxFetcher(options.exchange, options.metadataFolder), now);
    return verified(options, copy, checkChain(copy.trusted, received, now));
  } catch (error) {
    await copy.discard();
    if (!(error instanceof Equivocation)) throw error;
    throw await keepEvidence(join(dirname(options.stateFolder), 'evidence'), error);
  }
}

async function runClient(copy: TrustCopy, fetcher: InboxFetcher, now: Date): Promise<ReceivedFiles> {
  const received = async (): Promise<ReceivedFiles> => ({
    root: await readFile(join(copy.folder, 'root.json')),
    files: fetcher.received,
  });
  try {
    const updater = new Updater({ metadataDir: copy.folder, metadataBaseUrl: BASE_URL, fetcher });
    setReferenceTime(updater, now);
    await updater.refresh();
    return await received();
  } catch (cause) {
    if (fetcher.fault !== undefined) throw explainFault(fetcher.fault, copy.trusted);
    // tuf-js turns causes into text on the way; the second look finds what was wrong, or does not see it and says so.
    checkChain(copy.trusted, await received(), now, cause);
    throw new TieupError('TIEUP_E_VERIFY', 'the metadata of the release cannot be verified', { cause });
  }
}

/** tuf-js reads the clock in a constructor; expiry is judged by the time that was handed in. */
export function setReferenceTime(updater: Updater, now: Date): void {
  const trustedSet: unknown = Reflect.get(updater, 'trustedSet');
  if (typeof trustedSet !== 'object' || trustedSet === null || !Reflect.has(trustedSet, 'referenceTime')) {
    throw new TieupError('TIEUP_E_FAILED', 'this version of tuf-js has no reference time to set');
  }
  Reflect.set(trustedSet, 'referenceTime', now);
}

function explainFault({ name, error }: InboxFault, trusted: TrustedFiles): unknown {
  if (!isTieupError(error, 'TIEUP_E_NOT_FOUND')) return error;
  if (name !== 'timestamp.json') {
    return new TieupError('TIEUP_E_VERIFY', `${name} is missing, although signed metadata refers to it`, {
      cause: error,
    });
  }
  if (trusted.release === undefined) {
    return new TieupError('TIEUP_E_NOT_FOUND', 'nothing has been pushed yet', { cause: error });
  }
  return new TieupError('TIEUP_E_NOT_FOUND', 'timestamp.json is gone from the inbox, which held a release before', {
    hint: 'ask the main site to push again',
    cause: error,
  });
}

function verified(options: RefreshOptions, copy: TrustCopy, chain: VerifiedChain): VerifiedMetadata {
  const { versions, expires, targets, files } = chain;
  return {
    versions,
    expires,
    targets,
    targetsBytes: files.targets,
    targetsDigest: sha256(files.targets),
    readTarget: (name, maxLength) => readTarget(options, targets, name, maxLength),
    commit: copy.commit,
    discard: copy.discard,
  };
}

async function readTarget(
  { exchange, targetsFolder }: RefreshOptions,
  targets: ReadonlyMap<string, TargetDescription>,
  name: string,
  maxLength: number,
): Promise<Uint8Array> {
  const target = targets.get(name);
  if (target === undefined) throw new TieupError('TIEUP_E_VERIFY', `the release has no ${JSON.stringify(name)}`);
  if (target.length > maxLength) {
    throw new TieupError('TIEUP_E_TOO_LARGE', `${name} has ${target.length} bytes, more than ${maxLength}`);
  }
  const bytes = await exchange
    .read(`${targetsFolder}/${target.sha256}.${name}`, target.length)
    .catch((cause: unknown) => {
      if (!isTieupError(cause, 'TIEUP_E_NOT_FOUND')) throw cause;
      throw new TieupError('TIEUP_E_VERIFY', `${name} is missing, although the release refers to it`, { cause });
    });
  if (bytes.length !== target.length || sha256(bytes) !== target.sha256) {
    throw new TieupError('TIEUP_E_VERIFY', `${name} is not the file that was signed`);
  }
  return bytes;
}

interface InboxFault {
  readonly name: string;
  readonly error: unknown;
}

/** tuf-js wants addresses; this one names the metadata folder. */
const BASE_URL = 'inbox:///';
const ROOT_NAME = /^[1-9][0-9]*\.root\.json$/;

/** Gives tuf-js the files of an inbox: each is read once, bounded before it is read, and roots have strong keys. */
class InboxFetcher implements Fetcher {
  readonly received = new Map<string, Uint8Array>();
  /** What went wrong while reading, before tuf-js turned it into text. */
  fault: InboxFault | undefined;
  readonly #tree: FileTree;
  readonly #folder: string;

  constructor(tree: FileTree, folder: string) {
    this.#tree = tree;
    this.#folder = folder;
  }

  async downloadBytes(url: string, maxLength: number): Promise<Buffer> {
    const name = url.slice(BASE_URL.length);
    try {
      const bytes = this.received.get(name) ?? (await this.#tree.read(`${this.#folder}/${name}`, maxLength));
      if (ROOT_NAME.test(name)) checkRootKeys(bytes);
      this.received.set(name, bytes);
      return Buffer.from(bytes);
    } catch (error) {
      // The client asks for the next root until there is none (TUF 5.3.3).
      if (ROOT_NAME.test(name) && isTieupError(error, 'TIEUP_E_NOT_FOUND')) {
        throw new DownloadHTTPError(`${name} does not exist`, 404);
      }
      this.fault = { name, error };
      throw error;
    }
  }

  /** tuf-js downloads targets with this, through temporary files; tieup reads them itself, with `readTarget`. */
  async downloadFile<T>(url: string): Promise<T> {
    throw new TieupError('TIEUP_E_FAILED', `${JSON.stringify(url)} is not to be read through tuf-js`);
  }
}
