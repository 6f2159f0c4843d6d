/**
 * The cases of the public TUF conformance suite (https://github.com/theupdateframework/tuf-conformance, tuf_conformance/),
 * written anew against the client that `tieup tuf-client` drives; each test bears the name of its upstream case. The
 * command line itself is tested in test/script/tuf-client.test.ts.
 *
 *   test_basic.py                   all ten
 *   test_expiration.py              all five
 *   test_rollback.py                all seven, two of them with and without hashes
 *   test_keys.py                    all eight, three kinds of keys: tuf-conformance-keys.test.ts
 *   test_updater_key_rotations.py   all 15 rotations of the root, all ten of the other roles: there as well
 *   test_file_download.py           all four, and the artifact cache which CLIENT-CLI.md asks for
 *   test_quoting_issues.py, test_updater_delegation_graphs.py, test_delegated_expiration.py
 *                                   tuf-conformance-delegations.test.ts
 *   test_static_repositories.py     with a repository that tieup made, in test/e2e/stock-client.test.ts
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { conformance, type ConformanceTest, days } from '../../support/conformance.ts';
import { seconds } from '../../support/tuf-simulator.ts';

const FIRST_REQUESTS = ['2.root', 'timestamp', '1.snapshot', '1.targets'];
const ALL_AT_ONE = { root: 1, snapshot: 1, targets: 1, timestamp: 1 };

describe('basic', () => {
  test('basic init and refresh', async () => {
    const { repo, client } = await conformance();
    expect(await client.refresh()).toBe('done');
    expect(repo.asked).toEqual(FIRST_REQUESTS);
    expect(await client.trusted()).toEqual(ALL_AT_ONE);
  });

  test('implicit refresh', async () => {
    const { repo, client } = await conformance();
    expect(await client.download('nonexistent artifact')).toBe('refused');
    expect(repo.asked).toEqual(FIRST_REQUESTS);
    expect(await client.trusted()).toEqual(ALL_AT_ONE);
  });

  test('metadata bytes match', async () => {
    const { repo, client } = await conformance();
    expect(await client.refresh()).toBe('done');
    for (const role of Object.keys(ALL_AT_ONE)) expect(await client.bytes(role)).toEqual(Buffer.from(repo.bytes(role)));
  });

  test.each(['invalid initial root', 'unsigned initial root'])('%s', async (which) => {
    const { repo, client } = await conformance();
    repo.tamper('root', 1, (root) => {
      const [signature] = root.signatures;
      if (which === 'invalid initial root') Reflect.deleteProperty(root.signed, 'version');
      else if (signature !== undefined) signature.sig = 'ab'.repeat(64);
    });
    await client.init(repo.bytes('root', 1));
    expect(await client.refresh()).toBe('refused');
    expect(repo.asked).toEqual([]);
  });

  test.each([
    ['root', { root: 1 }],
    ['timestamp', { root: 1 }],
    ['snapshot', { root: 1, timestamp: 1 }],
    ['targets', { root: 1, snapshot: 1, timestamp: 1 }],
  ])('unsigned metadata: %s', async (role, trusted) => {
    const { repo, client } = await conformance();
    for (const name of ['targets', 'snapshot', 'timestamp']) repo.unpublish(name);
    repo.signersOf(role).clear();
    if (role === 'root') repo.publish('root');
    else for (const name of ['targets', 'snapshot', 'timestamp']) repo.publish(name);
    expect(await client.refresh()).toBe('refused');
    expect(await client.trusted()).toEqual(trusted);
  });

  test('timestamp content changes', async () => {
    const { repo, client } = await conformance();
    expect(await client.refresh()).toBe('done');
    const before = await client.bytes('timestamp');
    repo.role('timestamp').meta['snapshot.json'] = { version: 100 };
    repo.publishAs('timestamp', 1);
    expect(await client.refresh()).toBe('done');
    expect(repo.asked.at(-1)).toBe('timestamp');
    expect(await client.bytes('timestamp')).toEqual(before);
  });

  test('basic metadata hash support', async () => {
    const { repo, client } = await conformance();
    repo.hashes = true;
    repo.publish('targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('done');
    repo.publish('targets');
    const meta = repo.role('snapshot').meta['targets.json'];
    if (meta?.hashes !== undefined) meta.hashes.sha256 = '46'.repeat(32);
    repo.publish('snapshot', 'timestamp');
    expect(await client.refresh()).toBe('refused');
    expect(await client.trusted()).toEqual({ root: 1, snapshot: 3, targets: 2, timestamp: 3 });
  });

  test('new targets version mismatch', async () => {
    const { repo, client } = await conformance();
    expect(await client.refresh()).toBe('done');
    repo.publish('targets');
    expect(await client.refresh()).toBe('done');
    expect(repo.asked.at(-1)).toBe('timestamp');
    expect(await client.trusted()).toEqual(ALL_AT_ONE);
  });

  test('custom fields', async () => {
    const { repo, client } = await conformance();
    expect(await client.refresh()).toBe('done');
    repo.root['custom-field'] = 'value';
    repo.rootRole('root')['another-field'] = 'value';
    for (const key of Object.values(repo.root.keys)) key['extra-field'] = { a: 1, b: 2 };
    repo.publish('root');
    expect(await client.refresh()).toBe('done');
    expect(await client.version('root')).toBe(2);
  });
});

describe('expiration', () => {
  const expire = ({ repo, now }: ConformanceTest, role: string): void => {
    repo.role(role).expires = seconds(days(-5, now));
  };

  test('root expired', async () => {
    const run = await conformance();
    const { repo, client } = run;
    expect(await client.refresh()).toBe('done');
    repo.publish('root');
    expect(await client.refresh()).toBe('done');
    expire(run, 'root');
    repo.publish('root', 'targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('refused');
    expect(await client.trusted()).toEqual({ root: 3, snapshot: 1, targets: 1, timestamp: 1 });
  });

  test.each([
    ['timestamp', { root: 1, snapshot: 1, targets: 1 }],
    ['snapshot', { root: 1, snapshot: 1, targets: 1, timestamp: 2 }],
    ['targets', { root: 1, snapshot: 2, targets: 1, timestamp: 2 }],
  ])('%s expired', async (role, trusted) => {
    const run = await conformance();
    const { repo, client } = run;
    expect(await client.refresh()).toBe('done');
    expire(run, role);
    repo.publish('targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('refused');
    expect(await client.trusted()).toMatchObject(trusted);
    expect(await client.version(role)).toBe(1);
  });

  test('expired metadata', async () => {
    const { repo, client, clock, now } = await conformance();
    repo.role('timestamp').expires = seconds(days(7, now));
    repo.publish('timestamp');
    expect(await client.refresh()).toBe('done');
    repo.publish('targets', 'snapshot');
    repo.role('timestamp').expires = seconds(days(21, now));
    repo.publish('timestamp');
    clock.set(days(18, now));
    expect(await client.refresh()).toBe('done');
    expect(await client.trusted()).toEqual({ root: 1, snapshot: 2, targets: 2, timestamp: 3 });
  });
});

describe('rollback', () => {
  test('simple snapshot rollback', async () => {
    const { repo, client } = await conformance();
    repo.publish('snapshot', 'timestamp');
    expect(await client.refresh()).toBe('done');
    const timestamp = repo.bytes('timestamp');
    repo.publishAs('snapshot', 1);
    repo.serve('timestamp', 2, timestamp);
    expect(await client.refresh()).toBe('done');
    expect(await client.version('snapshot')).toBe(2);
    expect(repo.asked.at(-1)).toBe('timestamp');
  });

  test('new timestamp version rollback', async () => {
    const { repo, client } = await conformance();
    repo.publish('timestamp');
    expect(await client.refresh()).toBe('done');
    repo.publishAs('timestamp', 1);
    expect(await client.refresh()).toBe('refused');
    expect(await client.version('timestamp')).toBe(2);
    expect(repo.asked.at(-1)).toBe('timestamp');
  });

  test.each([false, true])('snapshot rollback, with hashes: %s', async (hashes) => {
    const { repo, client } = await conformance();
    repo.hashes = hashes;
    repo.publish('targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('done');
    repo.publishAs('snapshot', 1);
    repo.publish('timestamp');
    expect(await client.refresh()).toBe('refused');
    expect(await client.trusted()).toEqual({ root: 1, snapshot: 2, targets: 2, timestamp: 2 });
    expect(repo.asked.at(-1)).toBe('timestamp');
  });

  test.each([false, true])('targets rollback, with hashes: %s', async (hashes) => {
    const { repo, client } = await conformance();
    repo.hashes = hashes;
    repo.publish('targets', 'targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('done');
    repo.publishAs('targets', 1);
    repo.publish('snapshot', 'timestamp');
    expect(await client.refresh()).toBe('refused');
    expect(await client.version('targets')).toBe(3);
    expect(repo.asked.at(-1)).toBe('3.snapshot');
  });

  test('new targets fast forward recovery', async () => {
    const { repo, client } = await conformance();
    repo.publishAs('targets', 100);
    repo.publish('snapshot', 'timestamp');
    expect(await client.refresh()).toBe('done');
    expect(await client.version('targets')).toBe(100);
    repo.rotateKeys('snapshot');
    repo.publish('root');
    repo.publishAs('targets', 2);
    repo.publish('snapshot', 'timestamp');
    expect(await client.refresh()).toBe('done');
    expect(await client.version('targets')).toBe(2);
  });

  test('new snapshot fast forward recovery', async () => {
    const { repo, client } = await conformance();
    repo.publishAs('snapshot', 99_999);
    repo.publish('timestamp');
    expect(await client.refresh()).toBe('done');
    expect(await client.version('snapshot')).toBe(99_999);
    repo.rotateKeys('snapshot');
    repo.rotateKeys('timestamp');
    repo.publish('root');
    repo.publishAs('snapshot', 1);
    repo.publish('timestamp');
    expect(await client.refresh()).toBe('done');
    expect(await client.version('snapshot')).toBe(1);
  });

  test('new timestamp fast forward recovery', async () => {
    const { repo, client } = await conformance();
    repo.publishAs('timestamp', 100);
    expect(await client.refresh()).toBe('done');
    repo.rotateKeys('timestamp');
    repo.publish('root');
    repo.publishAs('timestamp', 1);
    expect(await client.refresh()).toBe('done');
    expect(await client.version('timestamp')).toBe(1);
  });

  test('new snapshot version mismatch', async () => {
    const { repo, client } = await conformance();
    repo.publish('snapshot');
    repo.role('timestamp').meta['snapshot.json'] = { version: 1 };
    repo.publish('timestamp');
    repo.serve('snapshot', 1, repo.bytes('snapshot', 2));
    expect(await client.refresh()).toBe('refused');
    expect(await client.trusted()).toEqual({ root: 1, timestamp: 2 });
    expect(repo.asked.at(-1)).toBe('1.snapshot');
  });
});

describe('file download', () => {
  test.each(['target_file.txt', 'path/to/a/target_file.txt'])('client downloads expected file: %s', async (path) => {
    const { repo, client } = await conformance();
    repo.addTarget('targets', path, 'target file contents');
    repo.publish('targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('done');
    expect(await client.downloaded()).toEqual([]);
    expect(await client.download(path)).toBe('done');
    expect(await client.downloaded()).toEqual(['target file contents']);
  });

  test('a file that was downloaded is not fetched again', async () => {
    const { repo, client } = await conformance();
    repo.addTarget('targets', 'file', 'contents');
    repo.publish('targets', 'snapshot', 'timestamp');
    expect(await client.download('file')).toBe('done');
    expect(await client.download('file')).toBe('done');
    expect(repo.askedTargets).toEqual(['file']);
  });

  test('repository substitutes target file', async () => {
    const { repo, client } = await conformance();
    repo.addTarget('targets', 'one', 'target file contents');
    repo.addTarget('targets', 'two', 'content');
    repo.publish('targets', 'snapshot', 'timestamp');
    expect(await client.download('one')).toBe('done');
    for (const path of ['one', 'two']) repo.artifacts.set(path, Buffer.from('malicious data'));
    await client.download('one');
    expect(await client.download('two')).toBe('refused');
    expect(await client.downloaded()).toEqual(['target file contents']);
  });

  test('multiple changes to target', async () => {
    const { repo, client } = await conformance();
    const expected = new Map<string, string>();
    for (let round = 0; round <= 10; round++) {
      repo.addTarget('targets', 'target_file.txt', `modified file contents ${round}`);
      repo.addTarget('targets', `new-target-${round}`, `new file contents ${round}`);
      repo.publish('targets', 'snapshot', 'timestamp');
      // The client sees every fifth version only.
      if (round % 5 !== 0) continue;
      for (const path of ['target_file.txt', `new-target-${round}`]) {
        expect(await client.download(path)).toBe('done');
        expected.set(path, Buffer.from(repo.artifacts.get(path) ?? []).toString());
      }
      repo.artifacts.set('target_file.txt', Buffer.from(`malicious contents ${round}`));
      repo.publish('targets', 'snapshot', 'timestamp');
      await client.download('target_file.txt');
      expect((await client.downloaded()).toSorted()).toEqual([...expected.values()].toSorted());
    }
  });
});

test('nothing but metadata and the target is left behind', async () => {
  const { repo, client, folder } = await conformance();
  repo.addTarget('targets', 'file', 'contents');
  repo.publish('targets', 'snapshot', 'timestamp');
  expect(await client.download('file')).toBe('done');
  const names = (await readdir(folder, { recursive: true })).toSorted();
  const roles = ['root', 'snapshot', 'targets', 'timestamp'].map((role) => `metadata/${role}.json`);
  expect(names).toEqual(['metadata', ...roles, 'targets', 'targets/file'].toSorted());
  expect(await readFile(join(folder, 'targets/file'), 'utf8')).toBe('contents');
  expect((await stat(join(folder, 'metadata/root.json'))).isFile()).toBe(true);
});
