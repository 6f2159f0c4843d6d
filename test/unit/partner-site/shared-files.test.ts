import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { merge } from '../../../src/partner-site/merge.ts';
import { partnership } from '../../support/partnership-fixture.ts';

const INDEX = 'sitemap-index.xml';

describe('the index of sitemaps that a manager asks for', () => {
  test('names the partner’s own and that of the tie-up pages, and stays out of the way of files that are there', async () => {
    const { shop } = await partnership({ partnership: 'policy:\n  search: own\n' });
    await shop.accept();
    expect(Object.keys(await shop.snapshot()).filter((path) => path.endsWith(INDEX))).toEqual([]);

    const open = async () => {
      const site = await shop.open();
      return { ...site, config: { ...site.config, sitemap: { index: INDEX, own: ['sitemap.xml'] } } };
    };
    await shop.write(`original/${INDEX}`, 'mine');
    await expect(merge(await open())).rejects.toMatchObject({ code: 'TIEUP_E_CONFLICT' });
    await shop.remove(`original/${INDEX}`);

    await merge(await open());
    const text = await readFile(join(shop.folder, 'public', INDEX), 'utf8');
    const { url } = (await shop.open()).config;
    expect([...text.matchAll(/<loc>(.*?)<\/loc>/g)].map(([, address]) => address)).toEqual([
      `${url}sitemap.xml`,
      `${url}with-main/sitemap.xml`,
    ]);
    // Not wanted any more: it goes, because tieup made it.
    await merge(await shop.open());
    await expect(readFile(join(shop.folder, 'public', INDEX))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
