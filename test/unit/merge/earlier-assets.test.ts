import { describe, expect, it } from 'vitest';
import { earlierAssets } from '../../../src/merge/earlier-assets.ts';
import type { LedgerEntry } from '../../../src/merge/ledger.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { hashedName, plainName } from '../../../src/protocol/hashed-name.ts';

interface Named {
  readonly path: string;
  readonly text: string;
  readonly page?: true;
  readonly redirect?: string;
  /** 0 for a copy of an original page. */
  readonly release?: number;
}

/** `m/site.css` with the hash of its text in its name. */
const hashed = (path: string, text: string): Named => ({ path: hashedName(path, sha256(text)), text });
const named = (files: readonly { readonly path: string }[]) => files.map(({ path }) => path);

const live = (files: readonly Named[], stayed: readonly Named[] = [], digest = 'before') => ({
  ledger: {
    releaseDigest: sha256(digest),
    entries: new Map(
      [...files, ...stayed].map(({ path, text, release = 1 }): [string, LedgerEntry] => [
        path,
        { path, length: text.length, digest: sha256(text), release },
      ]),
    ),
  },
  record: { earlier: named(stayed) },
});
const next = (files: readonly Named[], digest = 'next') => ({
  digest: sha256(digest),
  files: files.map(({ path, text, page, redirect }) => ({
    path,
    digest: sha256(text),
    redirect,
    page: page && { inherit: 'full' as const, title: '', change: 'added' as const, slots: [] },
  })),
});

const [one, two, three] = ['1', '2', '3'].map((text) => hashed('m/assets/site.css', text));
if (one === undefined || two === undefined || three === undefined) throw new TypeError();

describe('of the files that are live, these stay beside a new release', () => {
  it('an asset of which it has a newer version', () => {
    expect(named(earlierAssets(live([one]), next([two])))).toEqual([one.path]);
  });
  it('an asset that has no hash in its name any more', () => {
    expect(named(earlierAssets(live([one]), next([{ path: 'm/assets/site.css', text: '1' }])))).toEqual([one.path]);
  });
  it('none that it has itself, and none that it has no more', () => {
    expect(earlierAssets(live([one]), next([one]))).toEqual([]);
    expect(earlierAssets(live([one]), next([hashed('m/assets/other.css', '2')]))).toEqual([]);
    expect(earlierAssets(live([one]), next([hashed('m/assets/deeper/site.css', '2')]))).toEqual([]);
  });
  it('none that stayed before', () => {
    expect(named(earlierAssets(live([two], [one]), next([three])))).toEqual([two.path]);
    expect(earlierAssets(live([two], [one]), next([two]))).toEqual([]);
  });
  it('those that stay already, when it is the same release once more', () => {
    expect(named(earlierAssets(live([two], [one], 'next'), next([two])))).toEqual([one.path]);
  });
  it('no page, no copy of an original page, nothing whose name only looks like it', () => {
    const page = { ...hashed('m/a.html', '1'), page: true } as const;
    expect(earlierAssets(live([page]), next([{ ...hashed('m/a.html', '2'), page: true }]))).toEqual([]);
    expect(earlierAssets(live([page]), next([{ ...hashed('m/a.html', '2'), redirect: 'm/b.html' }]))).toEqual([]);
    expect(earlierAssets(live([{ ...one, release: 0 }]), next([two]))).toEqual([]);
    const edited = { path: one.path, text: 'something else' };
    expect(earlierAssets(live([edited]), next([two]))).toEqual([]);
  });
  it('nothing where nothing is live', () => {
    expect(
      earlierAssets({ ledger: { releaseDigest: null, entries: new Map() }, record: undefined }, next([two])),
    ).toEqual([]);
  });
});

describe('a name with a hash', () => {
  it('is read back only for the content whose hash it is', () => {
    const digest = sha256('x');
    expect(plainName(hashedName('a/b.c/photo-640w.jpg', digest), digest)).toBe('a/b.c/photo-640w.jpg');
    expect(plainName('a/photo.jpg', digest)).toBeUndefined();
    expect(plainName(`a/.${digest.slice(0, 8)}.jpg`, digest)).toBeUndefined();
    expect(plainName(hashedName('a/photo.jpg', digest), sha256('y'))).toBeUndefined();
  });
});
