/** What the tests of file trees say often. */
import { expect } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import { isTieupError } from '../../src/errors.ts';
import type { FileTree } from '../../src/io/file-tree.ts';

/** More than any file of these tests. */
export const MAX = 64 * 1024 * 1024;

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

export async function drain(stream: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of stream) if (chunk.length > MAX) throw new Error('a chunk is too long');
}

export async function* chunks(parts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield text(part);
}

/** Bytes that differ wherever a chunk could be misplaced. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1)
    bytes[index] = (index * 31 + (index >>> 8) * 17 + (index >>> 16)) & 0xff;
  return bytes;
}
