/** What need not be rendered again for a plan. */
import { describe, expect, test } from 'vitest';
import type { SitePage } from '../../../src/content/compiled-site.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { planKnowing } from '../../../src/main-site/known-outputs.ts';
import { planRelease, type ReleasePlan } from '../../../src/main-site/plan-release.ts';
import type { Release, SlotRange } from '../../../src/protocol/release.ts';

const SLOTS: readonly SlotRange[] = [
  { name: 'hours', offset: 1, length: 2, required: true },
  { name: 'team', offset: 4, length: 0, required: false },
];

/** Pages that count how often they are rendered. */
function pages(...texts: readonly string[]): { readonly files: readonly SitePage[]; rendered: number } {
  const counted: { files: readonly SitePage[]; rendered: number } = { files: [], rendered: 0 };
  counted.files = texts.map((text, index) => ({
    kind: 'page',
    path: `a/${index}.html`,
    file: `pages/${index}.md`,
    inherit: 'framework',
    title: String(index),
    key: (since) => `${text}-${since}`,
    alike: () => '',
    shape: () => '',
    dissect: () => [],
    includes: [],
    render(since) {
      counted.rendered += 1;
      return { bytes: Buffer.from(`${text} since ${since}`), slots: SLOTS };
    },
  }));
  return counted;
}

function released({ number, files }: ReleasePlan): Release {
  return {
    partner: 'harbour',
    site: 'https://northwind.example/',
    release: number,
    base: null,
    created: '2026-11-23T22:00:00Z',
    confirmBy: null,
    message: { subject: 'pages', text: '' },
    files: files.map(({ file }) => file),
  };
}

describe('a plan for a partner that was planned for before', () => {
  test('renders only what has changed since, and comes to the same', async () => {
    const site = { files: memoryTree(), identity: 'one' };
    const before = pages('one', 'two', 'three');
    const base = released(planRelease({ files: before.files, base: undefined, number: 1, termsDiffer: false }));
    const first = { files: before.files, base, number: 2, termsDiffer: false };
    before.rendered = 0;
    expect(await planKnowing(site, 'harbour', first)).toMatchObject({ differs: false, unchanged: 3 });
    expect(before.rendered).toBe(3);
    await planKnowing(site, 'harbour', first);
    expect(before.rendered).toBe(3);

    const after = pages('one', 'other', 'three');
    const next = { ...first, files: after.files };
    const plan = await planKnowing(site, 'harbour', next);
    // As it was, to see that it is another one, and as it is now.
    expect(after.rendered).toBe(2);
    const plain = planRelease(next);
    expect(plan.files.map(({ file }) => file)).toEqual(plain.files.map(({ file }) => file));
    expect(plan.changed).toEqual(['a/1.html']);

    after.rendered = 0;
    await planKnowing(site, 'harbour', { ...next, base: released(plan), number: 3 });
    expect(after.rendered).toBe(0);
  });

  test('renders everything for another partner, with another version of tieup, and when what was kept is damaged', async () => {
    const site = { files: memoryTree(), identity: 'one' };
    const counted = pages('one', 'two');
    const base = released(planRelease({ files: counted.files, base: undefined, number: 1, termsDiffer: false }));
    const input = { files: counted.files, base, number: 2, termsDiffer: false };
    const renderedBy = async (plan: () => Promise<ReleasePlan>): Promise<number> => {
      counted.rendered = 0;
      expect(await plan()).toMatchObject({ differs: false });
      return counted.rendered;
    };
    await planKnowing(site, 'harbour', input);
    expect(await renderedBy(() => planKnowing(site, 'mill', input))).toBe(2);
    expect(await renderedBy(() => planKnowing({ ...site, identity: 'two' }, 'harbour', input))).toBe(2);
    for (const text of ['', 'tieup-outputs/1', 'x y z\n', '\n\n']) {
      await site.files.write('.tieup/partners/harbour/outputs', Buffer.from(text));
      expect(await renderedBy(() => planKnowing(site, 'harbour', input))).toBe(2);
      expect(await renderedBy(() => planKnowing(site, 'harbour', input))).toBe(0);
    }
  });
});
