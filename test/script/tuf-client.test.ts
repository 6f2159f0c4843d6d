/** The command line that the TUF conformance suite drives, called as the suite calls it; its cases are in test/unit/io. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { days } from '../support/conformance.ts';
import { script, type Script } from '../support/script.ts';
import { TufSimulator } from '../support/tuf-simulator.ts';

describe('tieup tuf-client', () => {
  async function clientOf(
    repo: TufSimulator,
  ): Promise<{ sh: Script; client: (...words: string[]) => Promise<number> }> {
    const sh = await script();
    await sh.write('initial_root.json', Buffer.from(repo.bytes('root', 1)).toString());
    // The suite makes both folders before.
    await sh.write('metadata/.keep', '');
    await sh.write('targets/.keep', '');
    const { metadataUrl, targetsUrl } = await repo.start();
    const all = ['--metadata-url', metadataUrl, '--metadata-dir', 'metadata'];
    return {
      sh,
      client: async (...words) => {
        const [last = ''] = words;
        const name = words[1] ?? '';
        const given =
          last === 'init'
            ? ['--metadata-dir', 'metadata', ...words]
            : last === 'download'
              ? [...all, '--target-name', name, '--target-dir', 'targets', '--target-base-url', targetsUrl, 'download']
              : [...all, ...words];
        return (await sh.run(['tuf-client', ...given])).exitCode;
      },
    };
  }

  // The processes go by the clock of this machine.
  const repository = (): TufSimulator => new TufSimulator(days(30, new Date()));

  test('starts with a root, without asking anybody, and refreshes', async () => {
    const repo = repository();
    const { sh, client } = await clientOf(repo);
    expect(await client('init', 'initial_root.json')).toBe(0);
    expect(repo.asked).toEqual([]);
    expect(await client('refresh')).toBe(0);
    const names = readdirSync(join(sh.folder, 'metadata')).filter((name) => name.endsWith('.json'));
    expect(names.toSorted()).toEqual(['root.json', 'snapshot.json', 'targets.json', 'timestamp.json']);
  });

  test('downloads a target once, and ends with 1 when there is no such target', async () => {
    const repo = repository();
    repo.addTarget('targets', 'path/to/file.txt', 'target file contents');
    repo.publish('targets', 'snapshot', 'timestamp');
    const { sh, client } = await clientOf(repo);
    expect(await client('init', 'initial_root.json')).toBe(0);
    expect(await client('download', 'path/to/file.txt')).toBe(0);
    expect(await client('download', 'path/to/file.txt')).toBe(0);
    expect(repo.askedTargets).toEqual(['path/to/file.txt']);
    expect(await sh.read('targets/path%2Fto%2Ffile.txt')).toBe('target file contents');
    expect(await client('download', 'nothing')).toBe(1);
  });

  test('ends with 1 when the metadata cannot be verified, and says why', async () => {
    const repo = repository();
    const { sh, client } = await clientOf(repo);
    expect(await client('init', 'initial_root.json')).toBe(0);
    repo.signersOf('timestamp').clear();
    repo.publish('timestamp');
    expect(await client('refresh')).toBe(1);
    expect(sh.exists('metadata/timestamp.json')).toBe(false);
  });

  test.each(['2.root', 'timestamp', '1.snapshot', '1.targets'])('ends with 1 when %s.json never ends', async (name) => {
    const repo = repository();
    const { sh, client } = await clientOf(repo);
    expect(await client('init', 'initial_root.json')).toBe(0);
    repo.endless = name;
    expect(await client('refresh')).toBe(1);
    expect(sh.exists('metadata/targets.json')).toBe(false);
  });

  test('ends with 1 when it was never started, or is started with nothing', async () => {
    const { sh, client } = await clientOf(repository());
    expect(await client('refresh')).toBe(1);
    expect(await client('init', 'no-such-file.json')).toBe(1);
    expect(sh.exists('metadata/root.json')).toBe(false);
  });

  test('is for programs: the help does not list it, an option that is missing ends with 64', async () => {
    const sh = await script();
    expect((await sh.run(['--help'])).stdout).not.toContain('tuf-client');
    const { exitCode, stderr } = await sh.run(['tuf-client', '--metadata-dir', 'metadata', 'refresh']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 64, stderr: expect.stringContaining('--metadata-url') });
  });
});
