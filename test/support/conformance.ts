/** A client under test and the repository it talks to, as the conformance suite sees them: outcome, trusted metadata, requests. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isTieupError } from '../../src/errors.ts';
import { stockTufClient } from '../../src/io/tuf-conformance.ts';
import { START, testClock, type TestClock } from './partner-fixture.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { TufSimulator } from './tuf-simulator.ts';

export type Outcome = 'done' | 'refused';

export interface ConformanceTest {
  readonly repo: TufSimulator;
  readonly client: ClientUnderTest;
  readonly clock: TestClock;
  readonly now: Date;
  /** Holds `metadata` and `targets`. */
  readonly folder: string;
}

export interface ClientUnderTest {
  init(root: Uint8Array): Promise<void>;
  refresh(): Promise<Outcome>;
  download(path: string): Promise<Outcome>;
  /** Version by the name of the file, percent-encoded for odd roles. */
  trusted(): Promise<Readonly<Record<string, number>>>;
  version(role: string): Promise<number | undefined>;
  bytes(role: string): Promise<Buffer>;
  /** The contents of everything in the folder of targets. */
  downloaded(): Promise<readonly string[]>;
}

export function days(count: number, from: Date): Date {
  return new Date(from.getTime() + count * 24 * 60 * 60 * 1000);
}

/** A repository with version 1 of everything, and a client that has its root and nothing else. */
export async function conformance(): Promise<ConformanceTest> {
  const repo = new TufSimulator(days(30, START));
  const { metadataUrl, targetsUrl } = await repo.start();
  const folder = await temporaryFolder();
  const clock = testClock();
  const [metadata, targets] = [join(folder, 'metadata'), join(folder, 'targets')];
  const stock = stockTufClient(metadata, clock);
  const client: ClientUnderTest = {
    init: (root) => stock.init(root),
    refresh: () => outcome(stock.refresh(metadataUrl)),
    download: (path) =>
      outcome(stock.download({ metadataUrl, targetName: path, targetBaseUrl: targetsUrl, targetFolder: targets })),
    trusted: async () => {
      const versions: Record<string, number> = {};
      for (const name of (await readdir(metadata)).toSorted()) {
        const { signed } = JSON.parse(await readFile(join(metadata, name), 'utf8'));
        versions[name.replace(/\.json$/, '')] = Number(signed.version);
      }
      return versions;
    },
    version: async (role) => (await client.trusted())[role],
    bytes: (role) => readFile(join(metadata, `${role}.json`)),
    downloaded: async () => {
      const names = await readdir(targets).catch(() => []);
      return Promise.all(names.map((name) => readFile(join(targets, name), 'utf8')));
    },
  };
  await client.init(repo.bytes('root', 1));
  return { repo, client, clock, now: START, folder };
}

async function outcome(work: Promise<unknown>): Promise<Outcome> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_FAILED')) return 'refused';
    throw error;
  }
}
