/** What cron mails to a partner's manager: a notice once, and nothing else. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliPartnership, startPartnership } from '../support/cli-partnership.ts';
import { call } from '../support/script.ts';

let sites: CliPartnership;
beforeAll(async () => {
  sites = await startPartnership();
});
afterAll(() => sites.dispose());

/** As crontab has it: no password, nobody to ask, and both streams go into the mail. */
async function cron(): Promise<{ readonly exitCode: number; readonly mail: string }> {
  const environment = { HOME: sites.shop, PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' };
  const { exitCode, stdout, stderr } = await call(['accept', '--auto', '--quiet'], sites.shop, environment);
  return { exitCode, mail: stdout + stderr };
}

const SILENT = (exitCode: number) => ({ exitCode, mail: '' });
const told = (exitCode: number, text: string) => ({ exitCode, mail: expect.stringContaining(text) });

async function pushChange(...pages: readonly string[]): Promise<void> {
  for (const page of pages) await appendFile(join(sites.main, 'pages', page), '\nOne line more.\n');
  await sites.tieup(sites.main, 'push');
}

test('cron mails once what is for the manager, and nothing while all is well', async () => {
  const { shop, tieup } = sites;
  expect(await cron()).toEqual(told(1, 'nothing has been pushed yet'));
  expect(await cron()).toEqual(SILENT(1));

  await sites.publish();
  expect(await cron()).toEqual(SILENT(0));

  // Within the policy: it goes live without a word.
  const config = join(shop, 'tieup.yaml');
  const text = (await readFile(config, 'utf8')).replace(/^auto:\n(?: .*\n)*/m, '');
  await writeFile(config, `${text}auto:\n  allow: content\n  maxChangedPages: 1\n`);
  await tieup(shop, 'accept', '--sign-policy');
  await pushChange('brewing.md');
  expect(await cron()).toEqual(SILENT(0));
  expect(await tieup(shop, 'status')).toContain('release 2 is live');

  // Held: said once, until that is over; the next time it is news.
  for (let round = 0; round < 2; round += 1) {
    await tieup(shop, 'rollback');
    expect(await cron()).toEqual(told(6, 'this site holds release 1'));
    expect(await cron()).toEqual(SILENT(6));
    await tieup(shop, 'resume');
    expect(await cron()).toEqual(SILENT(0));
  }

  // Beyond the policy: said once for each release.
  await pushChange('brewing.md', 'index.md');
  expect(await cron()).toEqual(told(9, 'release 3 waits for the manager'));
  expect(await cron()).toEqual(SILENT(9));
  await pushChange('brewing.md', 'index.md');
  expect(await cron()).toEqual(told(9, 'release 4 waits for the manager'));
  expect(await cron()).toEqual(SILENT(9));

  // What the manager rejected is no news to the manager, also where cron comes later than that.
  await pushChange('brewing.md', 'index.md');
  await tieup(shop, 'reject', '--reason', 'not in summer');
  expect(await cron()).toEqual(SILENT(9));

  // Whoever asks for a document gets one every time.
  const environment = { HOME: shop, PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' };
  const json = await call(['accept', '--auto', '--quiet', '--json'], shop, environment);
  expect([json.exitCode, JSON.parse(json.stdout)]).toMatchObject([9, { result: 'left-to-the-manager', release: 5 }]);
});
