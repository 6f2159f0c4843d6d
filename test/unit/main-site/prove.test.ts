import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { prove } from '../../../src/main-site/prove.ts';
import { partnership } from '../../support/partnership-fixture.ts';

const SLOT = `We open at **nine**, [see](#times)[^1].

## Times

| day | from |
| --- | --- |
| Monday | 9 |

[^1]: Not on holidays.
`;

async function live() {
  const { main, shop } = await partnership();
  await shop.write('slots/visit/hours.md', SLOT);
  await shop.accept();
  const published = await readFile(join(shop.folder, 'public/with-main/visit.html'), 'utf8');
  const compare = (text: string, page = 'visit') =>
    prove(main.site, {
      page,
      partner: shop.id,
      read: async (address) => ({ from: address, bytes: Buffer.from(text) }),
    });
  return { main, shop, published, compare };
}

describe('the proof that a page at a partner is the main site’s', () => {
  test('finds all of it in the live page, around what the partner wrote', async () => {
    const { published, compare } = await live();
    expect(published).toContain('nine');
    expect(await compare(published)).toMatchObject({
      path: 'with-main/visit.html',
      isAsSigned: true,
      slots: ['hours'],
      found: { match: { kind: 'equal', slots: [{ name: 'hours', isFilled: true }] }, unclean: [] },
    });
  });

  test('names the place of a word that was changed', async () => {
    const { published, compare } = await live();
    const { found } = await compare(published.replace('Visit us', 'Avoid us'));
    expect(found?.match).toMatchObject({ kind: 'different', part: "the main site's text" });
  });

  test.each([
    '<!-- ',
    '</main><style>main { display: none }</style><main>',
    '<div>',
    '<script>document.body.remove()</script>',
  ])('is not deceived by a slot that hides what follows: %s', async (hiding) => {
    const { published, compare } = await live();
    const { found } = await compare(published.replace('<strong>nine</strong>', hiding));
    expect(found?.unclean).toEqual(['hours']);
  });

  test('says when the page here is not the one that was signed', async () => {
    const { main, published, compare } = await live();
    await main.write(
      'templates/page.html',
      (await readFile(join(main.folder, 'templates/page.html'), 'utf8')).replace('<main>', '<main class="new">'),
    );
    expect(await compare(published)).toMatchObject({ isAsSigned: false, found: { match: { kind: 'different' } } });
  });

  test('is not there for pages that the partner does not get, or was not sent', async () => {
    const { main, compare } = await live();
    await expect(compare('', 'visti')).rejects.toMatchObject({ code: 'TIEUP_E_USAGE', hint: 'did you mean "visit"?' });
    await main.write('pages/fresh.md', '# Fresh');
    await expect(compare('', '/with-main/fresh.html')).rejects.toMatchObject({ code: 'TIEUP_E_NOT_FOUND' });
  });
});
