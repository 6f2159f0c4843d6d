/** Files are written whole and read within bounds. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { FileTree } from '../../src/io/file-tree.ts';
import type { TreeUnderTest } from './file-tree.contract.ts';
import { chunks, MAX, names, pattern, read, refused, text } from './tree-assertions.ts';

export function describeFiles(current: () => TreeUnderTest): void {
  let tree: FileTree;
  beforeEach(() => {
    ({ tree } = current());
  });

  describe('files', () => {
    test('what was written is read back, byte for byte', async () => {
      await tree.write('a.txt', text('hello'));
      expect(await read(tree, 'a.txt')).toBe('hello');
      expect(await tree.stat('a.txt')).toMatchObject({ kind: 'file', length: 5 });
    });

    test('an empty file is a file', async () => {
      await tree.write('empty', new Uint8Array());
      expect(await tree.read('empty', 0)).toEqual(new Uint8Array());
      expect(await tree.stat('empty')).toMatchObject({ kind: 'file', length: 0 });
    });

    test('a write makes the folders that are missing', async () => {
      await tree.write('a/b/c/d.txt', text('deep'));
      expect(await read(tree, 'a/b/c/d.txt')).toBe('deep');
      expect(await tree.stat('a/b')).toMatchObject({ kind: 'folder', length: 0 });
    });

    test('a write replaces the file as a whole', async () => {
      await tree.write('a.txt', text('the old and longer content'));
      await tree.write('a.txt', text('new'));
      expect(await read(tree, 'a.txt')).toBe('new');
      expect(await names(tree, '')).toEqual(['a.txt']);
    });

    test('a staged file that must be new replaces nothing', async () => {
      const staged = await tree.stage('a.txt', text('first'), { isNew: true });
      const late = await tree.stage('a.txt', text('second'), { isNew: true });
      await staged.commit();
      await expect(late.commit()).rejects.toMatchObject({ code: 'TIEUP_E_EXISTS' });
      await expect(
        tree.stage('a.txt', text('third'), { isNew: true }).then((third) => third.commit()),
      ).rejects.toMatchObject({ code: 'TIEUP_E_EXISTS' });
      expect(await tree.read('a.txt', 100)).toEqual(text('first'));
      expect(await tree.list('', { temporary: true })).toHaveLength(1);
    });

    test('a staged file is there from its commit on', async () => {
      await tree.write('a.txt', text('old'));
      const staged = await Promise.all(
        ['a.txt', 'folder/b.txt', 'folder/c.txt'].map((path) => tree.stage(path, text(`new ${path}`))),
      );
      expect(await read(tree, 'a.txt')).toBe('old');
      expect(await names(tree, 'folder')).toEqual([]);
      await staged[2]?.discard();
      await staged[0]?.commit();
      await staged[1]?.commit();
      expect(await read(tree, 'a.txt')).toBe('new a.txt');
      expect(await names(tree, '')).toEqual(['a.txt', 'folder']);
      expect((await tree.list('folder', { temporary: true })).map(({ name }) => name)).toEqual(['b.txt']);
    });

    test('content can come in chunks', async () => {
      await tree.write('chunks', chunks(['one ', '', 'two ', 'three']));
      expect(await read(tree, 'chunks')).toBe('one two three');
    });

    test('a large file survives, in one piece and in chunks', async () => {
      const content = pattern(3_000_017);
      await tree.write('large', content);
      expect(Buffer.compare(await tree.read('large', MAX), content)).toBe(0);
      await tree.write(
        'large2',
        (async function* pieces() {
          for (let at = 0; at < content.length; at += 100_003) yield content.subarray(at, at + 100_003);
        })(),
      );
      const parts: Uint8Array[] = [];
      for await (const chunk of tree.stream('large2', content.length)) parts.push(chunk);
      expect(parts.length).toBeGreaterThan(0);
      expect(Buffer.compare(Buffer.concat(parts), content)).toBe(0);
    });

    test('the bytes that a caller gets are its own', async () => {
      await tree.write('a.txt', text('hello'));
      (await tree.read('a.txt', 10)).fill(0);
      expect(await read(tree, 'a.txt')).toBe('hello');
    });

    test('files read one after another into one room are what they are, shorter, as long or longer than it', async () => {
      const contents = ['exactly!', '', 'short', 'longer than the room', 'short'];
      for (const [index, content] of contents.entries()) await tree.write(`${index}`, text(content));
      const room = new Uint8Array(8);
      for (const [index, content] of contents.entries()) {
        expect(new TextDecoder().decode(await tree.read(`${index}`, MAX, room))).toBe(content);
      }
      await refused(tree.read('3', 8, room), 'TIEUP_E_TOO_LARGE');
      await refused(tree.read('absent', 8, room), 'TIEUP_E_NOT_FOUND');
    });

    test('a buffer that is reused for every chunk is copied', async () => {
      const buffer = new Uint8Array(4);
      await tree.write(
        'reused',
        (async function* reusing() {
          for (const letter of ['aaaa', 'bbbb', 'cccc']) {
            buffer.set(text(letter));
            yield buffer;
          }
        })(),
      );
      expect(await read(tree, 'reused')).toBe('aaaabbbbcccc');
    });

    test('the mode is 0644, or what is asked for', async () => {
      await tree.write('plain', text('x'));
      await tree.write('private', text('x'), { mode: 0o600 });
      await tree.create('created', text('x'), { mode: 0o640 });
      expect((await tree.stat('plain'))?.mode).toBe(0o644);
      expect((await tree.stat('private'))?.mode).toBe(0o600);
      expect((await tree.stat('created'))?.mode).toBe(0o640);
    });

    test('files that are not flushed at once can be flushed together', async () => {
      await tree.write('a/one', text('1'), { durable: false });
      await tree.write('a/b/two', text('2'), { durable: false });
      await tree.sync(['a/one', 'a/b/two', 'a/removed']);
      expect(await read(tree, 'a/b/two')).toBe('2');
    });

    test('many files at once do not disturb each other', async () => {
      const paths = Array.from({ length: 60 }, (_, index) => `many/${index % 7}/${index}.txt`);
      await Promise.all(paths.map((path) => tree.write(path, text(path))));
      expect(await Promise.all(paths.map((path) => read(tree, path)))).toEqual(paths);
    });

    test('names may hold whatever a file system allows', async () => {
      const odd = ['two words', 'ümlaut', '日本', '😀', 'quo\'te"', '.hidden', 'a%20b', '-rf', '~', '$HOME', '#?', '*'];
      for (const one of odd) await tree.write(`odd/${one}`, text(one));
      expect(await names(tree, 'odd')).toEqual([...odd].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
      for (const one of odd) expect(await read(tree, `odd/${one}`)).toBe(one);
    });

    test('a content that fails half-way leaves the old file and nothing else', async () => {
      await tree.write('a.txt', text('old'));
      const failure = new Error('the source broke');
      const broken = (async function* broken() {
        yield text('new ');
        throw failure;
      })();
      await expect(tree.write('a.txt', broken)).rejects.toBe(failure);
      expect(await read(tree, 'a.txt')).toBe('old');
      expect(await names(tree, '', true)).toEqual(['a.txt']);
    });
  });

  describe('bounds', () => {
    test('a file longer than its bound is refused', async () => {
      await tree.write('long', text('123456'));
      await refused(tree.read('long', 5), 'TIEUP_E_TOO_LARGE');
      expect(await read(tree, 'long')).toBe('123456');
      expect(Buffer.from(await tree.read('long', 6)).toString()).toBe('123456');
    });

    test('a stream gives out no byte more than its bound', async () => {
      await tree.write('long', pattern(400_000));
      let given = 0;
      const reading = (async () => {
        for await (const chunk of tree.stream('long', 399_999)) given += chunk.length;
      })();
      await refused(reading, 'TIEUP_E_TOO_LARGE');
      expect(given).toBeLessThanOrEqual(399_999);
    });

    test('a stream may be left early', async () => {
      await tree.write('long', pattern(900_000));
      for await (const chunk of tree.stream('long', MAX)) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect((await tree.read('long', MAX)).length).toBe(900_000);
    });
  });
}
