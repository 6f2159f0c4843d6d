/** What pages say about themselves, remembered from one run to the next. */
import { describe, expect, test } from 'vitest';
import { parseMainSite } from '../../../src/config/main-site.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { readPages } from '../../../src/main-site/read-pages.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import type { Problem } from '../../../src/errors.ts';

const config = parseMainSite('role: main\nsite: { name: A, url: https://a.example/ }\n', 'tieup.yaml');
const PAGES = {
  'a.md': '---\ntitle: A\ntags: [news]\nslots:\n  hours: { description: When }\n---\n\n# A {{ x }}\n',
  'b.md': '\uFEFF---\r\ntitle: B\r\n---\r\nB\r\n',
  'c.md': '# C\n',
};

async function tree(pages: Readonly<Record<string, string>>): Promise<FileTree> {
  const files = memoryTree();
  for (const [path, text] of Object.entries(pages)) await files.write(`pages/${path}`, Buffer.from(text));
  return files;
}

function store(): { readonly kept: Map<string, Uint8Array>; flushed: number } & Parameters<
  typeof readPages
>[0]['memory'] {
  const kept = new Map<string, Uint8Array>();
  return {
    kept,
    flushed: 0,
    get: (key) => kept.get(key),
    put: (key, bytes) => void kept.set(key, bytes),
    flush() {
      this.flushed += 1;
    },
  };
}

describe('the folder of pages', () => {
  test('is read the same from what is remembered, which is kept once', async () => {
    const memory = store();
    const from = { config, files: await tree(PAGES), memory, identity: 'one' };
    const first = await readPages(from, []);
    const second = await readPages(from, []);
    expect(second).toEqual(first);
    expect(first.map(({ markdown, firstLine }) => [markdown, firstLine])).toEqual([
      ['\n# A {{ x }}\n', 7],
      ['B\n', 4],
      ['# C\n', 1],
    ]);
    expect([memory.kept.size, memory.flushed]).toEqual([3, 1]);
  });

  test('remembers nothing for another text, or for another version of tieup', async () => {
    const memory = store();
    await readPages({ config, files: await tree(PAGES), memory, identity: 'one' }, []);
    await readPages({ config, files: await tree({ 'c.md': '# D\n' }), memory, identity: 'one' }, []);
    expect(memory.kept.size).toBe(4);
    await readPages({ config, files: await tree(PAGES), memory, identity: 'two' }, []);
    expect(memory.kept.size).toBe(7);
  });

  test('says each time what is wrong with a page', async () => {
    const memory = store();
    const from = { config, files: await tree({ 'a.md': '---\ntitel: A\n---\n' }), memory, identity: 'one' };
    for (let run = 1; run <= 2; run++) {
      const problems: Problem[] = [];
      await readPages(from, problems);
      expect(problems).toMatchObject([{ file: 'pages/a.md', line: 2 }]);
    }
    expect(memory.kept.size).toBe(0);
  });
});
