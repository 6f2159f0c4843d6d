import { mkdir, readdir, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { refreshTrust, type RefreshOptions } from '../../../src/io/tuf-client.ts';
import {
  at,
  exchangeWith,
  lay,
  METADATA,
  NOW,
  partnerSeeds,
  rootOf,
  signed,
  TARGETS,
} from '../../support/signed-inbox.ts';
import { contentsOf, temporaryFolder } from '../../support/temporary-folder.ts';

const seeds = partnerSeeds('partner-b');

async function committedAtFive(): Promise<{
  parent: string;
  state: string;
  exchange: FileTree;
  options: RefreshOptions;
}> {
  const parent = await temporaryFolder();
  const state = join(parent, 'tuf');
  const exchange = await exchangeWith(seeds, at(5), 'five');
  const options: RefreshOptions = {
    exchange,
    metadataFolder: METADATA,
    targetsFolder: TARGETS,
    stateFolder: state,
    trustedRoot: rootOf(seeds),
    now: NOW,
  };
  await (await refreshTrust(options)).commit();
  return { parent, state, exchange, options };
}

/** Still knows that release 5 was seen: release 4 is refused. */
async function expectMemory({ exchange, options }: { exchange: FileTree; options: RefreshOptions }): Promise<void> {
  await lay(exchange, signed(seeds, at(4), 'four'), 'four');
  await expect(refreshTrust(options)).rejects.toMatchObject({ code: 'TIEUP_E_ROLLBACK' });
}

describe('after a kill', () => {
  test('between the two renames, the old state is put back and nothing is forgotten', async () => {
    const committed = await committedAtFive();
    await rename(committed.state, `${committed.state}.old`);
    await mkdir(`${committed.state}.new-abcdef`);
    await expectMemory(committed);
    expect((await readdir(committed.parent)).toSorted()).toEqual(['tuf', 'tuf.new-abcdef']);
  });

  test('after the two renames, the new state stays and the old one goes', async () => {
    const committed = await committedAtFive();
    await mkdir(`${committed.state}.old`);
    await writeFile(join(`${committed.state}.old`, 'root.json'), rootOf(seeds));
    await expectMemory(committed);
    expect(await readdir(committed.parent)).toEqual(['tuf']);
  });

  test('copies that are older than a day are removed, younger ones may be at work', async () => {
    const { parent, state, options } = await committedAtFive();
    await mkdir(`${state}.new-stale1`);
    await mkdir(`${state}.new-young1`);
    await utimes(`${state}.new-stale1`, 0, 0);
    await (await refreshTrust(options)).discard();
    expect((await readdir(parent)).toSorted()).toEqual(['tuf', 'tuf.new-young1']);
  });
});

describe('trusted metadata', () => {
  test.each(['timestamp.json', 'snapshot.json', 'targets.json', 'root.json'])(
    'with a damaged or missing %s is said to be damaged, and not taken for none',
    async (name) => {
      const { state, options } = await committedAtFive();
      await truncate(join(state, name), 100);
      const before = await contentsOf(state);
      await expect(refreshTrust(options)).rejects.toMatchObject({ code: 'TIEUP_E_STORAGE' });
      expect(await contentsOf(state)).toEqual(before);
      await rm(join(state, name));
      await expect(refreshTrust(options)).rejects.toMatchObject({
        code: 'TIEUP_E_STORAGE',
        message: expect.stringContaining('damaged'),
      });
    },
  );

  test('that was exchanged for metadata of other keys is said to be damaged', async () => {
    const { state, options } = await committedAtFive();
    await writeFile(join(state, 'timestamp.json'), signed(partnerSeeds('x'), at(1), 'x').timestamp.bytes);
    await expect(refreshTrust(options)).rejects.toMatchObject({ code: 'TIEUP_E_STORAGE' });
  });

  test('wins over the root that is handed in', async () => {
    const { options } = await committedAtFive();
    const verified = await refreshTrust({ ...options, trustedRoot: rootOf(partnerSeeds('x')) });
    expect(verified.versions.targets).toBe(5);
    await verified.discard();
  });

  test('must start from somewhere', async () => {
    const { options } = await committedAtFive();
    const stateFolder = join(await temporaryFolder(), 'tuf');
    await expect(refreshTrust({ ...options, stateFolder, trustedRoot: undefined })).rejects.toMatchObject({
      code: 'TIEUP_E_NOT_FOUND',
      hint: 'start the partnership with "tieup join"',
    });
  });

  test('is not set back by a command that looked earlier and commits later', async () => {
    const { state, exchange, options } = await committedAtFive();
    await lay(exchange, signed(seeds, at(6), 'six'), 'six');
    const six = await refreshTrust(options);
    await lay(exchange, signed(seeds, at(7), 'seven'), 'seven');
    await (await refreshTrust(options)).commit();
    const before = await contentsOf(state);
    await expect(six.commit()).rejects.toMatchObject({ code: 'TIEUP_E_DRIFT' });
    await six.discard();
    expect(await contentsOf(state)).toEqual(before);
  });

  test('is readable by its owner alone', async () => {
    const { parent } = await committedAtFive();
    expect((await stat(join(parent, 'tuf'))).mode & 0o777).toBe(0o700);
  });

  test('that cannot be written is a fault of the storage, and is kept as it is', async () => {
    const { parent, state, options } = await committedAtFive();
    const before = await contentsOf(state);
    // A file where a folder must be: unlike permissions, it stops root as well.
    await writeFile(join(parent, 'file'), '');
    const stateFolder = join(parent, 'file', 'tuf');
    await expect(refreshTrust({ ...options, stateFolder })).rejects.toMatchObject({ code: 'TIEUP_E_STORAGE' });
    expect(await contentsOf(state)).toEqual(before);
  });
});
