/** What `tieup build --check` finds in a main site, and `tieup verify --links` in a live tree. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { script } from '../support/script.ts';

const FILES = {
  'tieup.yaml': 'role: main\nsite:\n  name: Northwind Coffee\n  url: https://northwind.example/\n',
  'partners/harbour.yaml':
    'id: harbour\nname: Harbour Books\nurl: https://harbour.example/\nmount: /with-main/\nperiod:\n  from: "2026-01-01"\n',
  'partners/quay.yaml':
    'id: quay\nname: Quay Books\nurl: https://quay.example/\nmount: /coffee/\nperiod:\n  from: "2026-01-01"\n',
  'templates/page.html':
    '<!doctype html>\n<html><head><title>x</title>\n<link rel="stylesheet" href="{{ mount }}assets/style.css"></head>\n<body><main id="page"><slot name="content"></slot></main></body></html>\n',
  'assets/style.css': 'main { color: black }\n',
  'pages/index.md': '---\ntitle: Our coffee\n---\n\n# Hello\n\nTo [brewing](brewing.md#water), and [home](/).\n',
  'pages/brewing.md': '---\ntitle: Brewing\n---\n\n# Brewing\n\n## Water\n\n[Back](index.md#hello)\n',
};

async function site(files: Readonly<Record<string, string>> = {}) {
  const made = await script();
  for (const [path, text] of Object.entries({ ...FILES, ...files })) await made.write(path, text);
  return made;
}

describe('tieup build --check', () => {
  test('finds nothing in a site whose links lead somewhere, and writes nothing', async () => {
    const made = await site();
    const ended = await made.run(['build', '--check']);
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(existsSync(join(made.folder, 'build'))).toBe(false);
  });

  test('names every link, anchor, picture and id that is wrong where it is written, once for all partners', async () => {
    const made = await site({
      'pages/index.md':
        '---\ntitle: Our coffee\n---\n\n# Hello\n\nTo [brewing](brewing.md#milk)\nand [nowhere](nowhere.md).\n\n![x](assets/none.png)\n\n<i id="page">x</i>\n',
      'assets/style.css': 'main { color: black }\np { background: url(stain.png) }\n',
      'templates/page.html': FILES['templates/page.html'].replace('</main>', '</main><a href="#gone">x</a>'),
    });
    const ended = await made.run(['build', '--check', '--json']);
    expect(ended.exitCode).toBe(78);
    const { findings } = JSON.parse(ended.stdout);
    const places = findings.map(
      ({ kind, file, line, column }: { kind: string; file: string; line: number; column: number }) =>
        `${kind} ${file}:${line}:${column}`,
    );
    expect(places.toSorted()).toEqual([
      'anchor pages/index.md:7:14',
      'anchor templates/page.html:4:67',
      'file assets/style.css:2:21',
      'file pages/index.md:10:6',
      'id pages/index.md:12:4',
      'link pages/index.md:8:15',
    ]);
    const [{ published }] = findings.filter(({ kind }: { kind: string }) => kind === 'link');
    expect(published).toEqual([
      expect.stringMatching(/^harbour\/with-main\/index\.html:\d+:\d+$/),
      expect.stringMatching(/^quay\/coffee\/index\.html:\d+:\d+$/),
    ]);
    const told = await made.run(['build', '--check']);
    expect(told.stdout).toContain('link pages/index.md:8:15: "nowhere.md" leads to no file');
    expect(told.stderr).toBe('');
    // What is no finding is said beside those of the same line.
    await made.write(
      'pages/index.md',
      '---\ntitle: A\n---\n\n[x](nowhere.md) [y](../outside.md) <b onclick="z()">z</b>\n',
    );
    const { stderr } = await made.run(['build', '--check']);
    expect(stderr).toContain('pages/index.md:5:17: "../outside.md" does not lead to a page of this site');
    expect(stderr).toContain('pages/index.md:5:36: `onclick` of <b> is left out');
    expect(stderr).not.toContain('nowhere.md');
  });

  test('names the template in which an address stands as it is, not one in which it stands behind a variable', async () => {
    const link = (address: string) =>
      FILES['templates/page.html'].replace('</main>', `</main><a href="${address}">x</a>`);
    const made = await site({
      'templates/a.html': link('{{ mount }}menu.pdf'),
      'templates/page.html': link('menu.pdf'),
    });
    const { stdout } = await made.run(['build', '--check']);
    expect(stdout).toContain('link templates/page.html:4:67: "menu.pdf" leads to no file');
  });

  test('says the same again of pages that it has read before, and sees what was changed since', async () => {
    const wrong = FILES['pages/index.md'].replace('#water', '#milk');
    const made = await site({ 'pages/index.md': wrong });
    const check = async () => {
      const { exitCode, stdout } = await made.run(['build', '--check', '--json']);
      const { findings } = JSON.parse(stdout);
      return { exitCode, findings };
    };
    const first = await check();
    expect(first).toMatchObject({ exitCode: 78, findings: [{ kind: 'anchor', line: 7 }] });
    expect(await check()).toEqual(first);
    // The page with the link stays as it is; the one that it leads to gets the place.
    await made.write('pages/brewing.md', `${FILES['pages/brewing.md']}\n## Milk\n`);
    expect(await check()).toEqual({ exitCode: 0, findings: [] });
    await made.write('pages/index.md', `${wrong}\n[Gone](gone.md)\n`);
    expect(await check()).toMatchObject({ exitCode: 78, findings: [{ kind: 'link', line: 9 }] });
  });

  test('says of partners together what it says of each alone, though it reads what they share once', async () => {
    const values = (start: string) => `values:\n  start: ${start}\nimages:\n  logo: logo.svg\n`;
    const logo = (width: number) => `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="2"></svg>`;
    const made = await site({
      'partners/harbour.yaml': `${FILES['partners/harbour.yaml']}${values('brewing.html')}`,
      'partners/quay.yaml': `${FILES['partners/quay.yaml']}${values('beans.html')}`.replace('/coffee/', '/with-main/'),
      'partners/harbour/logo.svg': logo(1),
      'partners/quay/logo.svg': logo(3),
      'pages/index.md':
        '---\ntitle: Our coffee\n---\n\n{{ partner.name }} [none](none.md) [shop]({{ partner.url }}with-main/gone.html)\n',
      'templates/page.html': FILES['templates/page.html'].replace(
        '<slot',
        '<img alt="{{ partner.name }}" src="{{ partner.logo }}"><a href="{{ mount }}{{ partner.start }}">x</a><slot',
      ),
    });
    const check = async (...partners: string[]) => {
      const ended = await made.run(['build', '--check', '--json', ...partners.flatMap((each) => ['--partner', each])]);
      const { findings } = JSON.parse(ended.stdout);
      return findings.flatMap(({ message, published }: { message: string; published: string[] }) =>
        published.map((at) => `${at} ${message}`),
      );
    };
    const together = await check();
    const alone = [...(await check('harbour')), ...(await check('quay'))];
    expect(new Set(together)).toEqual(new Set(alone));
    expect(together).toHaveLength(alone.length);
    const among = (partner: string) => together.filter((each: string) => each.startsWith(partner));
    expect(among('harbour/')).toHaveLength(3);
    expect(among('quay/')).toHaveLength(5);
    expect(among('quay/').join('\n')).toContain('/with-main/beans.html');
  });
});
