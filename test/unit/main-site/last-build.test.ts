/** When a build finds that there is nothing to do, and when it must not. */
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { outputFolder, type OutputFolder } from '../../../src/io/output-folder.ts';
import { folderTree } from '../../../src/io/folder-tree.ts';
import { build, type Build } from '../../../src/main-site/build.ts';
import { unchangedBuild } from '../../../src/main-site/last-build.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { mainFixture, type MainFixture } from '../../support/partnership-fixture.ts';
import { contentsOf, temporaryFolder } from '../../support/temporary-folder.ts';

const CONFIG = 'tieup.yaml';
const hex = (text: string): string => Buffer.from(text).toString('hex');
const TERMS = { tool: 'one', partners: [] };

interface Built {
  readonly main: MainFixture;
  readonly out: OutputFolder;
  readonly root: string;
  build(): Promise<Build>;
  /** Whether the next build would find nothing to do. */
  isUnchanged(terms?: { readonly tool: string; readonly partners: readonly string[] }): Promise<boolean>;
}

async function built(): Promise<Built> {
  const main = await mainFixture();
  await main.join();
  const root = join(await temporaryFolder(), 'out');
  const out = outputFolder(root);
  const make = async (): Promise<Build> => {
    const config = sha256(await main.site.files.read(CONFIG, 1e6));
    return build(main.site, [], { files: folderTree(root), folder: out, keep: { tool: 'one', config } });
  };
  await make();
  return {
    main,
    out,
    root,
    build: make,
    isUnchanged: async (terms = TERMS) =>
      (await unchangedBuild(main.site.files, outputFolder(root), terms, main.site.clock.now())) !== undefined,
  };
}

describe('a build after which nothing has changed', () => {
  test('comes to what the last one came to, with nothing written', async () => {
    const made = await built();
    const { main, out } = made;
    const last = await unchangedBuild(main.site.files, out, TERMS, main.site.clock.now());
    const { partners, warnings } = await made.build();
    expect(last).toEqual({ built: partners, warnings });
    expect(partners).toMatchObject([{ partner: 'harbour', written: 0, removed: 0 }]);
  });

  const edits: readonly [string, (given: Built) => unknown][] = [
    ['a page is edited', ({ main }) => main.site.files.write('pages/index.md', Buffer.from('# Tea\n'))],
    ['a page is added', ({ main }) => main.site.files.write('pages/tea.md', Buffer.from('# Tea\n'))],
    ['a page is gone', ({ main }) => main.site.files.remove('pages/story.md')],
    [
      'the template is edited',
      ({ main }) => main.site.files.write('templates/page.html', Buffer.from('<html></html>')),
    ],
    ['a style sheet is edited', ({ main }) => main.site.files.write('assets/style.css', Buffer.from('p{}'))],
    ['a first data file appears', ({ main }) => main.site.files.write('data/shops.yaml', Buffer.from('a: b\n'))],
    ['the settings are edited', ({ main }) => main.site.files.write(CONFIG, Buffer.from('role: main\n'))],
    ['a partner is added', ({ main }) => main.site.files.write('partners/mill.yaml', Buffer.from('id: mill\n'))],
    ['the partner was sent a release since', ({ main }) => main.push()],
    ['a written file is gone', ({ root }) => rmSync(join(root, 'harbour/with-main/index.html'))],
    ['a written file has other bytes', ({ root }) => writeFileSync(join(root, 'harbour/with-main/index.html'), 'mine')],
    [
      'a written file was touched',
      ({ root }) => utimesSync(join(root, 'harbour/with-main/index.html'), new Date(1e12), new Date(1e12)),
    ],
    ['the whole output is gone', ({ root }) => rmSync(root, { recursive: true })],
    ['the clock was set back', ({ main }) => main.clock.passDays(-1)],
  ];
  for (const [what, edit] of edits) {
    test(`is made again when ${what}`, async () => {
      const made = await built();
      expect(await made.isUnchanged()).toBe(true);
      await edit(made);
      expect(await made.isUnchanged()).toBe(false);
    });
  }

  test('is made again by another version of tieup, and for other partners', async () => {
    const made = await built();
    expect(await made.isUnchanged({ tool: 'two', partners: [] })).toBe(false);
    expect(await made.isUnchanged({ tool: 'one', partners: ['harbour'] })).toBe(false);
  });

  test('is made again once a page comes by its date', async () => {
    const made = await built();
    const { main } = made;
    const page = '---\ntitle: Advent\npublish-from: 2026-12-01\n---\n\n# Advent\n';
    await main.site.files.write('pages/advent.md', Buffer.from(page));
    await made.build();
    main.clock.passDays(2);
    expect(await made.isUnchanged()).toBe(true);
    main.clock.passDays(30);
    expect(await made.isUnchanged()).toBe(false);
  });

  test('is made again when what was kept of the last one is damaged', async () => {
    for (const text of ['', '{', 'null', '[]', '{"schema":"tieup-last-build/1"}']) {
      const made = await built();
      const [folder] = await made.main.site.files.list('.tieup/build');
      await made.main.site.files.write(`.tieup/build/${folder?.name}/.last`, Buffer.from(text));
      expect(await made.isUnchanged()).toBe(false);
      expect((await made.build()).partners).toMatchObject([{ written: 0 }]);
    }
  });
});

describe('what an earlier build wrote for a page that is gone', () => {
  test('is removed, with the folder that it leaves empty', async () => {
    const made = await built();
    await made.main.site.files.write('pages/far/away.md', Buffer.from('# Far\n'));
    await made.build();
    expect(Object.keys(await contentsOf(made.root))).toContain('harbour/with-main/far/away.html');
    await made.main.site.files.remove('pages/far/away.md');
    expect((await made.build()).partners).toMatchObject([{ removed: 1 }]);
    expect(Object.keys(await contentsOf(made.root)).filter((path) => path.includes('far'))).toEqual([]);
    expect(await made.isUnchanged()).toBe(true);
  });

  test('stays when somebody has changed it, and so does what no build wrote', async () => {
    const made = await built();
    await made.main.site.files.write('pages/far/away.md', Buffer.from('# Far\n'));
    await made.build();
    writeFileSync(join(made.root, 'harbour/with-main/far/away.html'), 'mine');
    writeFileSync(join(made.root, 'harbour/with-main/notes.txt'), 'notes');
    await made.main.site.files.remove('pages/far/away.md');
    expect((await made.build()).partners).toMatchObject([{ removed: 0 }]);
    expect(await contentsOf(made.root)).toMatchObject({
      'harbour/with-main/far/away.html': hex('mine'),
      'harbour/with-main/notes.txt': hex('notes'),
    });
  });
});
