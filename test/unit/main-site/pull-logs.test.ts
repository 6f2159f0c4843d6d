import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { pullLogs } from '../../../src/main-site/pull-logs.ts';
import { exportLogs } from '../../../src/partner-site/export-logs.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import { disclosed, exported, hit, serve, withLogs } from '../../support/shop-logs.ts';

const exportAll = async (shop: PartnerFixture, more = {}) =>
  exportLogs(await shop.open({ config: withLogs(more) }), { acceptGap: false, disclose: {} });
const pull = async ({ site }: MainFixture) => {
  const [result] = await pullLogs(site, [], 2);
  if (result === undefined) throw new Error('nobody was asked');
  return result;
};

async function trading() {
  const { main, shop } = await partnership();
  await shop.accept(await shop.open({ config: withLogs() }));
  serve(shop, hit('/with-main/'), hit('/about/us.html'), hit('/with-main/story.html'));
  return { main, shop };
}

describe('pulling access logs', () => {
  test('says when there is nothing yet', async () => {
    const { main } = await trading();
    expect(await pull(main)).toMatchObject({ kind: 'none', partner: 'harbour', findings: [], added: { T: 0, O: 0 } });
  });

  test('verifies, keeps and cosigns what was exported; the next export goes on from there', async () => {
    const { main, shop } = await trading();
    await exportAll(shop);
    expect(await pull(main)).toMatchObject({ kind: 'pulled', added: { T: 3, O: 1 } });
    expect(await pull(main)).toMatchObject({ kind: 'unchanged' });
    expect(readdirSync(`${main.folder}/.tieup/logs/harbour/1/T`)).toEqual(['0-3.part.gz']);

    serve(shop, hit('/with-main/visit.html'), hit('/'));
    await exportAll(shop);
    expect((await exported(shop)).T).toMatchObject({ from: 3, size: 4 });
    expect((await disclosed(shop, 'T')).map(({ page }) => page)).toEqual(['with-main/visit.html']);
    expect(await pull(main)).toMatchObject({ kind: 'pulled', added: { T: 1, O: 1 } });
    expect(readdirSync(`${main.folder}/.tieup/logs/harbour/1/T`)).toEqual(['0-3.part.gz', '3-4.part.gz']);
  });

  test('puts the cosignature there again for a partner that has not seen it', async () => {
    const { main, shop } = await trading();
    await exportAll(shop);
    await pull(main);
    await shop.remove('exchange/inbox/logs');
    serve(shop, hit('/with-main/visit.html'));
    await exportAll(shop);
    expect((await exported(shop)).T).toMatchObject({ from: 0, size: 4 });
    expect(await pull(main)).toMatchObject({ kind: 'behind' });
    await exportAll(shop);
    expect((await exported(shop)).T).toMatchObject({ from: 3, size: 4 });
    expect(await pull(main)).toMatchObject({ kind: 'pulled', added: { T: 1 } });
  });

  test('goes on after an export from the start that it had not asked for', async () => {
    const { main, shop } = await trading();
    await exportAll(shop);
    await pull(main);
    serve(shop, hit('/with-main/visit.html'));
    await exportLogs(await shop.open({ config: withLogs() }), { acceptGap: false, fromStart: true, disclose: {} });
    expect((await exported(shop)).T).toMatchObject({ from: 0, size: 4 });
    main.clock.passDays(1);
    expect(await pull(main)).toMatchObject({ kind: 'behind' });
    await exportAll(shop);
    expect((await exported(shop)).T).toMatchObject({ from: 3, size: 4 });
    expect(await pull(main)).toMatchObject({ kind: 'pulled', added: { T: 1 } });
  });
});
