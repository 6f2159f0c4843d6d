import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Choices, NO_CHOICES, type PathChoice } from '../../../src/merge/choices.ts';
import { EMPTY_LEDGER, type Ledger } from '../../../src/merge/ledger.ts';
import type { LiveFile, MergeInput, OriginalFile, TieUpFile } from '../../../src/merge/merge-input.ts';
import { type MergePlan, planMerge } from '../../../src/merge/plan.ts';
import { sha256 } from '../../../src/protocol/digest.ts';

const bytes = (text: string) => ({ length: text.length, digest: sha256(text) });
const live = (files: Record<string, string | LiveFile['kind'][]>): ReadonlyMap<string, LiveFile> =>
  new Map(
    Object.entries(files).map(([path, what]) => [
      path,
      typeof what === 'string' ? { kind: 'file', ...bytes(what) } : { kind: what[0] ?? 'other', length: 0 },
    ]),
  );
const originals = (files: Record<string, string>): OriginalFile[] =>
  Object.entries(files).map(([path, text]) => ({ path, kind: 'file', ...bytes(text) }));
const release = (files: Record<string, string>) => ({
  files: Object.entries(files).map(([path, text]): TieUpFile => ({
    path,
    ...bytes(text),
    since: 1,
    page: { slots: [] },
  })),
});
const ledger = (files: Record<string, string>, number = 1): Ledger => ({
  releaseDigest: sha256('release'),
  entries: new Map(Object.entries(files).map(([path, text]) => [path, { path, ...bytes(text), release: number }])),
});

function plan(
  input: Partial<MergeInput> & { readonly paths?: Record<string, PathChoice>; readonly withheld?: string[] },
): MergePlan {
  const { paths, withheld, ...rest } = input;
  const choices: Choices = { withheld: withheld ?? [], paths: paths ?? {} };
  return planMerge({
    release: null,
    mount: '/m/',
    originals: [],
    how: 'overwrite',
    slots: [],
    ledger: EMPTY_LEDGER,
    live: new Map(),
    folders: new Set(),
    choices,
    ...rest,
  });
}

const conflictsOf = ({ conflicts }: MergePlan) =>
  conflicts.map(({ kind, path, possible }) => `${kind} ${path}: ${possible.join(' ')}`);
const entriesOf = ({ entries }: MergePlan) => Object.fromEntries(entries.map(({ path, from }) => [path, from.kind]));

describe('a tie-up page whose path an original page has', () => {
  const both = {
    release: release({ 'm/a.html': 'theirs' }),
    originals: originals({ 'm/a.html': 'mine', 'index.html': 'home' }),
  };

  it('is a conflict, and says what can be chosen', () => {
    expect(conflictsOf(plan(both))).toEqual(['original m/a.html: keep-mine take-theirs rename']);
  });
  it('is left out by keep-mine', () => {
    const made = plan({ ...both, paths: { 'm/a.html': 'keep-mine' } });
    expect(made).toMatchObject({ conflicts: [], leftOut: [{ path: 'm/a.html', reason: 'kept-mine' }] });
    expect(entriesOf(made)).toEqual({ 'index.html': 'original', 'm/a.html': 'original' });
  });
  it('takes the place by take-theirs; the original stays in its folder', () => {
    const made = plan({ ...both, paths: { 'm/a.html': 'take-theirs' } });
    expect(made).toMatchObject({ conflicts: [], replaced: ['m/a.html'] });
    expect(entriesOf(made)).toEqual({ 'index.html': 'original', 'm/a.html': 'object' });
  });
  it('is published elsewhere by rename', () => {
    const made = plan({ ...both, paths: { 'm/a.html': { rename: 'm/b.html' } } });
    expect(made.conflicts).toEqual([]);
    expect(entriesOf(made)).toEqual({ 'index.html': 'original', 'm/a.html': 'original', 'm/b.html': 'object' });
  });
  it.each([
    ['only in case', 'm/A.html'],
    ['only in the form of its letters', 'm/ａ.html'],
    ['in a folder that differs in case', 'M/a.html'],
    ['as a folder where a file is needed', 'm/a.html/deep/x.html'],
    ['as a file where a folder is needed', 'm'],
  ])('also conflicts when the original page differs %s', (_, path) => {
    const made = plan({ release: release({ 'm/a.html': 'theirs' }), originals: originals({ [path]: 'mine' }) });
    expect(conflictsOf(made)).toEqual(['original m/a.html: keep-mine take-theirs rename']);
    const taken = plan({
      release: release({ 'm/a.html': 'theirs' }),
      originals: originals({ [path]: 'mine' }),
      paths: { 'm/a.html': 'take-theirs' },
    });
    expect(entriesOf(taken)).toEqual({ 'm/a.html': 'object' });
    expect(taken.replaced).toEqual([path]);
  });
});

describe('a new name', () => {
  const files = {
    release: release({ 'm/a.html': 'a', 'm/c.html': 'c' }),
    originals: originals({ 'm/x.html': 'mine' }),
  };
  it.each([
    ['outside the mount', 'other/a.html', 'outside the mount'],
    ['that leaves its folder', 'm/../a.html', 'leaves its folder'],
    ['that a web server executes', 'm/a.php', 'execute'],
    ['that another tie-up page has', 'm/C.html', 'is also the name of'],
    ['below another tie-up page', 'm/c.html/a.html', 'one is a file where the other needs a folder'],
  ])('%s is refused', (_, rename, why) => {
    const made = plan({ ...files, paths: { 'm/a.html': { rename } } });
    expect(made.conflicts).toMatchObject([{ kind: 'rename', path: 'm/a.html', other: rename }]);
    expect(made.conflicts[0]?.message).toContain(why);
  });
  it('that an original page has is a new conflict', () => {
    expect(conflictsOf(plan({ ...files, paths: { 'm/a.html': { rename: 'm/x.html' } } }))).toEqual([
      'original m/a.html: keep-mine take-theirs rename',
    ]);
  });
});

describe('original pages in place', () => {
  const inPlace = { originals: 'in-place' as const, release: release({ 'm/a.html': 'theirs' }) };
  it('are never overwritten, not even by choice: there is no other copy', () => {
    const made = plan({ ...inPlace, live: live({ 'm/a.html': 'mine' }), paths: { 'm/a.html': 'take-theirs' } });
    expect(made.conflicts).toMatchObject([
      { kind: 'original', possible: ['keep-mine', 'rename'], refused: expect.stringContaining('destroy') },
    ]);
  });
  it("may become tieup's when the bytes are the very same, and the manager says so", () => {
    const same = { ...inPlace, live: live({ 'm/a.html': 'theirs' }) };
    expect(conflictsOf(plan(same))).toEqual(['original m/a.html: keep-mine take-theirs rename']);
    expect(plan({ ...same, paths: { 'm/a.html': 'take-theirs' } }).conflicts).toEqual([]);
  });
  it.each([
    ['a link', { 'm/a.html': ['link'] }],
    ['a special file', { 'm/a.html': ['other'] }],
    ['a folder of the partner', { 'm/a.html': ['folder'] }],
    ['a link instead of a folder', { m: ['link'] }],
  ] as const)('%s in the way is a conflict', (_, files) => {
    const made = plan({
      ...inPlace,
      live: live(Object.fromEntries(Object.entries(files).map(([path, kind]) => [path, [...kind]]))),
    });
    expect(conflictsOf(made)).toEqual(['not-a-file m/a.html: keep-mine rename']);
  });
  it('under the mount are reported as unknown, and left alone', () => {
    const made = plan({ ...inPlace, live: live({ 'm/evil.html': 'x', 'other.html': 'y', m: ['folder'] }) });
    expect(made).toMatchObject({ conflicts: [], foreign: ['m/evil.html'], removals: [] });
    expect(entriesOf(made)).toEqual({ 'm/a.html': 'object' });
  });
});

describe("files of tieup's own", () => {
  const owned = { ledger: ledger({ 'm/a.html': 'old' }), originals: 'in-place' as const };
  it('are replaced and removed as long as they are what the ledger says', () => {
    const changed = plan({ ...owned, live: live({ 'm/a.html': 'old' }), release: release({ 'm/a.html': 'new' }) });
    expect(changed).toMatchObject({ conflicts: [], entries: [{ path: 'm/a.html', before: bytes('old') }] });
    expect(plan({ ...owned, live: live({ 'm/a.html': 'old' }) })).toMatchObject({
      conflicts: [],
      removals: [{ path: 'm/a.html', original: false, before: bytes('old') }],
    });
  });
  it('are a conflict once somebody edited them', () => {
    const edited = { ...owned, live: live({ 'm/a.html': 'edited' }) };
    expect(conflictsOf(plan({ ...edited, release: release({ 'm/a.html': 'new' }) }))).toEqual([
      'drift m/a.html: keep-mine take-theirs rename',
    ]);
    expect(conflictsOf(plan(edited))).toEqual(['drift m/a.html: keep-mine take-theirs']);
    expect(plan({ ...edited, paths: { 'm/a.html': 'take-theirs' } })).toMatchObject({
      conflicts: [],
      removals: [{ path: 'm/a.html', before: bytes('edited') }],
    });
    const kept = plan({ ...edited, release: release({ 'm/a.html': 'new' }), paths: { 'm/a.html': 'keep-mine' } });
    expect(kept).toMatchObject({
      conflicts: [],
      entries: [],
      removals: [],
      leftOut: [{ path: 'm/a.html', reason: 'kept-mine' }],
    });
  });
  it('are no conflict when the edit is what the release brings', () => {
    expect(
      plan({ ...owned, live: live({ 'm/a.html': 'new' }), release: release({ 'm/a.html': 'new' }) }).conflicts,
    ).toEqual([]);
  });
  it('are forgotten, not followed, when a link took their place', () => {
    expect(plan({ ...owned, live: live({ 'm/a.html': ['link'] }) })).toMatchObject({
      conflicts: [],
      removals: [],
      foreign: ['m/a.html'],
    });
  });
  it('without a ledger there are none: the live tree belongs to the partner', () => {
    const made = plan({
      originals: 'in-place',
      live: live({ 'm/a.html': 'old' }),
      release: release({ 'm/a.html': 'new' }),
    });
    expect(conflictsOf(made)).toEqual(['original m/a.html: keep-mine rename']);
  });
});

describe('a copy of an original page', () => {
  it('takes over a live file with the same bytes, and never one with other bytes', () => {
    const mine = originals({ 'a.html': 'mine' });
    expect(plan({ originals: mine, live: live({ 'a.html': 'mine' }) }).conflicts).toEqual([]);
    const other = { originals: mine, live: live({ 'a.html': 'other' }) };
    expect(conflictsOf(plan(other))).toEqual(['in-the-way a.html: keep-mine']);
    expect(plan({ ...other, paths: { 'a.html': 'keep-mine' } })).toMatchObject({ conflicts: [], entries: [] });
    expect(entriesOf(plan({ ...other, how: 'link', paths: { 'a.html': 'keep-mine' } }))).toEqual({ 'a.html': 'live' });
  });
  it('cannot be made of links and special files', () => {
    const made = plan({
      originals: [
        { path: 'l', kind: 'link', length: 0 },
        { path: 'b\\s', kind: 'unnamable', length: 0 },
      ],
    });
    expect(conflictsOf(made)).toEqual(['not-a-file b\\s: ', 'not-a-file l: ']);
  });
});

describe('by link', () => {
  it('a live file that cannot move along to the next tree is a conflict', () => {
    expect(conflictsOf(plan({ how: 'link', live: live({ fifo: ['other'] }) }))).toEqual(['not-a-file fifo: ']);
  });
  it('an edit in the live tree is a conflict too: the switch would hide it', () => {
    const edited = {
      how: 'link' as const,
      ledger: ledger({ 'a.html': 'mine' }, 0),
      live: live({ 'a.html': 'edited' }),
      originals: originals({ 'a.html': 'mine' }),
    };
    expect(conflictsOf(plan(edited))).toEqual(['drift a.html: keep-mine take-theirs']);
    expect(entriesOf(plan({ ...edited, paths: { 'a.html': 'keep-mine' } }))).toEqual({ 'a.html': 'live' });
    expect(entriesOf(plan({ ...edited, paths: { 'a.html': 'take-theirs' } }))).toEqual({ 'a.html': 'original' });
  });
});

describe('slots and withheld pages', () => {
  const page: TieUpFile = {
    path: 'm/p.html',
    ...bytes('<fallback>'),
    since: 2,
    page: {
      slots: [
        { name: 'one', offset: 0, length: 5, required: false },
        { name: 'two', offset: 5, length: 5, required: true },
      ],
    },
  };
  const content = (slot: string, on = 'm/p.html') => ({ page: on, slot, ...bytes(slot) });

  it('a required slot without content leaves the page out', () => {
    expect(plan({ release: { files: [page] } }).leftOut).toEqual([
      { path: 'm/p.html', reason: 'slot-missing', slots: ['two'] },
    ]);
  });
  it('an optional slot without content shows the fallback, and is listed', () => {
    const made = plan({ release: { files: [page] }, slots: [content('two')] });
    expect(made).toMatchObject({
      leftOut: [],
      fallbacks: [{ page: 'm/p.html', slot: 'one' }],
      entries: [{ length: 8, digest: undefined }],
    });
  });
  it('content that fits nothing is listed', () => {
    const made = plan({
      release: { files: [page] },
      slots: [content('two'), content('three'), content('one', 'm/q.html')],
    });
    expect(made.unusedSlots).toEqual([
      { page: 'm/p.html', slot: 'three' },
      { page: 'm/q.html', slot: 'one' },
    ]);
  });
  it('a withheld page is left out and taken out of the live tree', () => {
    const made = plan({
      release: release({ 'm/a.html': 'a' }),
      withheld: ['m/a.html'],
      ledger: ledger({ 'm/a.html': 'a' }),
      live: live({ 'm/a.html': 'a' }),
    });
    expect(made).toMatchObject({
      leftOut: [{ path: 'm/a.html', reason: 'withheld' }],
      removals: [{ path: 'm/a.html' }],
    });
  });
  it('choices and used slots, and nothing else, make the digest that the decision names', () => {
    const digest = (input: Parameters<typeof plan>[0]) =>
      plan({ release: { files: [page] }, slots: [content('two')], ...input }).mergeDigest;
    expect(digest({})).toBe(sha256(`tieup-merge/1\nslot m/p.html two ${sha256('two')}\n`));
    expect(digest({ slots: [content('two'), content('three')] })).toBe(digest({}));
    expect(digest({ live: live({ 'm/other.html': 'x' }) })).toBe(digest({}));
    expect(
      digest({ paths: { 'm/z b.html': { rename: 'm/ü.html' }, 'm/p.html': 'take-theirs' }, withheld: ['m/w.html'] }),
    ).toBe(
      sha256(
        `tieup-merge/1\nrename m/z%20b.html m/%C3%BC.html\nslot m/p.html two ${sha256('two')}\ntake-theirs m/p.html\nwithheld m/w.html\n`,
      ),
    );
  });
});

it('a release path that can never be published is refused, whoever signed it', () => {
  expect(() => plan({ release: release({ '../evil.html': 'x' }) })).toThrow(
    expect.objectContaining({ code: 'TIEUP_E_UNSAFE_PATH' }),
  );
});

it('choices for paths named like object properties are not mistaken for choices', () => {
  expect(plan({ release: release({ 'm/constructor': 'x' }), choices: NO_CHOICES }).conflicts).toEqual([]);
});

describe('whatever the two sites look like', () => {
  const name = fc.constantFrom('m/a', 'm/A', 'm/b', 'm/a/x', 'm/c.html', 'x', 'm');
  const files = fc.dictionary(name, fc.constantFrom('1', '2', '3'));
  const choice = fc.oneof(
    fc.constantFrom<PathChoice>('keep-mine', 'take-theirs'),
    name.map((rename) => ({ rename })),
  );

  it("a plan without conflicts touches nothing that is not tieup's or what the manager gave away, and publishes no path twice", () => {
    fc.assert(
      fc.property(
        files,
        files,
        files,
        files,
        fc.dictionary(name, choice),
        fc.boolean(),
        (theirs, mine, owns, stands, paths, inPlace) => {
          const input = {
            release: release(Object.fromEntries(Object.entries(theirs).filter(([path]) => path.startsWith('m/')))),
            originals: inPlace ? ('in-place' as const) : originals(mine),
            ledger: ledger(owns),
            live: live(stands),
            paths,
          };
          const made = plan(input);
          if (made.conflicts.length > 0) return;
          const touched = [...made.entries.filter(({ before, digest }) => before?.digest !== digest), ...made.removals];
          for (const { path, before } of touched) {
            const there = stands[path];
            if (there === undefined) continue;
            expect(before).toEqual(bytes(there));
            // Ours by the ledger and unedited, or a copy of an original, or an edit that the manager gave away.
            const ours =
              owns[path] === there ||
              (!inPlace && mine[path] === there) ||
              (path in owns && paths[path] === 'take-theirs');
            expect(ours).toBe(true);
          }
          expect(new Set(made.entries.map(({ path }) => path)).size).toBe(made.entries.length);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
