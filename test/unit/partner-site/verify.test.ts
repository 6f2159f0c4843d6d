import { describe, expect, test } from 'vitest';
import { accept } from '../../../src/partner-site/accept.ts';
import { verify } from '../../../src/partner-site/verify.ts';
import { saying } from '../../support/partner-fixture.ts';
import { partnership } from '../../support/partnership-fixture.ts';
import { changedPaths } from '../../support/snapshot.ts';

const KEEP = { 'with-main/story.html': 'keep-mine' } as const;

describe('a file of the partner’s own that the manager keeps under the mount', () => {
  test.each([
    ['at the very path', 'with-main/story.html'],
    ['at a path that some file system cannot tell from it', 'with-main/Story.html'],
    ['in a folder of that name', 'with-main/story.html/mine.html'],
  ])('is no difference, and is named as the choice it is: %s', async (_, own) => {
    const { shop } = await partnership({ publish: 'overwrite', inPlace: true, originals: { [own]: 'mine' } });
    await expect(shop.accept()).rejects.toMatchObject({ code: 'TIEUP_E_CONFLICT' });
    await accept(await shop.open(), { answering: saying(true), choices: KEEP });

    const before = await shop.snapshot();
    expect(await verify(await shop.open())).toMatchObject({ differences: [], kept: [own] });
    expect(changedPaths(before, await shop.snapshot())).toEqual([]);

    // What nobody chose is a difference all the same, also beside it.
    await shop.write('public/with-main/stranger.html', 'x');
    expect(await verify(await shop.open())).toMatchObject({
      differences: [{ kind: 'extra', path: 'with-main/stranger.html' }],
      kept: [own],
    });
  });

  test.each(['link', 'overwrite'] as const)(
    'is no difference either when it comes from original/, by %s',
    async (publish) => {
      const { shop } = await partnership({ publish, originals: { 'with-main/story.html': 'mine' } });
      await accept(await shop.open(), { answering: saying(true), choices: KEEP });
      expect(await verify(await shop.open())).toMatchObject({ differences: [], kept: [] });
      // Published by tieup, so a change of it is found.
      await shop.write('public/with-main/story.html', 'somebody else');
      expect((await verify(await shop.open())).differences).toEqual([
        { kind: 'changed', path: 'with-main/story.html' },
      ]);
    },
  );
});

describe('the links of the live tree', () => {
  test.each(['link', 'overwrite'] as const)('are followed when they are asked for, by %s', async (publish) => {
    const own =
      '<p id="a">\n<a href="with-main/story.html">fine</a> <a href="with-main/gone.html">x</a> <i id="a"></i>';
    const { shop } = await partnership({ publish, originals: { 'own.html': own } });
    await accept(await shop.open(), { answering: saying(true), choices: {} });
    expect((await verify(await shop.open())).deadLinks).toBeUndefined();

    const before = await shop.snapshot();
    const { differences, deadLinks } = await verify(await shop.open(), { links: true });
    expect(changedPaths(before, await shop.snapshot())).toEqual([]);
    expect(differences).toEqual([]);
    expect(deadLinks?.filter(({ path }) => path === 'own.html')).toMatchObject([
      { kind: 'link', line: 2, column: 41, address: 'with-main/gone.html' },
      { kind: 'id', line: 2, column: 77, address: 'a' },
    ]);
  });

  test('are none before anything is live', async () => {
    const { shop } = await partnership({ publish: 'link' });
    expect((await verify(await shop.open(), { links: true })).deadLinks).toEqual([]);
  });
});
