/** A partnership over the years, as both sides type it: suspended, resumed, changed, left, ended. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliPartnership, digestIn, PASSWORD, startPartnership } from '../support/cli-partnership.ts';
import { call, type Ended } from '../support/script.ts';

const ENVIRONMENT = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', TIEUP_PASSWORD: PASSWORD };
const PAGE = 'with-northwind-coffee/index.html';

let sites: CliPartnership;
beforeAll(async () => {
  sites = await startPartnership();
});
afterAll(() => sites.dispose());

/** `tieup …words`, however it ends. */
function run(folder: string, ...words: readonly string[]): Promise<Ended> {
  return call(words, folder, { HOME: folder, ...ENVIRONMENT });
}

async function replace(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  await writeFile(path, text.replace(from, to));
}

const isLive = (path: string): boolean => existsSync(join(sites.shop, 'public', path));

test('a partnership lives through the years: kit, suspension, other terms, leaving, coming back, the end', async () => {
  const { main, shop, tieup } = sites;

  // It begins with a kit, which lies beside the partner’s own pages and is not published.
  expect(await readFile(join(sites.shop, 'kit/guidance.md'), 'utf8')).toBe(
    await readFile(join(sites.main, 'kit/guidance.md'), 'utf8'),
  );
  expect(existsSync(join(sites.shop, 'kit/pages/sample.html'))).toBe(true);
  await sites.publish();
  expect(isLive(PAGE)).toBe(true);
  expect(isLive('kit/guidance.md')).toBe(false);

  // It is suspended: pushes end with 11 and say until when; resumed: they go on.
  await tieup(main, 'partner', 'suspend', 'harbour', '--until', '2999-12-31', '--reason', 'the harbour is closed');
  const refused = await run(main, 'push');
  expect(refused.exitCode).toBe(11);
  expect(refused.stderr).toContain('is suspended until 2999-12-31: the harbour is closed');
  expect(refused.stderr).toContain('tieup partner resume harbour');
  expect(await tieup(main, 'status')).toMatch(/harbour +! suspended .*until 2999-12-31/);
  expect(await tieup(main, 'partner', 'list')).toMatch(/harbour +Harbour Books +! suspended/);
  expect(await readFile(join(main, 'partners/harbour.yaml'), 'utf8')).toContain('# Pages choose partners by these');
  expect(isLive(PAGE)).toBe(true);
  await tieup(main, 'partner', 'resume', 'harbour');
  expect(await tieup(main, 'push')).toContain('nothing to push');
  const document: unknown = JSON.parse(await tieup(main, 'partner', 'show', 'harbour', '--json'));
  expect(document).toMatchObject({ schema: 'tieup.partner/v1', id: 'harbour', inForce: true, suspendedUntil: null });
  expect(JSON.stringify(document)).not.toContain('answerKey');

  // It gets other terms: the old stand beside the new, and the pages move.
  await replace(join(main, 'partners/harbour.yaml'), '/with-northwind-coffee/', '/coffee/');
  await tieup(main, 'push');
  const shown = await tieup(shop, 'status');
  expect(shown).toContain('the terms change');
  expect(shown).toMatch(/until now: \/with-northwind-coffee\/\n +from now: +\/coffee\//);
  await tieup(shop, 'accept', '--yes', digestIn(shown));
  expect(isLive(PAGE)).toBe(false);
  expect(isLive('coffee/index.html')).toBe(true);
  expect(isLive('index.html')).toBe(true);

  // It is left only with the partner’s own id, takes every tie-up page away, and can be taken up again.
  const unasked = await run(shop, 'leave');
  expect([unasked.exitCode, unasked.stderr]).toEqual([64, expect.stringContaining('tieup leave --confirm harbour')]);
  expect((await run(shop, 'leave', '--confirm', 'hostel')).exitCode).toBe(64);
  expect(isLive('coffee/index.html')).toBe(true);
  const left = await tieup(shop, 'leave', '--confirm', 'harbour', '--reason', 'no more coffee');
  expect(left).toContain('  - coffee/index.html\n');
  expect(isLive('coffee/index.html')).toBe(false);
  expect(isLive('index.html')).toBe(true);
  expect(await tieup(main, 'status')).toMatch(/harbour +! left/);
  const unwanted = await run(shop, 'accept', '--auto');
  expect([unwanted.exitCode, unwanted.stderr]).toEqual([11, expect.stringContaining('tieup leave --undo')]);
  expect((await run(shop, 'merge')).exitCode).toBe(11);
  await tieup(shop, 'leave', '--undo');
  await replace(join(main, 'pages/index.md'), 'Tuesdays', 'Mondays');
  await sites.publish();
  expect(isLive('coffee/index.html')).toBe(true);
  expect(await tieup(main, 'status')).toMatch(/harbour +✓ live/);

  // It ends only with the id once more; the live pages stay.
  expect((await run(main, 'partner', 'end', 'harbour')).exitCode).toBe(64);
  await tieup(main, 'partner', 'end', 'harbour', '--confirm', 'harbour');
  expect((await run(main, 'push')).exitCode).toBe(11);
  expect((await run(main, 'partner', 'resume', 'harbour')).exitCode).toBe(11);
  expect(isLive('coffee/index.html')).toBe(true);
  expect(await tieup(main, 'status')).toMatch(/harbour +! ended/);
});
