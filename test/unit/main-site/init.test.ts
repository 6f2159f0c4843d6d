import { describe, expect, test } from 'vitest';
import { parseMainSite } from '../../../src/config/main-site.ts';
import { parsePartnership } from '../../../src/config/partnership.ts';
import { isTieupError, TieupError } from '../../../src/errors.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { type KeyStore, seedSigner } from '../../../src/io/keys.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { initMainSite, planMainSite } from '../../../src/main-site/init.ts';
import type { MainSiteAnswers, StarterParts } from '../../../src/main-site/init.ts';

const ANSWERS: MainSiteAnswers = {
  name: 'Northwind Coffee',
  url: 'https://northwind.example/',
  partner: { id: 'harbour', name: 'Harbour "Books" # & Søn', url: 'https://harbour.example/' },
  mount: '/with-northwind/',
  from: '2026-11-23',
};
const PARTS: StarterParts = {
  framework: [{ path: 'templates/page.html', content: Buffer.from('<slot name="content"></slot>') }],
  schemas: { mainSite: '{}\n', partnership: '{}\n' },
};
const SSH = { privateKey: 'PRIVATE\n', publicKey: 'ssh-ed25519 AAAA tieup' };

const keyPath = (name: string): string => `keys/${name}.key`;

/** A store that keeps keys as files of the tree, as the real one does below the same folder. */
function keysIn(tree: FileTree, failAt?: string): KeyStore {
  return {
    has: async (name) => (await tree.stat(keyPath(name))) !== undefined,
    names: async () => [],
    create: async (name, seed) => {
      if (name === failAt) throw new TieupError('TIEUP_E_STORAGE', 'no space left');
      await tree.create(keyPath(name), seed, { mode: 0o600 });
    },
    load: (name) => tree.read(keyPath(name), 32),
    signer: async (name) => seedSigner(await tree.read(keyPath(name), 32)),
    refer: async () => {
      throw new TieupError('TIEUP_E_KEY', 'there is no ssh-agent');
    },
    password: async () => 'secret',
  };
}

/** Random enough for a test: every seed differs. */
function counting(): (length: number) => Uint8Array {
  let next = 0;
  return (length) => new Uint8Array(length).fill(++next);
}

async function allFiles(tree: FileTree, folder = ''): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await tree.list(folder)) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    found.push(...(entry.kind === 'folder' ? await allFiles(tree, path) : [path]));
  }
  return found;
}

const init = (tree: FileTree, keys = keysIn(tree), answers = ANSWERS) =>
  initMainSite({ tree, keys, random: counting() }, answers, PARTS, SSH, 'secret');

describe('a new main site', () => {
  test('has all that a build and an invitation need', async () => {
    const tree = memoryTree();
    const files = await init(tree);
    expect((await allFiles(tree)).toSorted()).toEqual([
      '.gitignore',
      'data/coffees.yaml',
      'keys/document.key',
      'keys/online.key',
      'keys/release.key',
      'keys/root-spare.key',
      'keys/root.key',
      'keys/ssh.key',
      'keys/ssh.pub',
      'pages/brewing.md',
      'pages/index.md',
      'pages/news/at-the-counter.md',
      'pages/news/index.md',
      'pages/news/new-harvest.md',
      'pages/story.md',
      'pages/visit.md',
      'partners/harbour.yaml',
      'schemas/main-site.json',
      'schemas/partnership.json',
      'templates/page.html',
      'tieup.yaml',
    ]);
    expect(files).toEqual((await allFiles(tree)).toSorted());
    expect((await tree.stat('keys/ssh.key'))?.mode).toBe(0o600);
  });

  test('says in its configuration what was answered, whatever characters that needs', () => {
    const files = new Map(
      planMainSite(ANSWERS, PARTS).map(({ path, content }) => [path, new TextDecoder().decode(content)]),
    );
    const config = files.get('tieup.yaml') ?? '';
    expect(config.split('\n')[0]).toBe('# yaml-language-server: $schema=schemas/main-site.json');
    expect(parseMainSite(config, 'tieup.yaml').site).toMatchObject({ name: ANSWERS.name, url: ANSWERS.url });
    const partnership = parsePartnership(files.get('partners/harbour.yaml') ?? '', 'partners/harbour.yaml');
    expect(partnership).toMatchObject({ ...ANSWERS.partner, mount: ANSWERS.mount, status: 'invited' });
  });

  test('has a page of each inheritance', () => {
    const pages = planMainSite(ANSWERS, PARTS).filter(({ path }) => path.startsWith('pages/'));
    const kinds = pages.map(
      ({ content }) => /^inherit: (?<kind>.*)$/m.exec(new TextDecoder().decode(content))?.groups?.['kind'],
    );
    expect(new Set(kinds)).toEqual(new Set(['full', 'framework', 'link']));
  });

  test('has two root holders, each enough alone', () => {
    const config = planMainSite(ANSWERS, PARTS).find(({ path }) => path === 'tieup.yaml');
    const { roots } = parseMainSite(new TextDecoder().decode(config?.content), 'tieup.yaml');
    expect(roots).toEqual({ threshold: 1, holders: ['main', 'spare'] });
  });

  test('has a different key for each role and holder', async () => {
    const tree = memoryTree();
    await init(tree);
    const keys = await Promise.all(
      ['root', 'root-spare', 'release', 'online', 'document'].map((name) => tree.read(`keys/${name}.key`, 32)),
    );
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(5);
  });

  test('is refused over existing files and keys, naming all of them, and nothing changes', async () => {
    const tree = memoryTree();
    await tree.write('pages/index.md', Buffer.from('mine'));
    await tree.write('keys/root.key', Buffer.from('mine'));
    const error = await init(tree).catch((caught: unknown) => caught);
    expect(isTieupError(error, 'TIEUP_E_EXISTS') && error.problems.map(({ file }) => file)).toEqual([
      'pages/index.md',
      'keys/root.key',
    ]);
    expect((await allFiles(tree)).toSorted()).toEqual(['keys/root.key', 'pages/index.md']);
  });

  test('leaves nothing behind when a key cannot be kept', async () => {
    const tree = memoryTree();
    await expect(init(tree, keysIn(tree, 'online'))).rejects.toThrow('no space left');
    expect(await allFiles(tree)).toEqual([]);
  });

  test.each([
    ['an id that is none', { partner: { ...ANSWERS.partner, id: 'Harbour' } }, '`id` must consist of'],
    ['a mount at the root', { mount: '/' }, '`mount` must be a path'],
    ['an address without a slash', { url: 'https://northwind.example' }, '`site.url` must be an address'],
    ['a name with a line feed', { name: 'a\nb' }, '`site.name` must be one line'],
  ])('is refused with %s, and nothing changes', async (_what, change, expected) => {
    const tree = memoryTree();
    const error = await init(tree, keysIn(tree), { ...ANSWERS, ...change }).catch((caught: unknown) => caught);
    expect(isTieupError(error, 'TIEUP_E_USAGE') && error.problems[0]?.message).toContain(expected);
    expect(await allFiles(tree)).toEqual([]);
  });
});
