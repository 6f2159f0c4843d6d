import { describe, expect, it } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { parseRelease, renderRelease, type Release } from '../../../src/protocol/release.ts';

const digest = 'ab'.repeat(32);
const release: Release = {
  partner: 'harbour',
  site: 'https://northwind.example/',
  release: 3,
  base: { release: 2, targets: digest },
  created: '2026-11-23T22:00:00Z',
  confirmBy: null,
  message: { subject: 'Autumn', text: 'New prices.\nAnd a page.' },
  files: [
    {
      path: 'with-main/a.html',
      length: 100,
      digest,
      since: 1,
      page: { inherit: 'full', title: 'A', change: 'unchanged', slots: [] },
    },
    {
      path: 'with-main/b.html',
      length: 100,
      digest,
      since: 3,
      page: {
        inherit: 'framework',
        title: 'B',
        change: 'moved',
        movedFrom: 'with-main/old.html',
        slots: [
          { name: 'hours', offset: 10, length: 20, required: false },
          { name: 'map', offset: 30, length: 0, required: true },
        ],
      },
    },
    { path: 'with-main/style.css', length: 5, digest, since: 2 },
  ],
};

const alter = (change: (text: string) => string) => Buffer.from(change(Buffer.from(renderRelease(release)).toString()));

describe('a release', () => {
  it('is read back as it was written', () => expect(parseRelease(renderRelease(release))).toEqual(release));

  it('has one line for each file, so that two of them compare well', () => {
    expect(Buffer.from(renderRelease(release)).toString().split('\n')).toHaveLength(release.files.length + 3);
  });

  it.each([
    ['another type', (text: string) => text.replace('tieup-release/1', 'tieup-release/2')],
    ['an unknown field', (text: string) => text.replace('"base"', '"more":1,"base"')],
    ['files out of order', (text: string) => text.replace('with-main/a.html', 'with-main/z.html')],
    ['a path twice', (text: string) => text.replace('with-main/a.html', 'with-main/b.html')],
    ['a file from the future', (text: string) => text.replace('"since":2', '"since":4')],
    ['a slot outside its page', (text: string) => text.replace('"offset":30,"length":0', '"offset":101,"length":0')],
    ['slots that overlap', (text: string) => text.replace('"offset":30', '"offset":29')],
    ['a slot twice', (text: string) => text.replace('"map"', '"hours"')],
    ['slots on a page that has none', (text: string) => text.replace('"framework"', '"full"')],
    ['a negative length', (text: string) => text.replace('"length":5', '"length":-5')],
    ['an upper-case digest', (text: string) => text.replaceAll(digest, 'AB'.repeat(32))],
    ['a date that does not exist', (text: string) => text.replace('2026-11-23', '2026-02-30')],
    ['no JSON', () => 'hello'],
    ['a list', () => '[]'],
  ])('is refused with %s', (_, change) => expect(() => parseRelease(alter(change))).toThrow(TieupError));

  it('is refused when it is not UTF-8', () =>
    expect(() => parseRelease(Buffer.from([0x7b, 0xff, 0x7d]))).toThrow(TieupError));
});

describe('a redirect in a release', () => {
  const file = (path: string, more: object) => ({ path, length: 1, digest: 'ab'.repeat(32), since: 1, ...more });
  const page = { inherit: 'full', title: 'T', change: 'added', slots: [] } as const;
  const bytesOf = (...files: Release['files']): Uint8Array =>
    renderRelease({
      partner: 'alpha',
      site: 'https://main.example/',
      release: 1,
      base: null,
      created: '2026-11-23T22:00:00Z',
      confirmBy: null,
      message: { subject: 's', text: '' },
      files,
    });

  it('leads to a page of it, and nowhere else', () => {
    const good = bytesOf(file('a/new.html', { page }), file('a/old.html', { redirect: 'a/new.html' }));
    expect(parseRelease(good).files[1]).toMatchObject({ redirect: 'a/new.html' });
    const asset = bytesOf(file('a/new.css', {}), file('a/old.html', { redirect: 'a/new.css' }));
    expect(() => parseRelease(asset)).toThrow('"a/old.html" leads to "a/new.css", which is no page of it');
    const away = bytesOf(file('a/old.html', { redirect: '/evil.example/' }));
    expect(() => parseRelease(away)).toThrow('which is no page of it');
    const both = bytesOf(file('a/old.html', { page, redirect: 'a/old.html' }));
    expect(() => parseRelease(both)).toThrow('is a page and a redirect');
  });
});
