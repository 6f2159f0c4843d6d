/** What a partner's manager is told to do next. */
import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliPartnership, startPartnership } from '../support/cli-partnership.ts';
import { call, type Ended } from '../support/script.ts';

/** As `init` suggests it. */
const MOUNT = 'with-northwind-coffee/';

let sites: CliPartnership;
beforeAll(async () => {
  sites = await startPartnership();
  await sites.publish();
});
afterAll(() => sites.dispose());

function run(...words: readonly string[]): Promise<Ended> {
  return call(words, sites.shop, { HOME: sites.shop, PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' });
}

test('verify says of each kind of difference what mends it, and that works', async () => {
  const mount = join(sites.shop, 'public', MOUNT);
  await appendFile(join(mount, 'index.html'), 'a line more\n');
  await rm(join(mount, 'visit.html'));
  await writeFile(join(mount, 'stranger.html'), '<title>not ours</title>\n');
  const found = await run('verify');
  expect(found.exitCode).toBe(6);
  expect(found.stdout).toContain('changed: tieup merge --choose <path>=take-theirs puts back what was signed');
  expect(found.stdout).toContain('missing: tieup merge puts it back');
  expect(found.stdout).toContain('extra: tieup did not put it there');
  await sites.tieup(sites.shop, 'merge', '--choose', `${MOUNT}index.html=take-theirs`);
  await rm(join(mount, 'stranger.html'));
  expect(await run('verify')).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining('merge') });
});
