/** What somebody gets wrong in the pages, the templates and the settings of a main site. */
import { existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Script, script } from '../support/script.ts';

const CONFIG = 'role: main\nsite:\n  name: Northwind Coffee\n  url: https://northwind.example/\n';
const PARTNER = `id: harbour
name: Harbour Books
url: https://harbour.example/
mount: /with-main/
period:
  from: "2026-01-01"
`;
const TEMPLATE = `<!doctype html>
<html lang="{{ site.language }}"><head><title>{{ page.title }}</title></head>
<body><slot name="content"></slot></body></html>
`;
const PAGE = '---\ntitle: Our coffee\n---\n\n# Hello\n';

/** A main site without keys, which building does not need. */
async function site(files: Readonly<Record<string, string>> = {}): Promise<Script> {
  const made = await script();
  const all = {
    'tieup.yaml': CONFIG,
    'partners/harbour.yaml': PARTNER,
    'templates/page.html': TEMPLATE,
    'pages/index.md': PAGE,
    ...files,
  };
  for (const [path, text] of Object.entries(all)) await made.write(path, text);
  return made;
}

/** Without the cache, which may keep what was found on the way. */
function filesOf({ folder }: Script): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => !path.startsWith('.tieup'));
}

/** `build` must end with `exitCode` and write nothing; which of `words` it did not say. */
async function unsaid(made: Script, exitCode: number, words: readonly RegExp[]): Promise<readonly RegExp[]> {
  const before = filesOf(made);
  const ended = await made.run(['build']);
  expect(ended).toMatchObject({ exitCode, stdout: '' });
  expect(filesOf(made)).toEqual(before);
  return words.filter((word) => !word.test(ended.stderr));
}

describe('tieup build', () => {
  test('writes what a partner would get', async () => {
    const made = await site();
    const { exitCode, stdout } = await made.run(['build']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining('build/harbour') });
    expect(await made.read('build/harbour/with-main/index.html')).toContain('<h1');
  });

  test.each(['pages/more.md', 'assets/more.css', 'data/more.yaml', 'includes/more.md', 'templates/more.html'])(
    'refuses a link among the files of the site: %s',
    async (path) => {
      const made = await site({ [path.replace('more', 'one')]: '' });
      symlinkSync('/etc/hostname', join(made.folder, path));
      expect(await unsaid(made, 78, [new RegExp(`"${path}" is not a regular file`), /copies of the files/])).toEqual(
        [],
      );
    },
  );

  test('says what a text must not hold and is left out, each time', async () => {
    const made = await site({ 'pages/other.md': '---\ntitle: Other\n---\n\nx <b onclick="y()">z</b>\n' });
    for (const words of [['build'], ['build']]) {
      const { exitCode, stderr } = await made.run(words);
      expect({ exitCode, stderr }).toEqual({
        exitCode: 0,
        stderr: expect.stringContaining('pages/other.md:5:3: `onclick` of <b> is left out'),
      });
    }
  });

  test('writes only what has changed, and says why', async () => {
    const made = await site({ 'pages/other.md': '---\ntitle: Other\n---\n\nx\n' });
    const explain = async () => (await made.run(['build', '--explain', 'index'])).stdout;
    expect(await explain()).toContain('with-main/index.html: written, because no build has written it before');
    const again = await explain();
    expect(again).toContain('all there already');
    expect(again).toContain('not written, because nothing has changed');
    await made.write('pages/index.md', `${await made.read('pages/index.md')}\nmore\n`);
    const edited = await explain();
    expect(edited).toContain('1 of them new');
    expect(edited).toContain('because its text, what it takes in, its front matter or its template has changed');
    await made.write('build/harbour/with-main/index.html', 'mine');
    expect(await explain()).toContain('because somebody has changed it since');
    expect(await made.read('build/harbour/with-main/index.html')).toContain('more');
  });

  test('names what a page takes in when it is asked why it was written', async () => {
    const made = await site({
      'pages/index.md': `${PAGE}\n{{ include "hours.md" }}\n`,
      'includes/hours.md': 'Nine to five\n\n{{ include "note.md" }}\n',
      'includes/note.md': 'or later\n',
    });
    await made.run(['build']);
    await made.write('includes/note.md', 'or earlier\n');
    const { stdout } = await made.run(['build', '--explain', 'index.md']);
    expect(stdout).toMatch(
      /because its text, what it takes in, .*\n {4}takes in includes\/hours\.md, includes\/note\.md\n/,
    );
  });

  test('takes away what it wrote for a partner that there is no more, and leaves what somebody has changed', async () => {
    const made = await site({
      'partners/lagoon.yaml': PARTNER.replaceAll('harbour', 'lagoon'),
      'pages/other.md': '---\ntitle: Other\n---\n\nx\n',
    });
    await made.run(['build']);
    await made.write('build/lagoon/with-main/other.html', 'mine');
    rmSync(join(made.folder, 'partners/lagoon.yaml'));
    // Who asks for one partner says nothing of the others.
    await made.run(['build', '--partner', 'harbour']);
    expect(made.exists('build/lagoon/with-main/index.html')).toBe(true);
    const { exitCode, stdout } = await made.run(['build']);
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('that somebody has changed'),
    });
    expect(made.exists('build/lagoon/with-main/index.html')).toBe(false);
    expect(await made.read('build/lagoon/with-main/other.html')).toBe('mine');
    expect(made.exists('build/harbour/with-main/index.html')).toBe(true);
    expect((await made.run(['build'])).stdout).not.toContain('lagoon');
  });

  test('shows another day with --at, and says what is no day', async () => {
    const made = await site({ 'pages/fair.md': '---\ntitle: Fair\npublish-from: 2030-12-20\n---\n\nx\n' });
    const fair = 'build/harbour/with-main/fair.html';
    await made.run(['build']);
    expect(made.exists(fair)).toBe(false);
    expect((await made.run(['build', '--at', '2030-12-20'])).exitCode).toBe(0);
    expect(made.exists(fair)).toBe(true);
    // The next build is one of today again.
    await made.run(['build']);
    expect(made.exists(fair)).toBe(false);
    const wrong = await made.run(['build', '--at', '2030-02-30']);
    expect(wrong).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('2030-02-30') });
  });

  test('is not told of a page that is not there', async () => {
    const made = await site();
    const ended = await made.run(['build', '--explain', 'nowhere.md']);
    expect(ended).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('pages/nowhere.md') });
    expect(filesOf(made).filter((path) => path.startsWith('build'))).toEqual([]);
  });

  test('names a misspelt setting, where it stands, and what was meant', async () => {
    const made = await site({ 'tieup.yaml': CONFIG.replace('  url:', '  ulr:') });
    expect(await unsaid(made, 78, [/tieup\.yaml:4:3: /, /ulr/, /did you mean `url`/])).toEqual([]);
  });

  test('names a misspelt setting of a partnership', async () => {
    const made = await site({ 'partners/harbour.yaml': PARTNER.replace('mount:', 'mout:') });
    expect(await unsaid(made, 78, [/partners\/harbour\.yaml:4:1: /, /mout/, /did you mean `mount`/])).toEqual([]);
  });

  test('names every page whose front matter is broken', async () => {
    const made = await site({
      'pages/a.md': '---\ntitle: [\n---\n\nx\n',
      'pages/b.md': '---\ntitel: B\n---\n\nx\n',
      'pages/c.md': '---\ntitle: C\ninherit: partly\n---\n\nx\n',
    });
    expect(
      await unsaid(made, 78, [/pages\/a\.md:\d+:\d+: /, /pages\/b\.md:2:1: .*titel/, /pages\/c\.md:3:\d+: /]),
    ).toEqual([]);
  });

  test('names an unknown variable by file, line and column, in a template', async () => {
    const made = await site({ 'templates/page.html': TEMPLATE.replace('{{ page.title }}', '{{ page.titel }}') });
    expect(await unsaid(made, 78, [/templates\/page\.html:2:47: .*page\.titel.*did you mean `page\.title`/])).toEqual(
      [],
    );
  });

  test('names an unknown variable by file, line and column, in a page', async () => {
    const made = await site({ 'pages/index.md': `${PAGE}\nAt {{ partner.nam }}.\n` });
    expect(await unsaid(made, 78, [/pages\/index\.md:7:4: .*partner\.nam/])).toEqual([]);
  });

  test('names a slot that the page does not declare by file, line and column', async () => {
    const made = await site({
      'pages/visit.md':
        '---\ntitle: Visit\ninherit: framework\nslots:\n  hours:\n    description: When\n---\n\n<slot name="huors"></slot>\n',
    });
    expect(await unsaid(made, 78, [/pages\/visit\.md:9:\d+: .*huors/])).toEqual([]);
  });

  test('lists pages whose paths differ only in case', async () => {
    const made = await site({ 'pages/Offers.md': PAGE, 'pages/offers.md': PAGE });
    expect(await unsaid(made, 78, [/Offers/, /offers/])).toEqual([]);
  });

  test('lists pages whose paths are the same to Unicode', async () => {
    const made = await site({ 'pages/caf\u00e9.md': PAGE, 'pages/cafe\u0301.md': PAGE });
    expect(await unsaid(made, 78, [/caf/])).toEqual([]);
  });

  test.each(['con', 'NUL', 'lpt1'])('refuses a page with the reserved name %s', async (name) => {
    const made = await site({ [`pages/${name}.md`]: PAGE });
    expect(await unsaid(made, 78, [new RegExp(`pages/${name}\\.md`)])).toEqual([]);
  });

  test('says so when the page is not UTF-8', async () => {
    const made = await site();
    writeFileSync(join(made.folder, 'pages/binary.md'), Buffer.from([0x2d, 0xff, 0xfe, 0x0a]));
    expect(await unsaid(made, 78, [/pages\/binary\.md/, /UTF-8/])).toEqual([]);
  });

  test('refuses what is far too large or too deep with a clear word, and does not hang over it', async () => {
    const { run, write } = await site({
      'pages/deep.md': `${PAGE}${'<b>'.repeat(50_000)}\n`,
      'pages/large.md': `${PAGE}${'x'.repeat(5_000_000)}\n`,
    });
    const found = await run(['build']);
    expect(found.exitCode).toBe(78);
    expect(found.stderr).toMatch(/deep\.md:\d+:\d+.*nested too deeply/);
    expect(found.stderr).toMatch(/large\.md.*more than 4194304 characters/);
    await write('pages/huge.md', `${PAGE}${' '.repeat(50 * 1024 * 1024)}`);
    const refused = await run(['build']);
    expect(refused.exitCode).toBe(78);
    expect(refused.stderr).toContain('pages/huge.md');
  });

  test('gives the same in JSON: one document on stdout, with the place of every problem', async () => {
    const made = await site({ 'pages/b.md': '---\ntitel: B\n---\n\nx\n' });
    const { exitCode, stdout } = await made.run(['build', '--json']);
    expect(exitCode).toBe(78);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'tieup.error/v1',
      code: 'TIEUP_E_CONTENT',
      exitCode: 78,
      problems: expect.arrayContaining([expect.objectContaining({ file: 'pages/b.md', line: 2, column: 1 })]),
    });
  });

  test('refuses to write over a file that is in the way of its folder', async () => {
    const made = await site({ build: 'mine' });
    const { exitCode, stderr } = await made.run(['build']);
    expect(exitCode).toBe(5);
    expect(stderr).toMatch(/build/);
    expect(await made.read('build')).toBe('mine');
  });

  test.skipIf(!existsSync('/sys/kernel'))('says so when nothing can be written there, even by root', async () => {
    const made = await site();
    const { exitCode, stderr } = await made.run(['build', '--out', '/sys/tieup']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/\/sys\/tieup/);
  });
});

describe('what has a name', () => {
  test('a partner that nobody knows is a mistake in the command, with what was meant', async () => {
    const made = await site();
    for (const words of [
      ['build', '--partner', 'harbor'],
      ['plan', 'harbor'],
      ['push', 'harbor'],
      ['invite', 'harbor'],
    ]) {
      const { exitCode, stderr } = await made.run(words, { TIEUP_PASSWORD: 'x' });
      expect({ exitCode, stderr }).toEqual({
        exitCode: 64,
        stderr: expect.stringContaining('did you mean "harbour"?'),
      });
    }
    expect(made.exists('build')).toBe(false);
  });

  test('a partner that has not joined is no partner yet: 11, and what comes next', async () => {
    const { exitCode, stderr } = await (await site()).run(['push'], { TIEUP_PASSWORD: 'x' });
    expect(exitCode).toBe(11);
    expect(stderr).toContain('tieup invite harbour');
  });

  test('a folder that is no site says how to make one', async () => {
    const made = await script();
    const { exitCode, stderr } = await made.run(['push']);
    expect(exitCode).toBe(78);
    expect(stderr).toContain('tieup init');
  });

  test('a command of the other role is a mistake in the command', async () => {
    const { exitCode } = await (await site()).run(['accept']);
    expect(exitCode).toBe(64);
  });
});
