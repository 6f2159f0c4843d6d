import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { importFiles, importPulled } from '../../../src/main-site/import-logs.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { type Claim, forge, liveSwitch, ownHits, tieUpHits, unreadable } from '../../support/forged-export.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import { mailed, pullOne } from '../../support/pulled.ts';

const claim: Claim = {
  T: [liveSwitch(0, 'ab'.repeat(32)), ...tieUpHits(3)],
  O: [unreadable(4, '?'), ...ownHits(2, 5, { time: '2026-11-24T01:00:00Z' }), unreadable(7, '?')],
};
const more: Claim = { T: [...claim.T, ...tieUpHits(2, 8)], O: [...claim.O, ...ownHits(1, 10)] };

const countsIn = (main: MainFixture): Readonly<Record<string, number>> =>
  Object.fromEntries([...main.hits.files].map(([path, lines]) => [path, lines.length]));

const FIRST = {
  'partner=harbour/day=2026-11-23/log=T/1-0-4': 4,
  'partner=harbour/day=1970-01-01/log=O/1-0-4': 1,
  'partner=harbour/day=2026-11-24/log=O/1-0-4': 3,
};
const SECOND = {
  ...FIRST,
  'partner=harbour/day=2026-11-23/log=T/1-4-6': 2,
  'partner=harbour/day=2026-11-23/log=O/1-4-5': 1,
};

/** A site that dies at the first write to a file whose path ends so. */
function dyingAt(main: MainFixture, ending: string): MainSite {
  const write = async (...[path, content, options]: Parameters<MainSite['files']['write']>) => {
    if (path.endsWith(ending)) throw new Error('killed');
    await main.site.files.write(path, content, options);
  };
  return { ...main.site, files: { ...main.site.files, write } };
}

describe('what was pulled', () => {
  test('is imported by the pull itself, under its own day; a line without a time belongs to the day before it', async () => {
    const { main, shop } = await partnership();
    const first = await forge(shop, { claim });
    expect(await pullOne(main)).toMatchObject({ imported: { kind: 'imported', records: 8 } });
    expect(countsIn(main)).toEqual(FIRST);
    expect(main.hits.files.get('partner=harbour/day=2026-11-23/log=T/1-0-4')?.[1]).toMatch(
      /^1\t2026-11-23T22:00:00Z\t/,
    );
    expect(await pullOne(main)).toMatchObject({ imported: { kind: 'imported', records: 0 } });
    await forge(shop, { claim: more, from: { T: 4, O: 4 }, seq: 2, previous: first.digest });
    expect(await pullOne(main)).toMatchObject({ imported: { kind: 'imported', records: 3 } });
    expect(countsIn(main)).toEqual(SECOND);
    expect(main.hits.open()).toBe(0);
  });

  test.each(['/pins.json', '/imported.json', '/T.cosigned', '/1.note', '/audit.json'])(
    'is neither lost nor doubled when the pull died before it wrote %s',
    async (ending) => {
      const { main, shop } = await partnership();
      await forge(shop, { claim });
      await expect(pullOne(main, dyingAt(main, ending))).rejects.toThrow('killed');
      await pullOne(main);
      expect(countsIn(main)).toEqual(FIRST);
    },
  );

  test('is what was pinned, also when a pull died and the partner then exported something else', async () => {
    const { main, shop } = await partnership();
    const longer: Claim = { T: [...claim.T, ...tieUpHits(3, 40)], O: claim.O };
    await forge(shop, { claim: longer });
    await expect(pullOne(main, dyingAt(main, '/pins.json'))).rejects.toThrow('killed');
    const first = await forge(shop, { claim });
    await pullOne(main);
    await forge(shop, { claim: more, from: { T: 4, O: 4 }, seq: 2, previous: first.digest });
    await pullOne(main);
    expect(await importPulled(main.site, true)).toEqual([{ partner: 'harbour', records: 11 }]);
    expect(countsIn(main)).toEqual(SECOND);
  });

  test('is imported later when there was no DuckDB at first, in order and all of it', async () => {
    const { main, shop } = await partnership();
    const without: MainSite = { ...main.site, hits: async () => undefined };
    const first = await forge(shop, { claim });
    expect(await pullOne(main, without)).toMatchObject({ kind: 'pulled', imported: { kind: 'off' } });
    await forge(shop, { claim: more, from: { T: 4, O: 4 }, seq: 2, previous: first.digest });
    expect(await pullOne(main)).toMatchObject({ imported: { kind: 'imported', records: 11 } });
    expect(countsIn(main)).toEqual(SECOND);
  });

  test('is imported again as a whole when that is asked for', async () => {
    const { main, shop } = await partnership();
    await forge(shop, { claim });
    await pullOne(main);
    expect(await importPulled(main.site, false)).toEqual([{ partner: 'harbour', records: 0 }]);
    expect(await importPulled(main.site, true)).toEqual([{ partner: 'harbour', records: 8 }]);
    expect(countsIn(main)).toEqual(FIRST);
  });

  test('stays pulled when it cannot be imported, and that is told', async () => {
    const { main, shop } = await partnership();
    await forge(shop, { claim });
    const { TieupError } = await import('../../../src/errors.ts');
    const broken: MainSite = {
      ...main.site,
      hits: async () => ({
        ...main.hits,
        begin: async (target) => ({
          ...(await main.hits.begin(target)),
          commit: async () => {
            throw new TieupError('TIEUP_E_FAILED', 'the disk is full');
          },
        }),
      }),
    };
    expect(await pullOne(main, broken)).toMatchObject({ kind: 'pulled', imported: { kind: 'failed' } });
    expect(await pullOne(main)).toMatchObject({ kind: 'unchanged', imported: { kind: 'imported', records: 8 } });
    expect(countsIn(main)).toEqual(FIRST);
  });

  test('is not imported without DuckDB, which says what to install', async () => {
    const { main } = await partnership();
    await expect(importPulled({ ...main.site, hits: async () => undefined }, false)).rejects.toMatchObject({
      code: 'TIEUP_E_NOT_FOUND',
      hint: expect.stringContaining('npm install @duckdb/node-api'),
    });
  });

  test('is refused when the kept file is no longer what was verified', async () => {
    const { main, shop } = await partnership();
    await forge(shop, { claim });
    await pullOne(main);
    await main.write('.tieup/logs/harbour/1/T/0-4.part.gz', 'gone');
    await expect(importPulled(main.site, true)).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
    await main.remove('.tieup/logs/harbour/1/T/0-4.part.gz');
    await expect(importPulled(main.site, true)).rejects.toMatchObject({
      message: expect.stringContaining('is missing'),
    });
    expect(main.hits.open()).toBe(0);
  });
});

describe('an export that came by mail', () => {
  test('is verified against what is pinned as if it had been pulled; the pull then cosigns it', async () => {
    const { main, shop } = await partnership();
    const { statement } = await forge(shop, { claim });
    const names = [statement.T.file, statement.O.file].map((file) => `${file?.digest}.part.gz`);
    const files = mailed(shop, 'export.note', ...names);
    expect(await importFiles(main.site, files)).toMatchObject({ kind: 'pulled', added: { T: 4, O: 4 } });
    expect(countsIn(main)).toEqual(FIRST);
    expect(await importFiles(main.site, files)).toMatchObject({ kind: 'unchanged' });
    expect(await pullOne(main)).toMatchObject({ kind: 'unchanged' });
    expect(readFileSync(shop.path('exchange/inbox/logs/T.cosigned'), 'utf8')).toContain('/tieup-log/harbour/T/1');
  });

  test.each<[string, (names: readonly string[]) => readonly string[], object]>([
    ['without its statement', ([, ...parts]) => parts, { code: 'TIEUP_E_USAGE' }],
    ['without a file that it names', ([note, part]) => [note ?? '', part ?? ''], { code: 'TIEUP_E_VERIFY' }],
    ['with two statements', (names) => [...names, 'export.note'], { code: 'TIEUP_E_USAGE' }],
  ])('is refused %s', async (_, choose, error) => {
    const { main, shop } = await partnership();
    const { statement } = await forge(shop, { claim });
    const names = ['export.note', ...[statement.T.file, statement.O.file].map((file) => `${file?.digest}.part.gz`)];
    await expect(importFiles(main.site, mailed(shop, ...choose(names)))).rejects.toMatchObject(error);
    expect(countsIn(main)).toEqual({});
  });
});
