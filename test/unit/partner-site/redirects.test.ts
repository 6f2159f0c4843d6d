import { describe, expect, test } from 'vitest';
import { redirects } from '../../../src/partner-site/redirects.ts';
import { withhold } from '../../../src/partner-site/merge.ts';
import { partnership } from '../../support/partnership-fixture.ts';

describe('redirects of moved pages', () => {
  test('are those of the accepted release, as far as they are live', async () => {
    const { main, shop } = await partnership();
    await expect(redirects(await shop.open())).rejects.toMatchObject({ code: 'TIEUP_E_NOT_FOUND' });
    await main.write('pages/about.md', '---\ntitle: About\naliases: [who.html, us.html]\n---\nHello\n');
    await main.pushed();
    await shop.accept();
    const before = await shop.snapshot();
    expect(await redirects(await shop.open())).toMatchObject({
      redirects: [
        { from: 'with-main/us.html', to: 'with-main/about.html' },
        { from: 'with-main/who.html', to: 'with-main/about.html' },
      ],
    });
    expect(await shop.snapshot()).toEqual(before);
    await withhold(await shop.open(), { page: 'about', undo: false });
    expect((await redirects(await shop.open())).redirects).toEqual([]);
  });
});
