/** Pushes to some of many partners, in turn, by time and once more, and the way back: through the command line. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { json, mainCommands } from '../support/main-commands.ts';
import { callUntil } from '../support/script.ts';

const { sites, environment, run, page } = mainCommands();

async function editPartner(change: (text: string) => string): Promise<void> {
  const file = join(sites().main, 'partners/harbour.yaml');
  await writeFile(file, change(await readFile(file, 'utf8')));
}

const results = async (...words: readonly string[]): Promise<unknown> => {
  const ended = await run(...words, '--json');
  return { exitCode: ended.exitCode, ...Object(json(ended)) };
};

test('--due pushes when the prescribed time has come, and once', async () => {
  expect(await results('push', '--due')).toMatchObject({ exitCode: 0, partners: [] });
  // Nobody has to wait for the first of January while this runs.
  await editPartner((text) => `${text}schedule:\n  at: "0 0 1 1 *"\n  timezone: UTC\n`);
  expect(await results('push', '--due')).toMatchObject({ partners: [{ partner: 'harbour', result: 'pushed' }] });
  await page('Second');
  expect(await results('push', '--due')).toMatchObject({ exitCode: 0, partners: [] });
  expect(await results('push')).toMatchObject({ partners: [{ result: 'pushed', release: 2 }] });
  expect((await run('push', '--due', '--retry-failed')).exitCode).toBe(64);
});

test('--watch stays, pushes who is due, and ends with Ctrl-C', async () => {
  await editPartner((text) => `${text}schedule:\n  at: "0 0 1 1 *"\n  timezone: UTC\n`);
  const isPushed = (stdout: string): boolean => stdout.includes('release 1 pushed');
  const watched = await callUntil(['push', '--watch'], sites().main, environment(), isPushed);
  expect(watched).toMatchObject({ exitCode: 130, stdout: expect.stringContaining('release 1 pushed') });
  expect(await results('push', '--due')).toMatchObject({ exitCode: 0, partners: [] });
  expect((await run('push', '--watch', '--retry-failed')).exitCode).toBe(64);
  expect(await run('push', '--watch', '--json')).toMatchObject({
    exitCode: 64,
    stderr: expect.stringContaining('--due'),
  });
});

test('--retry-failed pushes where the last push failed, and nowhere else', async () => {
  expect(await run('push', '--retry-failed')).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('nothing failed last time'),
  });
  const right = await readFile(join(sites().main, 'partners/harbour.yaml'), 'utf8');
  await editPartner((text) => text.replace(/sftp:\/\/main@/, 'sftp://nobody@'));
  expect((await run('push')).exitCode).toBe(4);
  await editPartner(() => right);
  expect(await results('push', '--retry-failed')).toMatchObject({ exitCode: 0, partners: [{ result: 'pushed' }] });
  await page('Second');
  expect(await results('push', '--retry-failed')).toMatchObject({ exitCode: 0, partners: [] });
});

test('--shard serves each partner from one machine, and status --merge makes one table of them', async () => {
  const pushed: unknown[] = [];
  const files: string[] = [];
  for (const shard of ['1/2', '2/2']) {
    pushed.push(...Object(await results('push', '--shard', shard)).partners);
    const file = join(sites().main, `status-${shard[0]}.json`);
    await writeFile(file, (await run('status', '--shard', shard, '--json')).stdout);
    files.push(file);
  }
  expect(pushed).toMatchObject([{ partner: 'harbour', result: 'pushed' }]);
  const merged = await results('status', '--merge', ...files);
  expect(merged).toMatchObject({ exitCode: 0, partners: [{ partner: 'harbour', state: 'pending' }] });
  expect((await run('push', '--shard', '3/2')).exitCode).toBe(64);

  // One whose machine wrote nothing has failed.
  await writeFile(files[0] ?? '', JSON.stringify({ schema: 'tieup.status/v1', partners: [] }));
  const missing = await results('status', '--merge', files[0] ?? '');
  expect(missing).toMatchObject({
    exitCode: 3,
    partners: [{ partner: 'harbour', state: 'failed', detail: 'no machine reported on it' }],
  });
  expect((await run('status', '--merge', files[0] ?? '', 'harbour', '--cached')).exitCode).toBe(64);
  // The shell of a job that was ended makes the file before anything is written.
  await writeFile(files[0] ?? '', '');
  expect(await results('status', '--merge', files[0] ?? '')).toMatchObject({
    exitCode: 3,
    warnings: [expect.stringContaining('is empty')],
    partners: [{ partner: 'harbour', state: 'failed', detail: 'no machine reported on it' }],
  });
  // What another machine has found of its partners counts, and a job is missing all the same.
  const whole = join(sites().main, 'push.json');
  await writeFile(whole, (await run('push', '--json')).stdout);
  expect(await results('status', '--merge', files[0] ?? '', whole)).toMatchObject({
    exitCode: 3,
    partners: [{ partner: 'harbour', state: 'pending', pushed: 1 }],
  });
  expect(await results('status', '--merge', whole)).toMatchObject({ exitCode: 0 });
  await writeFile(files[0] ?? '', 'no JSON');
  expect((await run('status', '--merge', files[0] ?? '')).exitCode).toBe(64);
});

test('a plan is saved for those who could be asked, names the others, and can be pushed again', async () => {
  const file = join(sites().main, 'partners/harbour.yaml');
  const other = (await readFile(file, 'utf8')).replace(/^id: "harbour"/m, 'id: quay').replace('main@', 'nobody@');
  await writeFile(join(sites().main, 'partners/quay.yaml'), other);
  const planned = await run('plan', '--out', 'plan.json');
  expect(planned.exitCode).toBe(3);
  expect(planned.stderr).toContain('plan.json leaves out quay');
  const saved = JSON.parse(await readFile(join(sites().main, 'plan.json'), 'utf8'));
  expect(saved.partners).toMatchObject([{ partner: 'harbour' }]);
  expect(await results('push', 'plan.json')).toMatchObject({ exitCode: 0, partners: [{ result: 'pushed' }] });
  expect(await results('push', 'plan.json')).toMatchObject({ exitCode: 0, partners: [{ result: 'unchanged' }] });
  expect((await run('push', 'plan.json', '--confirm', 'harbour')).exitCode).toBe(64);

  expect((await run('plan', 'quay', '--out', 'none.json')).exitCode).toBe(4);
  await expect(readFile(join(sites().main, 'none.json'))).rejects.toThrow('ENOENT');
});

test('rollback --partner brings the pages of before, and holds them until partner resume', async () => {
  await sites().publish();
  await page('A mistake');
  await sites().publish();
  const back = await run('rollback', '--partner', 'harbour');
  expect(back).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('release 3 pushed') });
  expect(back.stderr).toContain('these are the pages of release 1, and they are held');

  const refused = await run('push', 'harbour');
  expect(refused.exitCode).toBe(6);
  expect(refused.stderr).toContain('tieup partner resume harbour');
  expect(await results('status')).toMatchObject({
    partners: [{ pushed: 3, warnings: [expect.stringContaining('holds the pages of release 1')] }],
  });
  await page('Mended');
  expect(await run('partner', 'resume', 'harbour')).toMatchObject({ exitCode: 0 });
  expect(await results('push')).toMatchObject({ exitCode: 0, partners: [{ result: 'pushed', release: 4 }] });
  expect((await run('rollback')).exitCode).toBe(64);
  expect((await run('rollback', '--partner', 'harbour', '--to', '9')).exitCode).toBe(64);
});
