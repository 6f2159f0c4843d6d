/** A partner site that verifies an inbox, and what its refusals look like. */
import { join } from 'node:path';
import { Metadata, MetadataKind, Signature } from '@tufjs/models';
import { expect } from 'vitest';
import { type ErrorCode, isTieupError } from '../../src/errors.ts';
import type { FileTree } from '../../src/io/file-tree.ts';
import { memoryTree } from '../../src/io/memory-tree.ts';
import { refreshTrust, type RefreshOptions } from '../../src/io/tuf-client.ts';
import { bulkSigner, publicKeyOf } from '../../src/protocol/ed25519.ts';
import { tufKeyId } from '../../src/protocol/tuf-metadata.ts';
import { at, lay, METADATA, NOW, partnerSeeds, rootOf, signed, type SignedFiles, TARGETS } from './signed-inbox.ts';
import { contentsOf, temporaryFolder } from './temporary-folder.ts';

export const seeds = partnerSeeds('partner-b');
export const days = (count: number, from = NOW): Date => new Date(from.getTime() + count * 24 * 60 * 60 * 1000);

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Metadata that was changed by somebody who has the keys. */
export function resigned(text: string, signers: readonly Uint8Array[]): Uint8Array {
  const json = JSON.parse(text);
  const { _type: type } = json.signed;
  const metadata =
    type === 'root' ? Metadata.fromJSON(MetadataKind.Root, json) : Metadata.fromJSON(MetadataKind.Timestamp, json);
  metadata.signatures = {};
  for (const seed of signers) {
    const sign = bulkSigner(seed);
    metadata.sign((bytes) => new Signature({ keyID: tufKeyId(hex(publicKeyOf(seed))), sig: hex(sign(bytes)) }));
  }
  return Buffer.from(JSON.stringify(metadata.toJSON()));
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly changed: readonly string[];
}

/** What a refusal must be like. */
export function refused(code: ErrorCode, why: string): unknown {
  return { code, message: expect.stringContaining(why), changed: [] };
}

export interface Partner {
  readonly folder: string;
  options(exchange: FileTree, now?: Date): RefreshOptions;
  /** Refreshes and commits. */
  take(exchange: FileTree, now?: Date): Promise<number>;
  /** What a refusal says, and what it left changed in or beside the state folder: nothing, if all is well. */
  refusal(exchange: FileTree, now?: Date): Promise<Refusal>;
}

export async function newPartner(root = rootOf(seeds)): Promise<Partner> {
  const folder = await temporaryFolder();
  const options = (exchange: FileTree, now = NOW): RefreshOptions => ({
    exchange,
    metadataFolder: METADATA,
    targetsFolder: TARGETS,
    stateFolder: join(folder, 'state', 'tuf'),
    trustedRoot: root,
    now,
  });
  return {
    folder,
    options,
    take: async (exchange, now) => {
      const verified = await refreshTrust(options(exchange, now));
      await verified.commit();
      return verified.versions.targets;
    },
    refusal: async (exchange, now) => {
      const before = await contentsOf(folder);
      const error: unknown = await refreshTrust(options(exchange, now)).then(
        () => undefined,
        (refusal: unknown) => refusal,
      );
      if (!isTieupError(error)) throw error ?? new Error('it was not refused');
      const after = await contentsOf(folder);
      // The parent of the state folder is made on the first call.
      const names = new Set([...Object.keys(before), ...Object.keys(after)].filter((name) => name !== 'state'));
      const changed = [...names].filter((name) => before[name] !== after[name]);
      return { code: error.code, message: error.message, changed };
    },
  };
}

/** A partner that has taken release 5, and what it took. */
export async function partnerAtFive(): Promise<{ partner: Partner; exchange: FileTree; five: SignedFiles }> {
  const partner = await newPartner();
  const five = signed(seeds, at(5), 'five');
  const exchange = memoryTree('exchange');
  await lay(exchange, five, 'five');
  expect(await partner.take(exchange)).toBe(5);
  return { partner, exchange, five };
}
