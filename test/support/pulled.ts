/** Pulling in tests: what one partner's pull gave, and that a refused one changed nothing that counts. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { TieupError } from '../../src/errors.ts';
import { type GivenFile, importFiles } from '../../src/main-site/import-logs.ts';
import type { MainSite } from '../../src/main-site/main-site.ts';
import { keepForGood, recallRelease } from '../../src/main-site/sent-releases.ts';
import { pullLogs, type PullResult } from '../../src/main-site/pull-logs.ts';
import { renderRelease } from '../../src/protocol/release.ts';
import type { PartnerFixture } from './partner-fixture.ts';
import type { MainFixture } from './partnership-fixture.ts';
import { changedPaths, snapshotOf } from './snapshot.ts';

export type Pulled = Exclude<PullResult, { readonly kind: 'failed' }>;

/** The only partner's result, which must be no failure. */
export async function pullOne(main: MainFixture, site: MainSite = main.site): Promise<Pulled> {
  const [result] = await pullLogs(site, [], 2);
  if (result === undefined) throw new Error('nobody was asked');
  if (result.kind === 'failed') throw result.error;
  return result;
}

/** Makes the main site know the release that it pushed by another digest as well. */
export async function knowRelease(main: MainFixture, digest: string): Promise<void> {
  const { site } = main;
  const { releaseDigest } = await main.pushedBefore();
  const release = await recallRelease(site, 'harbour', releaseDigest);
  if (release === undefined) throw new Error('nothing is kept of what was pushed');
  await keepForGood(site, 'harbour', digest, renderRelease(release));
}

/** Files of the outbox, as they come by mail. */
export function mailed(shop: PartnerFixture, ...names: readonly string[]): readonly GivenFile[] {
  return names.map((name) => {
    const bytes = readFileSync(shop.path(`exchange/outbox/logs/${name}`));
    return {
      name,
      length: bytes.length,
      stream: async function* () {
        yield bytes;
      },
    };
  });
}

/** Takes in the export that lies in the outbox as if it had come by mail. */
export async function importMailed(main: MainFixture, shop: PartnerFixture): Promise<Pulled> {
  const names = readdirSync(shop.path('exchange/outbox/logs')).filter((name) => /^export\.note$|part\.gz$/.test(name));
  const result = await importFiles(main.site, mailed(shop, ...names));
  if (result.kind === 'failed') throw result.error;
  return result;
}

/** Evidence and the lock are no statement about what is true. */
const NO_STATEMENT = /^\.tieup\/logs\/[a-z]+(?:\/(?:evidence|incoming|lock)(?:\/.*)?)?$|^\.tieup(?:\/logs|\/hits)?$/;

export interface RefusedPull {
  readonly error: TieupError;
  /** The names of the files that were kept as evidence, sorted. */
  readonly evidence: readonly string[];
  /** Of the case that was kept. */
  readonly reason: string;
}

/** Pulls what must be refused: nothing may be pinned, kept as verified, imported, cosigned or demanded. */
export async function refusedPull(
  main: MainFixture,
  shop: PartnerFixture,
  site: MainSite = main.site,
): Promise<RefusedPull> {
  const [before, shopBefore] = [await snapshotOf(main.folder), await shop.snapshot()];
  const imported = [...main.hits.files];
  const cases = new Set(casesOf(main, shop));
  const [result] = await pullLogs(site, [], 2);
  if (result?.kind !== 'failed') throw new Error(`it was not refused but ${result?.kind}`);
  expect(changedPaths(before, await snapshotOf(main.folder), NO_STATEMENT)).toEqual([]);
  expect(changedPaths(shopBefore, await shop.snapshot())).toEqual([]);
  expect([...main.hits.files]).toEqual(imported);
  expect(main.hits.open()).toBe(0);
  const [added] = casesOf(main, shop).filter((name) => !cases.has(name));
  if (added === undefined) return { error: result.error, evidence: [], reason: '' };
  const folder = join(evidenceFolder(main, shop), added);
  const names = readdirSync(folder).toSorted();
  return { error: result.error, evidence: names, reason: readFileSync(join(folder, 'reason.txt'), 'utf8') };
}

function casesOf(main: MainFixture, shop: PartnerFixture): readonly string[] {
  const folder = evidenceFolder(main, shop);
  return existsSync(folder) ? readdirSync(folder) : [];
}

function evidenceFolder(main: MainFixture, { id }: PartnerFixture): string {
  return join(main.folder, `.tieup/logs/${id}/evidence`);
}
