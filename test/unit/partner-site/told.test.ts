import { describe, expect, test } from 'vitest';
import { forgetNotices, isNews } from '../../../src/partner-site/told.ts';
import { partnership } from '../../support/partnership-fixture.ts';
import { changedPaths } from '../../support/snapshot.ts';

describe('a notice for the manager', () => {
  test('is news once, in every process, until all was well', async () => {
    const { shop } = await partnership();
    const before = await shop.snapshot();
    const say = async (notice: string) => isNews(await shop.open(), notice);
    expect([await say('held'), await say('held'), await say('refused'), await say('held')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(changedPaths(before, await shop.snapshot())).toEqual(['state/told.json']);
    await forgetNotices(await shop.open());
    expect(changedPaths(before, await shop.snapshot())).toEqual([]);
    expect(await say('held')).toBe(true);
  });

  test('is given rather twice than never where it cannot be remembered', async () => {
    const { shop } = await partnership();
    await shop.write('state/told.json', '{');
    expect([await isNews(await shop.open(), 'held'), await isNews(await shop.open(), 'held')]).toEqual([true, true]);
  });

  test('is remembered within bounds: after many others it is news again', async () => {
    const { shop } = await partnership();
    const site = await shop.open();
    for (let number = 0; number <= 50; number += 1) await isNews(site, `notice ${number}`);
    expect([await isNews(site, 'notice 1'), await isNews(site, 'notice 0')]).toEqual([false, true]);
  });
});
