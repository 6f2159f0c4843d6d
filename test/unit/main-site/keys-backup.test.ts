import { describe, expect, test } from 'vitest';
import { isTieupError, type TieupError } from '../../../src/errors.ts';
import type { KeyShelf, ShelfKey } from '../../../src/io/key-shelf.ts';
import type { KeyName } from '../../../src/io/keys.ts';
import { backUpKeys, restoreKeys } from '../../../src/main-site/keys-backup.ts';
import { rotateMaster } from '../../../src/main-site/keys-rotate.ts';
import { rootVersions } from '../../../src/main-site/root-store.ts';
import { parseKeyBackup, renderKeyBackup } from '../../../src/protocol/key-backup.ts';
import { partnership } from '../../support/partnership-fixture.ts';

interface MemoryShelf extends KeyShelf {
  readonly keys: Map<KeyName, string>;
}

function memoryShelf(keys: readonly (readonly [KeyName, string])[], plain: readonly KeyName[] = []): MemoryShelf {
  const all = new Map(keys);
  const listed = (name: KeyName, state: ShelfKey['state']): ShelfKey => ({ name, state, fault: null, seed: null });
  return {
    keys: all,
    list: async () => [
      ...[...all.keys()].map((name) => listed(name, 'sealed')),
      ...plain.map((name) => listed(name, 'plain')),
    ],
    sealed: async (name) => all.get(name) ?? '',
    has: async (name) => all.has(name),
    keep: async (name, pem) => void all.set(name, pem),
  };
}

async function refusal(work: Promise<unknown>): Promise<TieupError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isTieupError(error)) throw error ?? new Error('it was not refused');
  return error;
}

describe('a backup', () => {
  test('brings back keys and roots that are gone, and nothing else', async () => {
    const { main } = await partnership();
    await rotateMaster(main.site, 'online');
    const shelf = memoryShelf(
      [
        ['root', 'sealed root'],
        ['online-2', 'sealed online'],
      ],
      ['ssh'],
    );
    const backup = await backUpKeys(main.site, shelf);
    expect(backup).toMatchObject({ keys: ['root', 'online-2'], leftOut: ['ssh'], roots: 2 });
    await main.remove('partners/harbour/2.root.json');
    const empty = memoryShelf([['root', 'sealed root']]);
    expect(await restoreKeys(main.site, empty, backup.bytes)).toEqual({
      keys: ['online-2'],
      roots: ['partners/harbour/2.root.json'],
      unchanged: 2,
    });
    expect(empty.keys.get('online-2')).toBe('sealed online');
    expect(await rootVersions(main.site, 'harbour')).toEqual([1, 2]);
  });

  test('that differs from what is there restores nothing', async () => {
    const { main } = await partnership();
    const backup = await backUpKeys(
      main.site,
      memoryShelf([
        ['root', 'old'],
        ['release', 'sealed'],
      ]),
    );
    const shelf = memoryShelf([['root', 'new']]);
    const error = await refusal(restoreKeys(main.site, shelf, backup.bytes));
    expect([error.code, error.problems.map(({ file }) => file)]).toEqual(['TIEUP_E_EXISTS', ['root.key']]);
    expect([...shelf.keys]).toEqual([['root', 'new']]);
  });

  test.each([
    ['of another site', { site: 'https://southwind.example/' }, 'this is the backup of https://southwind.example/'],
    ['with a key that a main site has not', { keys: { accept: 'x' } }, 'which a main site has not'],
    ['with a root that is none', { roots: { harbour: { '1': '{}' } } }, 'TUF metadata is malformed'],
  ])('%s is refused before anything is written', async (_what, change, expected) => {
    const { main } = await partnership();
    const shelf = memoryShelf([]);
    const whole = parseKeyBackup((await backUpKeys(main.site, memoryShelf([['root', 'sealed']]))).bytes);
    const error = await refusal(restoreKeys(main.site, shelf, renderKeyBackup({ ...whole, ...change })));
    expect([error.code, error.message]).toEqual(['TIEUP_E_VERIFY', expect.stringContaining(expected)]);
    expect(shelf.keys.size).toBe(0);
  });

  test.each([
    ['no JSON', '{', 'cannot be read as JSON'],
    ['of another type', '{"type":"x"}', 'malformed'],
    [
      'with a partner who climbs',
      JSON.stringify({
        type: 'tieup-key-backup/1',
        site: 'x',
        created: '2026-11-23T12:00:00Z',
        keys: {},
        roots: { '../x': {} },
      }),
      'malformed',
    ],
  ])('that is %s is no backup', async (_what, text, expected) => {
    const error = await refusal(Promise.resolve().then(() => parseKeyBackup(Buffer.from(text))));
    expect([error.code, error.message]).toEqual(['TIEUP_E_VERIFY', expect.stringContaining(expected)]);
  });
});
