import { describe, expect, test } from 'vitest';
import { leave } from '../../../src/partner-site/leave.ts';
import { merge } from '../../../src/partner-site/merge.ts';
import { resume, rollback } from '../../../src/partner-site/rollback.ts';
import { status } from '../../../src/partner-site/status.ts';
import { verify } from '../../../src/partner-site/verify.ts';
import { summarise, summaryDetails } from '../../../src/merge/summary.ts';
import { type MainFixture, PAGES, partnership } from '../../support/partnership-fixture.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { changedPaths } from '../../support/snapshot.ts';

const style = (width: number) => `main { max-width: ${width}rem }\n`;

/** A template that names its style sheet as it is to be named. */
const TEMPLATE = (PAGES['templates/page.html'] ?? '').replace('"assets/', '"{{ mount }}assets/');

async function pushed(main: MainFixture, width: number): Promise<void> {
  await main.write('assets/style.css', style(width));
  await main.pushed();
}

/** The style sheets that visitors can load. */

async function styles(shop: PartnerFixture): Promise<readonly string[]> {
  const live = Object.entries(await shop.live());
  return live.flatMap(([path, text]) => (/^with-main\/assets\/style\.[0-9a-f]{8}\.css$/.test(path) ? [text] : []));
}

describe.each(['link', 'overwrite'] as const)('published by %s', (publish) => {
  const twice = async () => {
    const { main, shop } = await partnership({ publish, pages: { 'templates/page.html': TEMPLATE } });
    await shop.accept();
    await pushed(main, 50);
    await shop.accept();
    return { main, shop };
  };
  const sorted = (...widths: readonly number[]) => widths.map(style).toSorted();
  const served = async (shop: PartnerFixture) => (await styles(shop)).toSorted();

  test('a style sheet of the release before is served until the release after the next', async () => {
    const { main, shop } = await partnership({ publish, pages: { 'templates/page.html': TEMPLATE } });
    await shop.accept();
    await pushed(main, 50);
    expect((await status(await shop.open())).inbox).toMatchObject({
      review: { plan: { earlier: [expect.anything()] } },
    });
    await shop.accept();
    expect(await served(shop)).toEqual(sorted(40, 50));
    await pushed(main, 60);
    await shop.accept();
    expect(await served(shop)).toEqual(sorted(50, 60));
    expect((await verify(await shop.open())).differences).toEqual([]);
  });

  test('what counts is the release that was live, however many were passed over', async () => {
    const { main, shop } = await partnership({ publish, pages: { 'templates/page.html': TEMPLATE } });
    await shop.accept();
    for (const width of [50, 60, 70]) await pushed(main, width);
    await shop.accept();
    expect(await served(shop)).toEqual(sorted(40, 70));
  });

  test('merging again takes nothing away and changes nothing', async () => {
    const { shop } = await twice();
    const before = await shop.snapshot();
    expect((await merge(await shop.open())).wentLive?.publication.changed).toBe(false);
    expect(changedPaths(before, await shop.snapshot())).toEqual([]);
    await shop.write('slots/visit/hours.md', 'Ten to six\n');
    const merged = await merge(await shop.open());
    expect(summaryDetails(summarise(merged.plan))).toContain(
      'stays    1 file of the release before stays until the next one, for pages that visitors have open',
    );
    expect(await served(shop)).toEqual(sorted(40, 50));
  });

  test('what the main site took out altogether is gone at once', async () => {
    const { main, shop } = await partnership({ publish, pages: { 'templates/page.html': TEMPLATE } });
    await main.write('assets/photo.png', 'not a picture, but nobody looks');
    await main.write('pages/index.md', '---\ntitle: Home\n---\n\n![A cup](assets/photo.png)\n');
    await main.pushed();
    await shop.accept();
    const photos = async () => Object.keys(await shop.live()).filter((path) => path.includes('photo'));
    expect(await photos()).toHaveLength(1);
    await main.remove('assets/photo.png');
    await main.write('pages/index.md', '---\ntitle: Home\n---\n\nNo picture\n');
    await main.pushed();
    await shop.accept();
    expect(await photos()).toEqual([]);
  });

  test('going back shows what was live then, and going forth again keeps what is on show now', async () => {
    const { shop } = await twice();
    const then = await shop.live();
    await rollback(await shop.open(), 1);
    expect(await served(shop)).toEqual(sorted(40));
    await resume(await shop.open());
    expect(await shop.live()).toEqual(then);
    expect((await verify(await shop.open())).differences).toEqual([]);
  });

  test('going back to a publication with such a file takes it away with the next release as well', async () => {
    const { main, shop } = await twice();
    await pushed(main, 60);
    await shop.accept();
    await rollback(await shop.open(), 2);
    expect(await served(shop)).toEqual(sorted(40, 50));
    await resume(await shop.open());
    expect(await served(shop)).toEqual(sorted(50, 60));
  });

  test('one that somebody has edited does not stay without a word, and leaving takes all of them', async () => {
    const { main, shop } = await twice();
    const path = Object.entries(await shop.live()).find(([, text]) => text === style(40))?.[0] ?? '';
    await shop.write(`public/${path}`, 'edited');
    await expect(merge(await shop.open())).rejects.toMatchObject({ code: 'TIEUP_E_CONFLICT' });
    await shop.write(`public/${path}`, style(40));
    await pushed(main, 60);
    const confirm = async () => true;
    await leave(await shop.open(), { reason: null, choices: {}, confirm, choose: async () => undefined });
    expect(await served(shop)).toEqual([]);
  });
});
