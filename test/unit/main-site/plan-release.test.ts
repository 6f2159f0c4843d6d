/** What the next release consists of. */
import { describe, expect, test } from 'vitest';
import type { SiteFile } from '../../../src/content/compiled-site.ts';
import { planRelease, type PlanInput, type ReleasePlan } from '../../../src/main-site/plan-release.ts';
import { summarise } from '../../../src/main-site/message.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import type { Release } from '../../../src/protocol/release.ts';

/** A page that names, as real ones do, the release in which it last changed. */
function page(path: string, text: string, changes: { title?: string; slot?: string } = {}): SiteFile {
  return {
    kind: 'page',
    path,
    file: `pages/${path}`,
    inherit: changes.slot === undefined ? 'full' : 'framework',
    title: changes.title ?? path,
    key: (since) => `${text} ${since}`,
    alike: () => '',
    shape: () => '',
    dissect: () => [],
    includes: [],
    render: (since) => ({
      bytes: Buffer.from(`${text} since ${since}`),
      slots: changes.slot === undefined ? [] : [{ name: changes.slot, offset: 0, length: 4, required: false }],
    }),
  };
}

function asset(path: string, text: string): SiteFile {
  return { kind: 'asset', path, file: `assets/${path}`, asset: path, length: text.length, digest: sha256(text) };
}

function redirect(path: string, target: string): SiteFile {
  return { kind: 'redirect', path, file: 'pages/new.md', target, render: () => Buffer.from(`to ${target}`) };
}

function planOf(files: readonly SiteFile[], more: Partial<PlanInput> = {}): ReleasePlan {
  return planRelease({ files, base: undefined, number: 1, termsDiffer: false, ...more });
}

/** The release which that plan makes, as the next plan's base. */
function released({ number, files }: ReleasePlan): Release {
  return {
    partner: 'harbour',
    site: 'https://northwind.example/',
    release: number,
    base: null,
    created: '2026-11-23T12:00:00Z',
    confirmBy: null,
    message: { subject: 'pages', text: '' },
    files: files.map(({ file }) => file),
  };
}

const FIRST = [asset('a/style.css', 'css'), page('a/index.html', 'hello'), page('a/visit.html', 'visit')];
const base = released(planOf(FIRST));

describe('a release plan', () => {
  test('before the first push adds everything', () => {
    const plan = planOf(FIRST);
    expect(plan).toMatchObject({ number: 1, changed: [], removed: [], unchanged: 0, differs: true });
    expect(plan.added).toEqual(['a/style.css', 'a/index.html', 'a/visit.html']);
    expect(plan.files.map(({ file }) => file.since)).toEqual([1, 1, 1]);
    expect(plan.files[1]?.file.page).toMatchObject({ change: 'added', inherit: 'full' });
  });

  test('of a site that is empty still differs from nothing at all', () => {
    expect(planOf([])).toMatchObject({ differs: true, added: [] });
  });

  test('of an unchanged site changes nothing, and keeps every byte and the number it changed in', () => {
    const plan = planOf(FIRST, { base, number: 7 });
    expect(plan).toMatchObject({ added: [], changed: [], removed: [], unchanged: 3, differs: false });
    expect(plan.files.map(({ file }) => [file.path, file.digest, file.since])).toEqual(
      base.files.map((file) => [file.path, file.digest, 1]),
    );
    const [, index] = plan.files;
    expect(index?.content.kind === 'bytes' && Buffer.from(index.content.render()).toString()).toBe('hello since 1');
  });

  test('renders no page whose outcome is known, unless the base holds something else there', () => {
    const [, made] = planOf(FIRST).files;
    const again = page('a/index.html', 'hello');
    if (made?.key === undefined || again.kind !== 'page') throw new Error('that is a page');
    const unseen: SiteFile = {
      ...again,
      render: () => {
        throw new Error('rendered');
      },
    };
    const { digest, length } = made.file;
    const outcome = { digest, length, slots: [] };
    const known = new Map([[made.key, outcome]]);
    const [planned] = planOf([unseen], { base, number: 7, known }).files;
    expect(planned?.file).toMatchObject({ digest, length, since: 1, page: { change: 'unchanged', slots: [] } });
    for (const other of [new Map(), new Map([[made.key, { ...outcome, digest: sha256('other') }]])]) {
      expect(() => planOf([unseen], { base, number: 7, known: other })).toThrow('rendered');
    }
  });

  test('names what was added, changed and removed, and numbers only what changed anew', () => {
    const files = [asset('a/style.css', 'new css'), page('a/events.html', 'events'), page('a/index.html', 'hello')];
    const plan = planOf(files, { base, number: 2 });
    expect(plan).toMatchObject({
      added: ['a/events.html'],
      changed: ['a/style.css'],
      removed: ['a/visit.html'],
      unchanged: 1,
      differs: true,
    });
    expect(plan.files.map(({ file }) => file.since)).toEqual([2, 2, 1]);
    expect(plan.files.map(({ file }) => file.page?.change)).toEqual([undefined, 'added', 'unchanged']);
    expect(summarise(plan)).toBe('1 new, 1 changed, 1 removed');
  });

  test('renders a changed page with the number of its own release', () => {
    const [planned] = planOf([page('a/index.html', 'other')], { base, number: 5 }).files;
    expect(planned?.file).toMatchObject({ since: 5, page: { change: 'changed' } });
    expect(planned?.file.digest).toBe(sha256('other since 5'));
    expect(planned?.file.length).toBe('other since 5'.length);
  });

  test('calls a page moved when a redirect to it stands where it was', () => {
    const files = [page('a/hours.html', 'visit'), redirect('a/visit.html', 'a/hours.html')];
    const plan = planOf(files, { base, number: 2 });
    expect(plan.files[0]?.file.page).toMatchObject({ change: 'moved', movedFrom: 'a/visit.html' });
    expect(plan.files[1]?.file.page).toBeUndefined();
    expect(plan).toMatchObject({ added: ['a/hours.html'], changed: ['a/visit.html'] });
    expect(planOf(files, { base: released(plan), number: 3 })).toMatchObject({ differs: false, unchanged: 2 });
  });

  test('does not call a page moved that was there before, or that nothing stood at', () => {
    const there = planOf([page('a/index.html', 'hello'), redirect('a/visit.html', 'a/index.html')], {
      base,
      number: 2,
    });
    expect(there.files[0]?.file.page).toMatchObject({ change: 'unchanged' });
    const fresh = planOf([page('a/new.html', 'new'), redirect('a/old.html', 'a/new.html')], { base, number: 2 });
    expect(fresh.files[0]?.file.page).toMatchObject({ change: 'added' });
  });

  test.each([
    ['a title', [page('a/index.html', 'hello', { title: 'Another title' })]],
    ['a slot', [page('a/index.html', 'hello', { slot: 'hours' })]],
  ])('differs when %s alone changed, which no byte of a file shows', (_what, files) => {
    const known = released(planOf([page('a/index.html', 'hello')]));
    const plan = planOf(files, { base: known, number: 2 });
    expect(plan).toMatchObject({ added: [], changed: [], removed: [], unchanged: 1, differs: true });
    expect(summarise(plan)).toBe('same pages');
    expect(planOf(files, { base: released(plan), number: 3 }).differs).toBe(false);
  });

  test('differs when the terms do, and says so beside what changes', () => {
    const plan = planOf(FIRST, { base, number: 2, termsDiffer: true });
    expect(plan).toMatchObject({ differs: true, termsDiffer: true, unchanged: 3 });
    expect(summarise(plan)).toBe('same pages, new terms');
    expect(summarise(planOf(FIRST.slice(1), { base, number: 2, termsDiffer: true }))).toBe('1 removed, new terms');
  });

  test('has no new terms before there were any', () => {
    expect(summarise(planOf(FIRST, { termsDiffer: true }))).toBe('3 new');
  });
});
