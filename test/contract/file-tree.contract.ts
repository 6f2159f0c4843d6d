/** The obligations of src/io/file-tree.ts as tests, run against every adapter by file-tree.test.ts. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import { isTieupError } from '../../src/errors.ts';
import type { FileTree } from '../../src/io/file-tree.ts';

export interface TreeUnderTest {
  readonly tree: FileTree;
  /** Makes a name that is neither file, folder nor link: a FIFO. */
  readonly makeSpecial?: (path: string) => void;
  readonly dispose: () => Promise<void>;
}

export interface TreeTraits {
  /** false: hardLink is TIEUP_E_STORAGE. */
  readonly hardLinks: boolean;
}

const MAX = 64 * 1024 * 1024;

export function describeFileTree(name: string, traits: TreeTraits, makeTree: () => Promise<TreeUnderTest>): void {
  describe(`${name} keeps the promises of the port`, () => {
    let made: TreeUnderTest;
    let tree: FileTree;

    beforeEach(async () => {
      made = await makeTree();
      ({ tree } = made);
    });
    afterEach(async () => {
      await tree.close();
      await made.dispose();
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
        const odd = [
          'two words',
          'ümlaut',
          '日本',
          '😀',
          'quo\'te"',
          '.hidden',
          'a%20b',
          '-rf',
          '~',
          '$HOME',
          '#?',
          '*',
        ];
        for (const one of odd) await tree.write(`odd/${one}`, text(one));
        expect(await names(tree, 'odd')).toEqual(
          [...odd].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
        );
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

    describe('what is not there', () => {
      test('is undefined, an empty list, or a clear refusal', async () => {
        expect(await tree.stat('nothing')).toBeUndefined();
        expect(await tree.stat('no/thing/at/all')).toBeUndefined();
        expect(await tree.list('nothing')).toEqual([]);
        await refused(tree.read('nothing', MAX), 'TIEUP_E_NOT_FOUND');
        await refused(tree.read('no/thing', MAX), 'TIEUP_E_NOT_FOUND');
        await refused(drain(tree.stream('nothing', MAX)), 'TIEUP_E_NOT_FOUND');
        await refused(tree.readLink('nothing'), 'TIEUP_E_NOT_FOUND');
        await refused(tree.rename('nothing', 'b'), 'TIEUP_E_NOT_FOUND');
        await tree.remove('nothing');
        await tree.remove('no/thing');
        expect(await tree.removeFolder('nothing')).toBe(false);
        expect(await names(tree, '')).toEqual([]);
      });

      test('is not made by a rename or a link', async () => {
        await tree.write('a', text('a'));
        await refused(tree.rename('a', 'absent/b'), 'TIEUP_E_NOT_FOUND');
        await refused(tree.replaceLink('absent/link', 'a'), 'TIEUP_E_NOT_FOUND');
        if (traits.hardLinks) await refused(tree.hardLink('a', 'absent/b'), 'TIEUP_E_NOT_FOUND');
        expect(await names(tree, '')).toEqual(['a']);
      });

      test('cannot be below a file', async () => {
        await tree.write('file', text('f'));
        expect(await tree.stat('file/below')).toBeUndefined();
        await refused(tree.read('file/below', MAX), 'TIEUP_E_NOT_FOUND');
        await refused(tree.write('file/below', text('x')), 'TIEUP_E_EXISTS');
        await refused(tree.makeFolder('file/below'), 'TIEUP_E_EXISTS');
        expect(await read(tree, 'file')).toBe('f');
      });
    });

    describe('exclusive creation', () => {
      test('makes a file once', async () => {
        await tree.create('dir/lock', text('mine'));
        await refused(tree.create('dir/lock', text('theirs')), 'TIEUP_E_EXISTS');
        expect(await read(tree, 'dir/lock')).toBe('mine');
        expect(await names(tree, 'dir', true)).toEqual(['lock']);
      });

      test('has one winner when many try', async () => {
        const attempts = await Promise.allSettled(
          Array.from({ length: 8 }, (_, index) => tree.create('lock', text(`${index}`))),
        );
        const winners = attempts.flatMap((attempt, index) => (attempt.status === 'fulfilled' ? [index] : []));
        expect(winners).toHaveLength(1);
        expect(await read(tree, 'lock')).toBe(`${winners[0]}`);
      });

      test('refuses a folder and a dangling link that are in the way', async () => {
        await tree.makeFolder('folder');
        await tree.replaceLink('link', 'nowhere');
        await refused(tree.create('folder', text('x')), 'TIEUP_E_EXISTS');
        await refused(tree.create('link', text('x')), 'TIEUP_E_EXISTS');
        expect(await tree.stat('nowhere')).toBeUndefined();
      });
    });

    describe('folders', () => {
      test('are made with their parents, and again without harm', async () => {
        await tree.makeFolder('');
        await tree.makeFolder('x/y/z');
        await tree.makeFolder('x/y/z');
        expect(await tree.stat('x/y/z')).toMatchObject({ kind: 'folder' });
        expect(await tree.stat('')).toMatchObject({ kind: 'folder' });
      });

      test('are listed in the order of bytes, with what each child is', async () => {
        await tree.write('f/b', text('bb'));
        await tree.write('f/B', text('B'));
        await tree.write('f/a/inner', text('x'));
        await tree.replaceLink('f/l', 'b');
        expect(await tree.list('f')).toMatchObject([
          { name: 'B', kind: 'file', length: 1 },
          { name: 'a', kind: 'folder', length: 0 },
          { name: 'b', kind: 'file', length: 2 },
          { name: 'l', kind: 'link', length: 0 },
        ]);
      });

      test('hide temporary files, unless asked for them', async () => {
        await tree.write('.tieup-tmp-left-by-a-crash', text('x'));
        await tree.write('a', text('x'));
        expect(await names(tree, '')).toEqual(['a']);
        expect(await names(tree, '', true)).toEqual(['.tieup-tmp-left-by-a-crash', 'a']);
      });

      test('are removed when they are empty, and only then', async () => {
        await tree.write('x/y/file', text('x'));
        expect(await tree.removeFolder('x/y')).toBe(false);
        await tree.remove('x/y/file');
        expect(await tree.removeFolder('x/y')).toBe(true);
        expect(await tree.stat('x/y')).toBeUndefined();
        expect(await tree.removeFolder('x/y')).toBe(false);
      });

      test('are not taken for files, nor files for folders', async () => {
        await tree.makeFolder('folder');
        await tree.write('file', text('f'));
        await refused(tree.read('folder', MAX), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.write('folder', text('x')), 'TIEUP_E_EXISTS');
        await refused(tree.remove('folder'), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.list('file'), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.makeFolder('file'), 'TIEUP_E_EXISTS');
        await refused(tree.removeFolder('file'), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.readLink('file'), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.readLink('folder'), 'TIEUP_E_UNSAFE_PATH');
        expect(await names(tree, '', true)).toEqual(['file', 'folder']);
        expect(await read(tree, 'file')).toBe('f');
      });
    });

    describe('rename', () => {
      test('moves a file over another', async () => {
        await tree.write('a', text('a'));
        await tree.write('d/b', text('b'));
        await tree.rename('a', 'd/b');
        expect(await read(tree, 'd/b')).toBe('a');
        expect(await tree.stat('a')).toBeUndefined();
        expect(await names(tree, 'd', true)).toEqual(['b']);
      });

      test('moves a folder with what is in it', async () => {
        await tree.write('from/inner/file', text('x'));
        await tree.makeFolder('to');
        await tree.rename('from', 'to/moved');
        expect(await read(tree, 'to/moved/inner/file')).toBe('x');
        expect(await tree.stat('from')).toBeUndefined();
      });

      test('moves a link, not what it points at', async () => {
        await tree.write('target', text('t'));
        await tree.replaceLink('link', 'target');
        await tree.rename('link', 'moved');
        expect(await tree.readLink('moved')).toBe('target');
        expect(await read(tree, 'target')).toBe('t');
      });

      test('to itself changes nothing', async () => {
        await tree.write('a', text('a'));
        await tree.rename('a', 'a');
        expect(await read(tree, 'a')).toBe('a');
      });

      test('never replaces a folder, nor anything by a folder', async () => {
        await tree.write('file', text('f'));
        await tree.makeFolder('one');
        await tree.makeFolder('two');
        await refused(tree.rename('file', 'one'), 'TIEUP_E_EXISTS');
        await refused(tree.rename('one', 'two'), 'TIEUP_E_EXISTS');
        await refused(tree.rename('one', 'file'), 'TIEUP_E_EXISTS');
        await refused(tree.rename('one', 'one/inside'), 'TIEUP_E_UNSAFE_PATH');
        expect(await names(tree, '', true)).toEqual(['file', 'one', 'two']);
      });
    });

    describe('links', () => {
      test('are switched in one step, and can be read', async () => {
        await tree.makeFolder('published/1');
        await tree.makeFolder('published/2');
        await tree.replaceLink('public', 'published/1');
        await tree.replaceLink('public', 'published/2');
        expect(await tree.readLink('public')).toBe('published/2');
        expect(await tree.stat('public')).toMatchObject({ kind: 'link', length: 0 });
        expect(await names(tree, '', true)).toEqual(['public', 'published']);
        expect(await names(tree, 'published', true)).toEqual(['1', '2']);
      });

      test('replace nothing but a link', async () => {
        await tree.write('file', text('f'));
        await tree.makeFolder('folder');
        await refused(tree.replaceLink('file', 'x'), 'TIEUP_E_EXISTS');
        await refused(tree.replaceLink('folder', 'x'), 'TIEUP_E_EXISTS');
        expect(await names(tree, '', true)).toEqual(['file', 'folder']);
      });

      test('are removed themselves, not what they point at', async () => {
        await tree.write('folder/file', text('x'));
        await tree.replaceLink('link', 'folder');
        await tree.remove('link');
        expect(await tree.stat('link')).toBeUndefined();
        expect(await read(tree, 'folder/file')).toBe('x');
      });

      test('as the last component are not followed', async () => {
        await tree.write('secret', text('secret'));
        await tree.makeFolder('folder');
        await tree.replaceLink('to-file', 'secret');
        await tree.replaceLink('to-folder', 'folder');
        await refused(tree.read('to-file', MAX), 'TIEUP_E_UNSAFE_PATH');
        await refused(drain(tree.stream('to-file', MAX)), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.write('to-file', text('x')), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.list('to-folder'), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.makeFolder('to-folder'), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.removeFolder('to-folder'), 'TIEUP_E_UNSAFE_PATH');
        if (traits.hardLinks) await refused(tree.hardLink('to-file', 'hard'), 'TIEUP_E_UNSAFE_PATH');
        expect(await read(tree, 'secret')).toBe('secret');
        expect(await names(tree, '', true)).toEqual(['folder', 'secret', 'to-file', 'to-folder']);
      });

      test('on the way are not followed', async () => {
        await tree.write('outside/file', text('secret'));
        await tree.write('a', text('a'));
        await tree.makeFolder('in');
        await tree.replaceLink('in/link', '../outside');
        const unsafe: readonly Promise<unknown>[] = [
          tree.stat('in/link/file'),
          tree.list('in/link/sub'),
          tree.read('in/link/file', MAX),
          drain(tree.stream('in/link/file', MAX)),
          tree.write('in/link/file', text('x')),
          tree.write('in/link/deep/new', text('x')),
          tree.create('in/link/new', text('x')),
          tree.makeFolder('in/link/new'),
          tree.rename('in/link/file', 'b'),
          tree.rename('a', 'in/link/b'),
          tree.replaceLink('in/link/l', 'x'),
          tree.readLink('in/link/file'),
          tree.remove('in/link/file'),
          tree.removeFolder('in/link/sub'),
        ];
        for (const operation of unsafe) operation.catch(() => {});
        for (const operation of unsafe) await refused(operation, 'TIEUP_E_UNSAFE_PATH');
        expect(await names(tree, 'outside', true)).toEqual(['file']);
        expect(await read(tree, 'outside/file')).toBe('secret');
        expect(await read(tree, 'a')).toBe('a');
      });

      test('that take the place of a folder are noticed at once', async () => {
        await tree.write('real/file', text('x'));
        await tree.write('folder/file', text('mine'));
        expect(await read(tree, 'folder/file')).toBe('mine');
        await tree.rename('folder', 'away');
        await tree.replaceLink('folder', 'real');
        await refused(tree.read('folder/file', MAX), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.write('folder/file', text('y')), 'TIEUP_E_UNSAFE_PATH');
        expect(await read(tree, 'real/file')).toBe('x');
      });
    });

    test('a special file is refused at once, not waited for', async () => {
      made.makeSpecial?.('fifo');
      const code = made.makeSpecial === undefined ? 'TIEUP_E_NOT_FOUND' : 'TIEUP_E_UNSAFE_PATH';
      await refused(tree.read('fifo', MAX), code);
      await refused(drain(tree.stream('fifo', MAX)), code);
      const kinds = (await tree.list('')).map(({ kind, length }) => ({ kind, length }));
      expect(kinds).toEqual(made.makeSpecial === undefined ? [] : [{ kind: 'other', length: 0 }]);
      if (made.makeSpecial !== undefined) await refused(tree.write('fifo', text('x')), 'TIEUP_E_EXISTS');
    });

    describe('hard links', () => {
      test.runIf(traits.hardLinks)('a hard link is a second name of the same file', async () => {
        await tree.write('a', text('a'));
        await tree.hardLink('a', 'b');
        await tree.sync(['b']);
        expect(await read(tree, 'b')).toBe('a');
        await refused(tree.hardLink('a', 'b'), 'TIEUP_E_EXISTS');
        await refused(tree.hardLink('nothing', 'c'), 'TIEUP_E_NOT_FOUND');
        await tree.makeFolder('folder');
        await refused(tree.hardLink('folder', 'c'), 'TIEUP_E_UNSAFE_PATH');
        await tree.write('a', text('changed'));
        expect(await read(tree, 'b')).toBe('a');
      });

      test.skipIf(traits.hardLinks)('a hard link is refused in a way that tells to copy', async () => {
        await tree.write('a', text('a'));
        await refused(tree.hardLink('a', 'b'), 'TIEUP_E_STORAGE');
        expect(await names(tree, '', true)).toEqual(['a']);
      });
    });

    describe('paths', () => {
      const bad = ['/a', 'a/', 'a//b', '.', '..', 'a/..', '../a', 'a/./b', 'a\\b', 'a\0b', '/', 'a/\uD800'];
      test.each(bad)('%j is refused before anything happens', async (path) => {
        await tree.write('a/b', text('x'));
        await refused(tree.stat(path), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.list(path), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.read(path, MAX), 'TIEUP_E_UNSAFE_PATH');
        await refused(drain(tree.stream(path, MAX)), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.write(path, text('y')), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.create(path, text('y')), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.makeFolder(path), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.rename(path, 'z'), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.rename('a/b', path), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.hardLink('a/b', path), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.replaceLink(path, 'x'), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.readLink(path), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.remove(path), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.removeFolder(path), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.sync([path]), 'TIEUP_E_UNSAFE_PATH');
        expect(await names(tree, '', true)).toEqual(['a']);
        expect(await names(tree, 'a', true)).toEqual(['b']);
      });

      test('the root is no file', async () => {
        await refused(tree.read('', MAX), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.write('', text('x')), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.remove(''), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.rename('', 'a'), 'TIEUP_E_UNSAFE_PATH');
        await refused(tree.removeFolder(''), 'TIEUP_E_UNSAFE_PATH');
        expect(await names(tree, '', true)).toEqual([]);
      });
    });

    test('any series of writes, moves and removals leaves what a simple map would hold', async () => {
      const path = fc.constantFrom('a', 'b', 'c', 'd/a', 'd/b', 'd/e/a');
      const step = fc.oneof(
        fc.record({ kind: fc.constant('write' as const), path, content: fc.string({ maxLength: 30 }) }),
        fc.record({ kind: fc.constant('rename' as const), path, to: path }),
        fc.record({ kind: fc.constant('remove' as const), path }),
      );
      let round = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          round += 1;
          const base = `round-${round}`;
          await tree.makeFolder(`${base}/d/e`);
          const model = new Map<string, string>();
          for (const action of steps) {
            const content = model.get(action.path);
            if (action.kind === 'write') {
              await tree.write(`${base}/${action.path}`, text(action.content), { durable: false });
              model.set(action.path, action.content);
            } else if (action.kind === 'remove') {
              await tree.remove(`${base}/${action.path}`);
              model.delete(action.path);
            } else if (content === undefined) {
              await refused(tree.rename(`${base}/${action.path}`, `${base}/${action.to}`), 'TIEUP_E_NOT_FOUND');
            } else {
              await tree.rename(`${base}/${action.path}`, `${base}/${action.to}`);
              model.delete(action.path);
              model.set(action.to, content);
            }
          }
          const left: Record<string, string> = {};
          for (const candidate of ['a', 'b', 'c', 'd/a', 'd/b', 'd/e/a']) {
            const there = await tree.stat(`${base}/${candidate}`);
            if (there !== undefined) left[candidate] = await read(tree, `${base}/${candidate}`);
          }
          expect(left).toEqual(Object.fromEntries(model));
        }),
        { numRuns: 12, seed: 20261123 },
      );
    });
  });
}

/** Waits for `operation` to fail with `code`. */
export async function refused(operation: Promise<unknown>, code: ErrorCode): Promise<void> {
  const outcome = await operation.then(
    () => 'nothing was refused',
    (error: unknown) => error,
  );
  if (!isTieupError(outcome)) throw new Error(`expected ${code}`, { cause: outcome });
  expect(outcome.code).toBe(code);
  expect(outcome.message).not.toMatch(/\.$/);
}

export function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

export async function read(tree: FileTree, path: string): Promise<string> {
  return new TextDecoder().decode(await tree.read(path, MAX));
}

export async function names(tree: FileTree, path: string, temporary = false): Promise<readonly string[]> {
  return (await tree.list(path, { temporary })).map((entry) => entry.name);
}

async function drain(stream: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of stream) if (chunk.length > MAX) throw new Error('a chunk is too long');
}

async function* chunks(parts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield text(part);
}

/** Bytes that differ wherever a chunk could be misplaced. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1)
    bytes[index] = (index * 31 + (index >>> 8) * 17 + (index >>> 16)) & 0xff;
  return bytes;
}
