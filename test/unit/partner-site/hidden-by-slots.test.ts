import { beforeAll, describe, expect, test } from 'vitest';
import { merge } from '../../../src/partner-site/merge.ts';
import type { Review } from '../../../src/partner-site/review.ts';
import { accept } from '../../../src/partner-site/accept.ts';
import type { ContentPolicy } from '../../../src/protocol/terms.ts';
import { type Hostile, layHostile } from '../../support/hostile-release.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import { type PartnerFixture, saying } from '../../support/partner-fixture.ts';
import { refusalOf } from '../../support/refusal.ts';
import { SEEN } from '../../support/snapshot.ts';

const PATH = 'with-main/tour.html';

/** A framework page whose one slot, `words`, has `fallback` in it. */
function framework(fallback: string, after: string, policy: Partial<ContentPolicy> = {}): Hostile {
  const before = '<!doctype html><title>Tour</title><p>';
  const slot = { name: 'words', offset: before.length, length: fallback.length, required: false };
  return {
    files: { [PATH]: `${before}${fallback}${after}` },
    release: (release) => ({
      ...release,
      files: release.files.map((file) => ({
        ...file,
        page: { inherit: 'framework', title: 'Tour', change: 'added', slots: [slot] },
      })),
    }),
    terms: (terms) => ({ ...terms, policy: { ...terms.policy, ...policy } }),
  };
}

const HIDDEN = '<script>evil()</script><!-- --><p>bye';

describe('a slot fallback that hides a script', () => {
  let main: MainFixture;
  let ready: PartnerFixture;

  beforeAll(async () => {
    ({ main, shop: ready } = await partnership());
    await ready.accept();
  });

  const laid = async (hostile: Hostile): Promise<PartnerFixture> => {
    const shop = await ready.copy();
    await layHostile(main, shop, hostile);
    return shop;
  };

  test('shows nothing to object to while the fallback stands, because no visitor gets a script', async () => {
    const shop = await laid(framework('<!-- ', HIDDEN));
    expect((await shop.accept()).kind).toBe('live');
    expect((await shop.live())[PATH]).toContain('<!-- <script>');
  });

  test('is refused when the slot is filled, and nothing changes', async () => {
    const shop = await laid(framework('<!-- ', HIDDEN));
    await shop.write('slots/tour/words.md', 'My own words\n');
    const { code, problems } = await refusalOf(shop, () => shop.accept(), SEEN);
    expect([code, problems]).toEqual(['TIEUP_E_VERIFY', ['an inline script: the terms allow no scripts']]);
  });

  test('is refused when the slot is filled later, and what is live stays as it is', async () => {
    const shop = await laid(framework('<!-- ', HIDDEN));
    await shop.accept();
    await shop.write('slots/tour/words.md', 'My own words\n');
    const { code } = await refusalOf(shop, async () => merge(await shop.open()), SEEN);
    expect(code).toBe('TIEUP_E_VERIFY');
    // Without the page, the rest can still be published.
    await shop.remove('slots/tour/words.md');
    expect((await merge(await shop.open())).wentLive?.publication.changed).toBe(false);
  });

  test.each([
    ['an inline script', '<!-- ', HIDDEN, { scripts: 'own' }],
    [
      'another script in place of the one that was shown',
      '<script src="shown.js"></script><!-- ',
      '<script src="hidden.js"></script><!-- -->',
      { scripts: 'own' },
    ],
    [
      'a frame of a site that the terms name',
      '<textarea>',
      '<iframe src="https://cdn.example/"></iframe></textarea>',
      { remoteOrigins: ['https://cdn.example'] },
    ],
    [
      'a form that leads to a site that the terms name',
      '<title>',
      '<form action="https://cdn.example/"></form></title>',
      { remoteOrigins: ['https://cdn.example'] },
    ],
  ] as const)(
    'is refused although the terms allow it, because it was not shown: %s',
    async (_, fallback, after, policy) => {
      const shop = await laid(framework(fallback, after, policy));
      await shop.write('slots/tour/words.md', 'My own words\n');
      const { code, problems } = await refusalOf(shop, () => shop.accept(), SEEN);
      expect([code, problems]).toEqual(['TIEUP_E_VERIFY', [expect.stringContaining('hidden from the review')]]);
    },
  );

  test('is no matter where the script was shown: the page with own words in it is published', async () => {
    const shop = await laid(
      framework('Our words', '<script>shown()</script>', {
        scripts: 'own',
        remoteOrigins: ['https://elsewhere.example'],
      }),
    );
    await shop.write('slots/tour/words.md', 'My own ![words](https://elsewhere.example/x.png)\n');
    const reviews: Review[] = [];
    const ask = async (review: Review) => reviews.push(review) > 0;
    await accept(await shop.open(), { answering: { ...saying(true), ask }, choices: {} });
    expect(reviews[0]?.opened.activeContent).toMatchObject([{ kind: 'script', path: PATH }]);
    expect((await shop.live())[PATH]).toMatch(/My own .*<script>shown\(\)<\/script>/s);
  });
});
