/** What both sides can ask of pages that were published: `prove`, `redirects`, and `plan` for another day. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliPartnership, PASSWORD, startPartnership } from '../support/cli-partnership.ts';
import { type Ended, start } from '../support/script.ts';

const PAGE = 'public/with-northwind-coffee/brewing.html';

let sites: CliPartnership;
beforeAll(async () => {
  sites = await startPartnership();
  await sites.publish();
  // A page moves, and its former path leads to it.
  const pages = join(sites.main, 'pages');
  await rename(join(pages, 'brewing.md'), join(pages, 'at-home.md'));
  for (const [name, from, to] of [
    ['at-home.md', 'inherit: full\n', 'inherit: full\naliases: [brewing.html]\n'],
    ['index.md', 'brewing.md', 'at-home.md'],
  ] as const)
    await writeFile(join(pages, name), (await readFile(join(pages, name), 'utf8')).replace(from, to));
  await writeFile(join(pages, 'fair.md'), '---\ntitle: Fair\npublish-from: 2030-12-20\n---\n\n# Fair\n');
  await sites.publish();
}, 180_000);
afterAll(() => sites?.dispose());

function run(folder: string, ...words: readonly string[]): Promise<Ended> {
  const environment = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', TIEUP_PASSWORD: PASSWORD, HOME: sites.main };
  return start(words, folder, environment);
}

const json = ({ stdout }: Ended): unknown => JSON.parse(stdout);

test('prove shows what is the same everywhere, and that the page is as it was signed', async () => {
  const proved = await run(sites.main, 'prove', 'at-home', '--partner', 'harbour');
  expect(proved).toMatchObject({ exitCode: 0, stderr: '' });
  expect(proved.stdout).toMatch(/the same everywhere: .*, SHA-256 [0-9a-f]{64}\n/);
  expect(proved.stdout).toContain('filled in: partner.name = Harbour Books');
  expect(proved.stdout).toContain('as signed in release 2');
});

test('prove finds the copy of a visitor equal, and names the place of a difference', async () => {
  const copy = join(sites.main, 'copy.html');
  const page = await readFile(join(sites.shop, PAGE.replace('brewing', 'at-home')), 'utf8');
  await writeFile(copy, page);
  const prove = (...words: readonly string[]) => run(sites.main, 'prove', 'at-home', '-p', 'harbour', ...words);
  expect(await prove('--file', copy)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('has all of it') });
  await writeFile(copy, page.replace('Sixty grams', 'Six grams'));
  const different = await prove('--file', copy, '--json');
  expect(different.exitCode).toBe(6);
  expect(json(different)).toMatchObject({
    schema: 'tieup.proof/v1',
    found: { isEqual: false, difference: { part: expect.any(String) } },
  });
  expect((await prove('--file', copy, '--live')).exitCode).toBe(64);
  expect(await prove('--url', 'http://harbour.example/')).toMatchObject({
    exitCode: 64,
    stderr: expect.stringContaining('is no https address'),
  });
});

test('prove is told of no page that there is not, and of no partner', async () => {
  const unknown = await run(sites.main, 'prove', 'at-hoem', '--partner', 'harbour');
  expect(unknown.exitCode).not.toBe(0);
  expect(unknown.stderr).toContain('at-home');
  expect((await run(sites.main, 'prove', 'at-home')).exitCode).toBe(64);
});

test('redirects prints what moved for a web server, and nothing else', async () => {
  const nginx = await run(sites.shop, 'redirects', '--server', 'nginx');
  expect(nginx.exitCode).toBe(0);
  expect(nginx.stdout).toContain('/with-northwind-coffee/brewing.html');
  expect(nginx.stdout).toContain('/with-northwind-coffee/at-home.html');
  expect(nginx.stderr).toContain('1 redirect of release 2');
  const document = json(await run(sites.shop, 'redirects', '--server', 'caddy', '--json'));
  expect(document).toMatchObject({
    schema: 'tieup.redirects/v1',
    release: 2,
    redirects: [expect.anything()],
    server: 'caddy',
  });
  expect((await run(sites.shop, 'redirects', '--server', 'iis')).exitCode).toBe(64);
  expect((await run(sites.shop, 'redirects')).exitCode).toBe(64);
});

test('plan --at shows what a push on another day would bring, and sends nothing', async () => {
  expect(json(await run(sites.main, 'plan', '--json'))).toMatchObject({
    partners: [{ added: [], changed: [], removed: [] }],
  });
  const planned = await run(sites.main, 'plan', '--at', '2030-12-20', '--json');
  expect(planned.exitCode).toBe(0);
  expect(json(planned)).toMatchObject({
    partners: [{ added: ['with-northwind-coffee/fair.html'], removed: [] }],
  });
  expect(json(await run(sites.main, 'plan', '--json'))).toMatchObject({ partners: [{ added: [] }] });
  expect((await run(sites.main, 'plan', '--at', 'tomorrow')).exitCode).toBe(64);
});
