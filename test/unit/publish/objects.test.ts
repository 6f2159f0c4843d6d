import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { temporaryName } from '../../../src/io/tree-path.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { objectStore } from '../../../src/publish/objects.ts';
import { dump, encode, folderPorts } from '../../support/site-fixture.ts';

const HELLO = encode('hello');
const DIGEST = sha256(HELLO);

async function* chunks(...texts: string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield encode(text);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('the object store', () => {
  it('gives back what was added, whole or in chunks', async () => {
    const state = memoryTree();
    const objects = objectStore(state);
    expect(await objects.has(DIGEST, 5)).toBe(false);
    await objects.add(DIGEST, 5, chunks('he', 'llo'));
    await objects.flush();
    expect(await dump(state, '')).toEqual({ [`objects/${DIGEST.slice(0, 2)}/${DIGEST}`]: 'hello' });
    expect(await objects.has(DIGEST, 5)).toBe(true);
    expect(await objects.has(DIGEST, 4)).toBe(false);
    expect(await objects.read(DIGEST, 5)).toEqual(HELLO);
    expect(await collect(objects.stream(DIGEST, 5))).toBe('hello');
  });

  it.each([
    ['other bytes', 5, () => encode('hallo')],
    ['too few bytes', 5, () => encode('hell')],
    ['another length than stated', 6, () => HELLO],
    ['other bytes in chunks', 5, () => chunks('hal', 'lo')],
    ['too many bytes in chunks', 5, () => chunks('hello', ' and more')],
    ['too few bytes in chunks', 5, () => chunks('hell')],
  ])('refuses %s and stores nothing', async (_, length, content) => {
    const state = memoryTree();
    await expect(objectStore(state).add(DIGEST, length, content())).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
    expect(await dump(state, '')).toEqual({});
  });

  it('never gives out bytes that were damaged on the disk', async () => {
    const state = memoryTree();
    const objects = objectStore(state);
    await objects.add(DIGEST, 5, HELLO);
    await state.write(`objects/${DIGEST.slice(0, 2)}/${DIGEST}`, encode('hallo'));
    await expect(objects.read(DIGEST, 5)).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
    await expect(collect(objects.stream(DIGEST, 5))).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
  });

  it.each(['../../etc/passwd', 'ABC', DIGEST.toUpperCase(), ''])('does not take %j for a digest', async (name) => {
    await expect(objectStore(memoryTree()).read(name, 5)).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
  });

  it('prunes what is not to be kept', async () => {
    const state = memoryTree();
    const objects = objectStore(state);
    const other = encode('other');
    await objects.add(DIGEST, 5, HELLO);
    await objects.add(sha256(other), 5, other);
    expect(await objects.prune(new Set([DIGEST]))).toBe(1);
    expect(Object.values(await dump(state, ''))).toEqual(['hello']);
  });

  it('prunes what a killed command left half written', async () => {
    const { ports, folder, remove } = await folderPorts('separate');
    const objects = objectStore(ports.state);
    await objects.add(DIGEST, 5, HELLO);
    const place = join(folder, 'state/objects', DIGEST.slice(0, 2));
    await writeFile(join(place, temporaryName()), 'hel');
    expect(await objects.prune(new Set([DIGEST]))).toBe(0);
    expect(await readdir(place)).toEqual([DIGEST]);
    await remove();
  });
});
