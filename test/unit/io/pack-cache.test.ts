import * as fc from 'fast-check';
import { readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packCache, type PackCache } from '../../../src/io/pack-cache.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const PATH = ['.tieup', 'cache'];
const open = (root: string, maxBytes?: number): PackCache =>
  packCache(root, PATH, maxBytes === undefined ? {} : { maxBytes });
const packOf = (root: string): string => join(root, ...PATH, 'fragments.pack');
const indexOf = (root: string): string => join(root, ...PATH, 'fragments.index');
const key = (name: string): string => sha256(name);
const bytesOf = (name: string): Buffer => Buffer.from(`bytes of ${name} `.repeat(20));

function fill(root: string, names: readonly string[], maxBytes?: number): void {
  const cache = open(root, maxBytes);
  for (const name of names) cache.put(key(name), bytesOf(name));
  cache.flush();
}

/** Of `names`, those that are kept; what is given must be what was put. */
function kept(root: string, names: readonly string[]): string[] {
  const cache = open(root);
  return names.filter((name) => {
    const found = cache.get(key(name));
    if (found !== undefined && !bytesOf(name).equals(found)) throw new Error(`${name} was altered`);
    return found !== undefined;
  });
}

describe('a cache of packed bytes', () => {
  it('gives what was put, in this run and in the next, and nothing else', async () => {
    const root = await temporaryFolder();
    const cache = open(root);
    expect(cache.get(key('a'))).toBeUndefined();
    cache.put(key('a'), bytesOf('a'));
    cache.put(key('empty'), new Uint8Array(0));
    cache.flush();
    expect(Buffer.from(cache.get(key('a')) ?? [])).toEqual(bytesOf('a'));
    expect(open(root).get(key('empty'))).toHaveLength(0);
    expect(kept(root, ['a', 'b'])).toEqual(['a']);
    expect(readdirSync(join(root, ...PATH)).sort()).toEqual(['fragments.index', 'fragments.pack']);
  });

  it('makes nothing before something is kept', async () => {
    const root = await temporaryFolder();
    const cache = open(root);
    cache.get(key('a'));
    cache.flush();
    expect(readdirSync(root)).toEqual([]);
  });

  it('only appends to its pack', async () => {
    const root = await temporaryFolder();
    fill(root, ['a', 'b']);
    const before = readFileSync(packOf(root));
    fill(root, ['c']);
    expect(readFileSync(packOf(root)).subarray(0, before.length)).toEqual(before);
    expect(kept(root, ['a', 'b', 'c'])).toEqual(['a', 'b', 'c']);
  });

  it('is shared by processes that write at the same time', async () => {
    const root = await temporaryFolder();
    const [one, two] = [open(root), open(root)];
    one.put(key('a'), bytesOf('a'));
    two.put(key('b'), bytesOf('b'));
    one.flush();
    two.flush();
    one.put(key('c'), bytesOf('c'));
    one.flush();
    expect(kept(root, ['a', 'b', 'c'])).toEqual(['a', 'b', 'c']);
    expect(Buffer.from(one.get(key('b')) ?? [])).toEqual(bytesOf('b'));
  });

  it.each(['gone', 'torn', 'of another pack'])('finds everything when the index is %s', async (how) => {
    const root = await temporaryFolder();
    fill(root, ['a', 'b']);
    if (how === 'gone') writeFileSync(indexOf(root), '');
    if (how === 'torn') truncateSync(indexOf(root), 50);
    if (how === 'of another pack') {
      const other = await temporaryFolder();
      fill(other, ['x']);
      writeFileSync(indexOf(root), readFileSync(indexOf(other)));
    }
    expect(kept(root, ['a', 'b', 'x'])).toEqual(['a', 'b']);
  });

  it('loses what was cut off and keeps what came before and after', async () => {
    const root = await temporaryFolder();
    fill(root, ['a', 'b']);
    truncateSync(packOf(root), statSync(packOf(root)).size - 10);
    expect(kept(root, ['a', 'b'])).toEqual(['a']);
    fill(root, ['c']);
    expect(kept(root, ['a', 'b', 'c'])).toEqual(['a', 'c']);
    fill(root, ['b']);
    expect(kept(root, ['a', 'b', 'c'])).toEqual(['a', 'b', 'c']);
  });

  it('never gives altered bytes, wherever its files are altered', async () => {
    const root = await temporaryFolder();
    const names = ['a', 'b', 'c', 'd'];
    fill(root, names);
    const [pack, index] = [readFileSync(packOf(root)), readFileSync(indexOf(root))];
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        (inPack, where, flip) => {
          const altered = Buffer.from(inPack ? pack : index);
          const at = Math.min(altered.length - 1, Math.floor(where * altered.length));
          altered[at] = (altered[at] ?? 0) ^ flip;
          writeFileSync(packOf(root), inPack ? altered : pack);
          writeFileSync(indexOf(root), inPack ? index : altered);
          kept(root, names);
          fill(root, names);
          expect(kept(root, names)).toEqual(names);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('stays within its bound, and keeps what this run has used', async () => {
    const root = await temporaryFolder();
    fill(root, ['old', 'used']);
    const names = Array.from({ length: 40 }, (_, index) => `name ${index}`);
    const cache = open(root, 8000);
    expect(cache.get(key('used'))).toBeDefined();
    for (const name of names) {
      cache.put(key(name), bytesOf(name));
      cache.flush();
    }
    expect(statSync(packOf(root)).size).toBeLessThan(8000 + 1000);
    expect(kept(root, ['used', 'name 39'])).toContain('name 39');
    expect(kept(root, ['old'])).toEqual([]);
  });

  it('takes a file that is no pack for none', async () => {
    const root = await temporaryFolder();
    await mkdir(join(root, ...PATH), { recursive: true });
    writeFileSync(packOf(root), 'something else that is longer than a head');
    expect(open(root).get(key('a'))).toBeUndefined();
    fill(root, ['a']);
    expect(kept(root, ['a'])).toEqual(['a']);
  });

  it('is not led elsewhere by a link', async () => {
    const root = await temporaryFolder();
    const elsewhere = await temporaryFolder();
    symlinkSync(elsewhere, join(root, '.tieup'));
    const cache = open(root);
    cache.put(key('a'), bytesOf('a'));
    expect(() => cache.flush()).toThrow(expect.objectContaining({ code: 'TIEUP_E_UNSAFE_PATH' }));
    expect(readdirSync(elsewhere)).toEqual([]);
  });
});
