import { describe, expect, test } from 'vitest';
import type { Problem } from '../../../src/errors.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { readData } from '../../../src/main-site/read-data.ts';

async function read(files: Readonly<Record<string, string>>) {
  const tree = memoryTree();
  for (const [path, text] of Object.entries(files)) {
    await tree.write(path, new TextEncoder().encode(text), { durable: false });
  }
  const problems: Problem[] = [];
  const data = await readData(tree, 'data', problems);
  const found = problems.map(({ file, line, column, message }) => [file, line, column, message].join(':'));
  return { data, found };
}

describe('data files', () => {
  test('are named by their folders and names', async () => {
    const { data, found } = await read({
      'data/shops/berlin.yaml': 'phone: "+49 30 1"\ndays: [Mon, Tue]\n',
      'data/shops/kiel.yml': 'phone: null\n',
      'data/prices.json': '{ "rent": 12.5, "free": false }',
      'data/README.md': 'not data',
    });
    expect(found).toEqual([]);
    expect(data).toEqual({
      shops: { berlin: { phone: '+49 30 1', days: ['Mon', 'Tue'] }, kiel: { phone: null } },
      prices: { rent: 12.5, free: false },
    });
  });

  test('need not be there', async () => {
    expect(await read({})).toEqual({ data: {}, found: [] });
  });

  test.each([
    ['a name that no template can write', { 'data/2026.yaml': 'a: 1' }, 'data/2026.yaml:::"2026" cannot be a name'],
    ['two files of one name', { 'data/a.json': '1', 'data/a.yaml': '2' }, 'data/a.yaml:::`data.a` is there twice'],
    ['a file beside a folder', { 'data/a.yaml': '2', 'data/a/b.yaml': '1' }, '`data.a` is there twice'],
    ['YAML that is wrong', { 'data/a.yaml': 'b: 1\nb: 2\n' }, 'data/a.yaml:2:1:this key is there twice'],
    ['JSON that is wrong', { 'data/a.json': '{\n  "b": 1,\n}' }, 'data/a.json:3:1:this is no JSON'],
    ['JSON that ends too early', { 'data/a.json': '{ "b": [' }, 'data/a.json:1:9:this is no JSON'],
    [
      'JSON that is too deep',
      { 'data/a.json': '['.repeat(5000) },
      'data/a.json:1:101:the value is nested more than 100',
    ],
    ['a key that objects lose', { 'data/a.json': '{ "__proto__": {} }' }, 'the key `__proto__` is not allowed'],
    ['YAML that is too deep', { 'data/a.yaml': '['.repeat(500) }, 'nested more than 100 deep'],
  ])('are refused with %s', async (_what, files, expected) => {
    const { found } = await read(files);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  test('of bytes that are no text are refused', async () => {
    const tree = memoryTree();
    await tree.write('data/a.yaml', new Uint8Array([0xff]), { durable: false });
    const problems: Problem[] = [];
    await readData(tree, 'data', problems);
    expect(problems).toEqual([{ file: 'data/a.yaml', message: 'the file is not valid UTF-8' }]);
  });
});
