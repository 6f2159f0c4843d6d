/**
 * A client of The Update Framework over HTTP, driven by `tieup tuf-client` the way the public conformance suite drives
 * clients (https://github.com/theupdateframework/tuf-conformance, CLIENT-CLI.md).
 *
 * It is the engine under tuf-client.ts alone, without what tieup adds to it: the suite holds a client to the
 * specification, and tieup refuses more than that (other keys than Ed25519, two contents of one version).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Updater } from 'tuf-js';
import { TieupError } from '../errors.ts';
import type { Clock } from './clock.ts';
import { setReferenceTime } from './tuf-client.ts';

/** Trusted metadata in a folder of its own, as `root.json`, `timestamp.json`, `snapshot.json`, `targets.json`. */
export interface StockTufClient {
  /** Starts trust with a root; asks nobody and checks nothing: the first refresh does. */
  init(trustedRoot: Uint8Array): Promise<void>;
  /** The client workflow of TUF 5.1 to 5.6. @throws TIEUP_E_FAILED when any part of it fails; what was verified before stays trusted. */
  refresh(metadataUrl: string): Promise<void>;
  /** Refreshes, then brings one target; a file that is there and is the one that was signed is not fetched again. @returns its path */
  download(request: TargetRequest): Promise<string>;
}

export interface TargetRequest {
  readonly metadataUrl: string;
  /** A target path as TUF means it: it may have slashes. */
  readonly targetName: string;
  readonly targetBaseUrl: string;
  /** Absolute; the file in it has the percent-encoded target path as its name. */
  readonly targetFolder: string;
}

/** @param metadataFolder absolute */
export function stockTufClient(metadataFolder: string, clock: Clock): StockTufClient {
  const updater = (metadataUrl: string, target?: TargetRequest): Updater => {
    const made = new Updater({
      metadataDir: metadataFolder,
      metadataBaseUrl: metadataUrl,
      ...(target === undefined ? {} : { targetDir: target.targetFolder, targetBaseUrl: target.targetBaseUrl }),
      config: { fetchRetries: 0 },
    });
    setReferenceTime(made, clock.now());
    return made;
  };
  return {
    async init(trustedRoot) {
      await mkdir(metadataFolder, { recursive: true });
      await writeFile(join(metadataFolder, 'root.json'), trustedRoot);
    },
    refresh: (metadataUrl) =>
      reported(`the metadata at ${metadataUrl} cannot be verified`, () => updater(metadataUrl).refresh()),
    download: (request) =>
      reported(`the target ${JSON.stringify(request.targetName)} cannot be downloaded`, async () => {
        const client = updater(request.metadataUrl, request);
        await client.refresh();
        const target = await client.getTargetInfo(request.targetName);
        if (target === undefined) {
          throw new TieupError('TIEUP_E_NOT_FOUND', `no role signs a target ${JSON.stringify(request.targetName)}`);
        }
        await mkdir(request.targetFolder, { recursive: true });
        return (await client.findCachedTarget(target)) ?? (await client.downloadTarget(target));
      }),
  };
}

/** The suite knows 0 and 1 only, so every refusal is TIEUP_E_FAILED; the cause says which it was. */
async function reported<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new TieupError('TIEUP_E_FAILED', what, {
      cause,
      ...(cause instanceof Error ? { hint: cause.message } : {}),
    });
  }
}
