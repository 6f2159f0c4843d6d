/** The partner's commands for access logs, as its cron jobs and its manager call them. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliPartnership, PASSWORD, startPartnership } from '../support/cli-partnership.ts';
import { call, type Ended } from '../support/script.ts';
import { hit } from '../support/shop-logs.ts';
import { snapshotOf } from '../support/snapshot.ts';

let sites: CliPartnership;
beforeAll(async () => {
  sites = await startPartnership();
  await sites.publish();
}, 120_000);
afterAll(() => sites.dispose());

const tieup = (...words: readonly string[]): Promise<Ended> =>
  call(words, sites.shop, {
    HOME: dirname(sites.shop),
    PATH: process.env['PATH'] ?? '',
    LANG: 'C.UTF-8',
    TIEUP_PASSWORD: PASSWORD,
  });
const at = (path: string): string => join(sites.shop, path);
const log = (...lines: readonly string[]): void => appendFileSync(at('log/access.log'), lines.join(''));

/** Ends with that code and changes nothing. */
async function refused(exitCode: number, ...words: readonly string[]): Promise<string> {
  const before = await snapshotOf(sites.shop);
  const ended = await tieup(...words);
  expect([words.join(' '), ended.exitCode]).toEqual([words.join(' '), exitCode]);
  expect(await snapshotOf(sites.shop)).toEqual(before);
  return ended.stderr;
}

/** What `--json` prints; the command must end with 0. */
async function json(...words: readonly string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await tieup(...words, '--json');
  expect([exitCode, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

// One story: each test goes on where the one before ended.
describe('a partner with access logs', { shuffle: false }, () => {
  test('is told what is missing as long as tieup.yaml does not name them', async () => {
    for (const verb of ['commit', 'export', 'show', 'schedule']) {
      expect(await refused(78, 'logs', verb)).toContain('tieup.yaml does not say where the access logs are');
    }
  });

  test('finds the format of a log, and the lines for tieup.yaml', async () => {
    mkdirSync(at('log'));
    log(hit('/a'), hit('/b?c=d'));
    const { exitCode, stdout } = await tieup('logs', 'detect', 'log/access.log');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('is read as combined: 2 of 2 lines');
    expect(stdout).toMatch(/ {2}path {6}\/b\n {2}query {5}c=d\n/);
    const yaml = stdout.slice(stdout.indexOf('\nlogs:\n'));
    expect(yaml).toBe(`\nlogs:\n  sources:\n    - files: "${at('log/access.log*')}"\n      format: "combined"\n`);
    appendFileSync(at('tieup.yaml'), yaml);
    writeFileSync(at('log/poem'), 'no\nlog\n');
    expect(await refused(78, 'logs', 'detect', 'log/poem')).toContain('no format that tieup knows reads');
    rmSync(at('log/poem'));
  });

  test('destroys the secrets of old pseudonyms with whatever command, and no others', async () => {
    const today = new Date().toISOString().slice(0, 10);
    const salt = (day: string): string => at(`state/logs/salts/${day}`);
    mkdirSync(at('state/logs/salts'), { recursive: true });
    for (const day of ['2020-01-01', today]) writeFileSync(salt(day), Buffer.alloc(32, 1), { mode: 0o600 });
    expect((await tieup('status')).exitCode).toBe(0);
    expect([existsSync(salt('2020-01-01')), existsSync(salt(today))]).toEqual([false, true]);
  });

  test('commits, sees what would leave, and hands it over', async () => {
    log(hit('/with-northwind-coffee/'), hit('/own.html'), 'no line\n');
    expect(await json('logs', 'commit')).toMatchObject({
      schema: 'tieup.logs-commit/v1',
      counts: { lines: 5, T: 1, O: 3, X: 1 },
    });
    const shown = await tieup('logs', 'show');
    expect(shown.stdout).toMatch(/T {2}\S+ {2}GET \/with-northwind-coffee\/ HTTP\/1\.1 {2}200 512 bytes\n/);
    expect(shown.stdout).toContain('ip=203.0.113.0');
    expect(shown.stdout).not.toContain('203.0.113.7');
    expect(shown.stdout).toContain('your own pages  0 records, 4 more only counted');
    expect(await json('logs', 'show', '--log', 'O', '--only', 'path~own')).toMatchObject({
      schema: 'tieup.logs-show/v1',
      logs: { O: { leaving: 1, counted: 3 } },
    });
    expect((await tieup('logs', 'export')).stdout).toContain('export 1 is in the outbox');
    expect((await tieup('logs', 'export')).stdout).toContain('nothing new');
    expect(await sites.tieup(sites.main, 'logs', 'pull')).toContain('verified and cosigned');
  });

  test('is given the lines for cron and the units for systemd', async () => {
    const { stdout } = await tieup('logs', 'schedule');
    const calling = `${process.execPath} ${resolve(import.meta.dirname, '../../bin/tieup.js')}`;
    expect(stdout).toContain(
      `3-59/5 * * * *  cd ${sites.shop} && { out=$(${calling} logs commit --quiet 2>&1) || echo "$out"; }\n`,
    );
    expect(stdout).toContain(
      `10 4 * * *  cd ${sites.shop} && { out=$(${calling} logs export --quiet --wait 30) || echo "$out"; }\n`,
    );
    expect(stdout).toContain(`User=${userInfo().username}\n`);
    expect(stdout).toContain(`ExecStart=${calling} logs export --quiet --wait 30\n`);
    // As cron runs it.
    const line = /3-59\/5 \* \* \* \*  (.*)/.exec(stdout)?.[1] ?? '';
    log(hit('/own/by-cron.html'));
    const env = { PATH: '/usr/bin:/bin', HOME: dirname(sites.shop) };
    expect(execFileSync('/bin/sh', ['-c', line], { env, encoding: 'utf8' })).toBe('');
    expect(await json('logs', 'commit')).toMatchObject({ added: { lines: 0 } });
    expect((await tieup('logs', 'commit', '--quiet')).exitCode).toBe(0);
  });

  test('is stopped when a log is gone with lines that nobody read, until the manager says so', async () => {
    log(hit('/with-northwind-coffee/'));
    renameSync(at('log/access.log'), at('kept'));
    expect(await refused(6, 'logs', 'commit')).toContain('--accept-gap');
    renameSync(at('kept'), at('log/access.log'));
    expect(await json('logs', 'commit')).toMatchObject({ counts: { T: 2, G: 0 } });
    rmSync(at('log/access.log'));
    expect(await refused(6, 'logs', 'export')).toContain('put it back from a backup');
    const accepted = await tieup('logs', 'commit', '--accept-gap');
    expect([accepted.stdout, accepted.stderr]).toEqual([
      expect.stringContaining('1 gap'),
      expect.stringContaining('warning: no log file is there'),
    ]);
  });

  test('is told of a log that cannot be read', async () => {
    log(hit('/own.html'));
    writeFileSync(at('log/access.log.2.xz'), 'compressed');
    // Compression keeps the time of the last line: it must not be that of a log that was read and is gone.
    utimesSync(at('log/access.log.2.xz'), 1_700_000_000, 1_700_000_000);
    expect(await refused(1, 'logs', 'commit')).toContain('compressed in a way that tieup cannot read');
    rmSync(at('log/access.log.2.xz'));
    expect((await tieup('logs', 'commit')).exitCode).toBe(0);
  });

  test('runs one at a time', async () => {
    const until = new Date(Date.now() + 600_000).toISOString().replace(/\.\d+/, '');
    const holder = { who: 'cron@here, process 1', id: 'another', host: hostname(), pid: process.pid, until };
    writeFileSync(at('state/logs/lock'), JSON.stringify(holder));
    for (const verb of ['commit', 'export', 'show']) expect(await refused(7, 'logs', verb)).toContain('is locked by');
    rmSync(at('state/logs/lock'));
  });

  test('begins anew by the word of the manager alone', async () => {
    expect(await refused(64, 'logs', 'new-epoch', '--confirm', 'harbour')).toContain('--reason');
    expect(await refused(64, 'logs', 'new-epoch', '--reason', 'why')).toContain('--confirm harbour');
    expect(await json('logs', 'new-epoch', '--reason', 'we moved', '--confirm', 'harbour')).toMatchObject({
      epoch: 2,
      carried: 4,
    });
    const rotated = await json('keys', 'rotate', 'log', '--confirm', 'harbour');
    expect(rotated).toMatchObject({ name: 'log-2', epoch: 3 });
    expect((await tieup('logs', 'export')).stdout).toContain('export 2 is in the outbox');
  });
});
