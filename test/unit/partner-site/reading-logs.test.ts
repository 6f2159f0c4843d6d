import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { commitLogs } from '../../../src/partner-site/commit-logs.ts';
import { exportLogs } from '../../../src/partner-site/export-logs.ts';
import { withhold } from '../../../src/partner-site/merge.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { partnership } from '../../support/partnership-fixture.ts';
import { refusalOf } from '../../support/refusal.ts';
import { disclosed, hit, serve, withLogs } from '../../support/shop-logs.ts';

const PAGE = '/with-main/';
const LOG = 'log/access.log';

async function trading() {
  const { shop } = await partnership();
  mkdirSync(shop.path('log'));
  writeFileSync(shop.path(LOG), '');
  await shop.accept(await shop.open({ config: withLogs() }));
  const options = (files?: readonly string[]) => ({
    config: withLogs(files === undefined ? {} : { sources: files.map((each) => ({ files: each })) }),
  });
  return {
    shop,
    at: (name: string) => shop.path(`log/${name}`),
    visits: (count: number) => serve(shop, ...Array.from({ length: count }, () => hit(PAGE))),
    /** How many hits on tie-up pages count after a run. */
    commit: async (files?: readonly string[]) =>
      (await commitLogs(await shop.open(options(files)), { acceptGap: false })).counts.T,
    whole: async (files?: readonly string[], acceptGap = false) => {
      const { counts, warnings } = await commitLogs(await shop.open(options(files)), { acceptGap });
      return { counts, warnings };
    },
    refused: (files?: readonly string[]) =>
      refusalOf(shop, async () => commitLogs(await shop.open(options(files)), { acceptGap: false })),
    compress: (name: string, { keep = false } = {}) => {
      const time = statSync(shop.path(`log/${name}`)).mtime;
      writeFileSync(shop.path(`log/${name}.gz`), gzipSync(readFileSync(shop.path(`log/${name}`))));
      utimesSync(shop.path(`log/${name}.gz`), time, time);
      if (!keep) rmSync(shop.path(`log/${name}`));
    },
    rotate: () => {
      renameSync(shop.path(LOG), shop.path(`${LOG}.1`));
    },
  };
}

/** Three lines were read, and the first two are in a compressed file since. */
async function compressed() {
  const shop = await trading();
  const { visits, commit, rotate, compress } = shop;
  visits(2);
  await commit();
  rotate();
  visits(1);
  await commit();
  compress('access.log.1');
  return shop;
}

/** The state as the version before wrote it, which did not say which of the files was being written. */
function asOldState(shop: PartnerFixture): void {
  const path = shop.path('state/logs/state.json');
  const state = readFileSync(path, 'utf8');
  const old = state.replaceAll(/,\s*"current": *(?:\d+|null)/g, '');
  expect(old).not.toBe(state);
  writeFileSync(path, old);
}

describe('another spelling of the files in tieup.yaml', () => {
  test.each([
    ['log/access*', './log/access.log*'],
    ['log/access.log', 'log/access.log*'],
  ])('reads no line again: %s', async (one, other) => {
    const { shop, visits, commit, rotate } = await trading();
    visits(2);
    expect(await commit()).toBe(2);
    expect(await commit([one])).toBe(2);
    visits(1);
    rotate();
    visits(1);
    expect(await commit([shop.path('log/access.log*')])).toBe(4);
    expect(await commit([other])).toBe(4);
    visits(1);
    expect(await commit()).toBe(5);
  });

  test('goes on behind what the release was that went live before', async () => {
    const { shop, visits, commit } = await trading();
    visits(1);
    await commit();
    visits(1);
    await commit(['log/access*']);
    await exportLogs(await shop.open({ config: withLogs({ sources: [{ files: 'log/access*' }] }) }), {
      acceptGap: false,
      disclose: {},
    });
    expect((await disclosed(shop, 'T')).filter(({ class: kind }) => kind === 'S')).toHaveLength(1);
  });

  test('of another log reads that log, all of it', async () => {
    const { at, visits, commit } = await trading();
    visits(2);
    await commit();
    writeFileSync(at('shop.log'), hit(PAGE));
    expect(await commit(['log/access.log*', 'log/shop.log*'])).toBe(3);
    expect(await commit(['log/shop.log*'])).toBe(3);
    visits(1);
    expect(await commit()).toBe(4);
  });
});

describe('copies of a log', () => {
  test('are not read while one is made, nor when the log is cut short then', async () => {
    const { at, visits, commit } = await trading();
    visits(5);
    await commit();
    copyFileSync(at('access.log'), at('access.log.1'));
    expect(await commit()).toBe(5);
    truncateSync(at('access.log'));
    expect(await commit()).toBe(5);
    visits(1);
    expect(await commit()).toBe(6);
  });

  test('that lack lines which were read meanwhile wait, and have nothing more to say when they are complete', async () => {
    const { at, visits, commit } = await trading();
    visits(5);
    const half = readFileSync(at('access.log')).subarray(0, 250);
    writeFileSync(at('access.log.1'), half);
    expect(await commit()).toBe(5);
    visits(2);
    writeFileSync(at('access.log.1'), readFileSync(at('access.log')));
    expect(await commit()).toBe(7);
    truncateSync(at('access.log'));
    visits(1);
    expect(await commit()).toBe(8);
  });

  test('under other names count nothing: cp -p, a second compressed one, gzip -k and then another name', async () => {
    const { at, visits, commit, compress, rotate } = await trading();
    visits(3);
    await commit();
    copyFileSync(at('access.log'), at('access.log.bak'));
    utimesSync(at('access.log.bak'), statSync(at('access.log')).atime, statSync(at('access.log')).mtime);
    expect(await commit()).toBe(3);
    rotate();
    visits(1);
    compress('access.log.1', { keep: true });
    expect(await commit()).toBe(4);
    renameSync(at('access.log.1'), at('access.log.2'));
    expect(await commit()).toBe(4);
    copyFileSync(at('access.log.1.gz'), at('access.log.3.gz'));
    rmSync(at('access.log.2'));
    expect(await commit()).toBe(4);
  });

  test('are found out the first time that anything is read', async () => {
    const { at, visits, commit } = await trading();
    visits(3);
    copyFileSync(at('access.log'), at('access.log.bak'));
    visits(1);
    expect(await commit()).toBe(4);
    expect(await commit()).toBe(4);
  });

  test('that go on by themselves are read from where they do', async () => {
    const { at, visits, commit } = await trading();
    visits(2);
    await commit();
    copyFileSync(at('access.log'), at('access.log.new'));
    await commit();
    rmSync(at('access.log'));
    renameSync(at('access.log.new'), at('access.log'));
    visits(3);
    expect(await commit()).toBe(5);
  });

  test('are none when they have only some lines in common', async () => {
    const { at, visits, whole } = await trading();
    const same = Array.from({ length: 20 }, () => hit(PAGE)).join('');
    writeFileSync(at('access.log.2'), `${same}${hit(PAGE)}`);
    writeFileSync(at('access.log.1'), `${hit(PAGE)}${same}`);
    visits(1);
    expect((await whole()).counts.lines).toBe(43);
  });
});

describe('logs that begin alike within one second', () => {
  const FIRST = Date.parse('2026-11-23T11:00:00Z');
  const SAME = hit(PAGE, { time: new Date(FIRST) });

  /** With so many lines that are the same, last written so many milliseconds after the first one. */
  async function rotating() {
    const shop = await trading();
    return {
      ...shop,
      lines: async () => (await shop.whole()).counts.lines,
      holds: (name: string, count: number, afterMs: number) => {
        const bytes = SAME.repeat(count);
        writeFileSync(shop.at(name), name.endsWith('.gz') ? gzipSync(bytes) : bytes);
        utimesSync(shop.at(name), (FIRST + afterMs) / 1000, (FIRST + afterMs) / 1000);
      },
    };
  }

  test('are all read, where a part of the first was read before it was copied, cut short and compressed', async () => {
    const { holds, lines } = await rotating();
    holds('access.log', 6, 10);
    expect(await lines()).toBe(6);
    holds('access.log.2.gz', 12, 20);
    holds('access.log.1.gz', 6, 30);
    holds('access.log', 3, 40);
    expect(await lines()).toBe(21);
    expect(await lines()).toBe(21);
    holds('access.log', 4, 50);
    expect(await lines()).toBe(22);
  });

  test.each([5, 6, 7])(
    'are all read when the first was read to its end already, and the next has %i lines',
    async (count) => {
      const { at, holds, lines } = await rotating();
      holds('access.log', 6, 10);
      expect(await lines()).toBe(6);
      renameSync(at('access.log'), at('access.log.1'));
      holds('access.log', count, 20);
      expect(await lines()).toBe(6 + count);
      expect(await lines()).toBe(6 + count);
    },
  );

  test.each([
    ['numbers', 'access.log.2', 'access.log.1'],
    ['dates', 'access.log-20261123.gz', 'access.log-20261124.gz'],
  ])('are all read when they are of one length, by their %s', async (_, older, newer) => {
    const { holds, lines } = await rotating();
    holds(older, 4, 10);
    holds(newer, 4, 20);
    holds('access.log', 3, 30);
    expect(await lines()).toBe(11);
    expect(await lines()).toBe(11);
  });

  test.each([
    ['it has the older name and less, as after a copy that was broken off', 'access.log.2', 3, 10],
    ['it has the time of its original, as after cp -p', 'access.log.2', 4, 20],
    ['it is later than its original under an older name', 'access.log.2', 4, 30],
    ['it has the time before a line that was written while it was made', 'access.log.1', 4, 10],
    ['its name is none of rotation', 'access.log.bak', 3, 10],
    ['it lost the race for the last line to a copy that was being made', 'access.log', 3, 10],
  ])('are copies still when %s', async (_, name, count, afterMs) => {
    const { holds, lines } = await rotating();
    if (name === 'access.log' || name === 'access.log.2') holds('access.log.1', 4, 20);
    else holds('access.log', 4, 20);
    holds(name, count, afterMs);
    expect(await lines()).toBe(4);
    expect(await lines()).toBe(4);
  });
});

describe('one file under several names', () => {
  test.each([
    ['hard', (from: string, to: string) => linkSync(from, to)],
    ['symbolic', (from: string, to: string) => symlinkSync(from, to)],
  ])('is read once: a %s link', async (_, link) => {
    const { at, visits, commit } = await trading();
    link(at('access.log'), at('access.log.20261123'));
    visits(2);
    expect(await commit()).toBe(2);
    visits(2);
    expect(await commit()).toBe(4);
    rmSync(at('access.log.20261123'));
    visits(1);
    expect(await commit()).toBe(5);
  });

  test('is refused when two sources name it, and nothing is read', async () => {
    const { at, visits, commit, refused } = await trading();
    visits(2);
    await commit();
    linkSync(at('access.log'), at('current'));
    const { code, error } = await refused(['log/access.log*', 'log/current']);
    expect([code, error.message]).toEqual([
      'TIEUP_E_CONFIG',
      expect.stringContaining('is named by two sources, "log/access.log*" and "log/current"'),
    ]);
    writeFileSync(at('other'), hit(PAGE));
    expect(await commit(['log/access.log*', 'log/other'])).toBe(3);
  });
});

describe('the file that is being written', () => {
  test('was empty at the last run, and is gone with what was added: that is a loss', async () => {
    const { at, visits, commit, refused, rotate, whole } = await trading();
    visits(2);
    await commit();
    rotate();
    writeFileSync(at('access.log'), '');
    await commit();
    visits(3);
    rmSync(at('access.log'));
    writeFileSync(at('access.log.new'), hit(PAGE));
    renameSync(at('access.log.new'), at('access.log'));
    expect(await refused()).toMatchObject({ code: 'TIEUP_E_DRIFT' });
    expect((await whole(undefined, true)).counts).toMatchObject({ T: 3, G: 1 });
    expect((await whole()).counts).toMatchObject({ T: 3, G: 1 });
  });

  test('was empty at the last run, and was renamed and compressed since: nothing is lost', async () => {
    const { at, visits, commit, compress, rotate } = await trading();
    await commit();
    visits(3);
    rotate();
    compress('access.log.1');
    writeFileSync(at('access.log'), hit(PAGE));
    expect(await commit()).toBe(4);
  });

  test('is not the one that was compressed last, which may be removed in time', async () => {
    const { at, visits, commit } = await compressed();
    const later = statSync(at('access.log')).mtimeMs / 1000 + 60;
    utimesSync(at('access.log.1.gz'), later, later);
    await commit();
    rmSync(at('access.log.1.gz'));
    visits(1);
    expect(await commit()).toBe(4);
  });

  test('is still missed when another one was compressed since', async () => {
    const { at, commit, refused } = await compressed();
    await commit();
    rmSync(at('access.log'));
    writeFileSync(at('access.log'), hit(PAGE));
    expect(await refused()).toMatchObject({ code: 'TIEUP_E_DRIFT' });
  });

  test('keeps its half line when an old worker of the server writes to the renamed one', async () => {
    const { at, visits, commit, rotate, whole } = await trading();
    visits(1);
    await commit();
    rotate();
    const line = hit(PAGE);
    writeFileSync(at('access.log'), line.slice(0, 40));
    appendFileSync(at('access.log.1'), hit(PAGE));
    const later = statSync(at('access.log')).mtimeMs / 1000 + 60;
    utimesSync(at('access.log.1'), later, later);
    expect(await commit()).toBe(2);
    appendFileSync(at('access.log'), line.slice(40));
    expect((await whole()).counts).toMatchObject({ lines: 3, T: 3, X: 0 });
  });

  test('leaves the half line of a renamed one until nothing was added to that for a whole run', async () => {
    const { at, visits, rotate, whole } = await trading();
    const line = hit(PAGE);
    visits(1);
    appendFileSync(at('access.log'), line.slice(0, 40));
    await whole();
    appendFileSync(at('access.log'), line.slice(40, 60));
    rotate();
    visits(1);
    expect((await whole()).counts).toMatchObject({ T: 2, X: 0 });
    appendFileSync(at('access.log.1'), line.slice(60, -1));
    expect((await whole()).counts).toMatchObject({ T: 2, X: 0 });
    expect((await whole()).counts).toMatchObject({ T: 3, X: 0 });
    expect((await whole()).counts).toMatchObject({ lines: 3 });
  });
});

describe('a damaged or empty compressed log', () => {
  async function withDamaged() {
    const shop = await trading();
    shop.visits(2);
    shop.rotate();
    shop.compress('access.log.1');
    const packed = readFileSync(shop.at('access.log.1.gz'));
    writeFileSync(shop.at('access.log.1.gz'), packed.subarray(0, 40));
    shop.visits(1);
    return { ...shop, packed };
  }

  test('does not keep the others from being read, and is named in a warning', async () => {
    const { visits, whole } = await withDamaged();
    const { counts, warnings } = await whole();
    expect(counts).toMatchObject({ lines: 1, T: 1, G: 0 });
    expect(warnings).toEqual([expect.stringContaining('access.log.1.gz')]);
    visits(1);
    expect(await whole()).toMatchObject({ counts: { T: 2 }, warnings: [expect.any(String)] });
  });

  test('is read when it is put back', async () => {
    const { at, packed, whole } = await withDamaged();
    await whole();
    writeFileSync(at('access.log.1.gz'), packed);
    expect(await whole()).toMatchObject({ counts: { T: 3, G: 0 }, warnings: [] });
  });

  test('is a gap when the manager says that it is lost, once', async () => {
    const { at, packed, whole } = await withDamaged();
    expect(await whole(undefined, true)).toMatchObject({ counts: { T: 1, G: 1 }, warnings: [] });
    expect(await whole(undefined, true)).toMatchObject({ counts: { T: 1, G: 1 }, warnings: [] });
    writeFileSync(at('access.log.1.gz'), packed);
    expect((await whole()).counts).toMatchObject({ T: 3, G: 1 });
  });

  test('holds no line when it is empty', async () => {
    const { at, visits, whole } = await trading();
    writeFileSync(at('access.log.1.gz'), '');
    visits(1);
    expect(await whole()).toMatchObject({ counts: { lines: 1, T: 1 }, warnings: [] });
    expect(await whole()).toMatchObject({ counts: { lines: 1, T: 1 }, warnings: [] });
  });
});

describe('a source that names nothing', () => {
  test.each([
    ['a mistake in the name', 'lag/access.log*', () => undefined],
    ['a folder', 'log/folder', (path: string) => mkdirSync(path)],
    ['a link to nothing', 'log/dangling', (path: string) => symlinkSync('nowhere', path)],
  ])('is warned of, and the others are read: %s', async (_, files, make) => {
    const { at, visits, whole } = await trading();
    make(at(basename(files)));
    visits(1);
    expect(await whole(['log/access.log*', files])).toMatchObject({
      counts: { T: 1 },
      warnings: [expect.stringContaining(JSON.stringify(files))],
    });
  });

  test('for a while, as a disk that is not there, has its lines counted once', async () => {
    const { shop, visits, commit, compress, rotate } = await trading();
    visits(2);
    rotate();
    compress('access.log.1');
    rmSync(shop.path(LOG), { force: true });
    expect(await commit()).toBe(2);
    renameSync(shop.path('log'), shop.path('elsewhere'));
    expect(await commit()).toBe(2);
    renameSync(shop.path('elsewhere'), shop.path('log'));
    expect(await commit()).toBe(2);
  });
});

describe('a release of which only the time is known when it went live', () => {
  /** Published before the logs were named in tieup.yaml. */
  async function published() {
    const { shop } = await partnership();
    await shop.accept(await shop.open());
    const live = (await shop.open()).clock.now().getTime();
    mkdirSync(shop.path('log'));
    return {
      shop,
      /** Lines with times beside that of the release, in seconds. */
      log: (name: string, ...seconds: readonly number[]) => {
        appendFileSync(
          shop.path(name),
          seconds.map((each) => hit(PAGE, { time: new Date(live + each * 1000) })).join(''),
        );
        utimesSync(shop.path(name), live / 1000 + 90, live / 1000 + 90);
      },
      commit: async () => (await commitLogs(await shop.open({ config: withLogs() }), { acceptGap: false })).counts,
    };
  }

  test('counts from the first line with that time on, and says how that was found', async () => {
    const { shop, log, commit } = await published();
    log(`${LOG}.1`, -9000, -8000);
    appendFileSync(shop.path(LOG), 'no line\n');
    log(LOG, -60, -1, 0, -2, 60);
    expect(await commit()).toMatchObject({ lines: 8, T: 3, O: 4, X: 1, S: 1 });
    await exportLogs(await shop.open({ config: withLogs() }), { acceptGap: false, disclose: {} });
    const [first] = await disclosed(shop, 'T');
    expect(first).toMatchObject({ class: 'S', signals: [expect.stringMatching(/\/by-time$/)] });
  });

  test('waits for it from file to file and from run to run', async () => {
    const { shop, log, commit } = await published();
    log(LOG, -60, -50);
    renameSync(shop.path(LOG), shop.path(`${LOG}.1`));
    log(LOG, -40);
    expect(await commit()).toMatchObject({ T: 0, O: 3, S: 0 });
    log(LOG, -30, 5);
    expect(await commit()).toMatchObject({ T: 1, O: 4, S: 1 });
    log(LOG, -1);
    expect(await commit()).toMatchObject({ T: 2, O: 4, S: 1 });
  });

  test('has happened when a later one has', async () => {
    const { shop, log, commit } = await published();
    log(LOG, -60);
    await commit();
    const options = { config: withLogs() };
    await withhold(await shop.open(options), { page: 'with-main/story.html', undo: false });
    log(LOG, -50);
    expect(await commit()).toMatchObject({ T: 1, O: 1 });
  });

  test('is told of when it was published by somebody who cannot read the logs', async () => {
    const { main, shop } = await partnership();
    await shop.accept(await shop.open({ config: withLogs() }));
    mkdirSync(shop.path('log'));
    await main.write('pages/news.md', '---\ntitle: News\n---\n\n# News\n');
    await main.pushed();
    const open = () => shop.open({ config: withLogs() });
    const blind = {
      open: () => Promise.reject(new TieupError('TIEUP_E_STORAGE', 'the log cannot be read')),
    };
    await shop.accept({ ...(await open()), logFiles: blind });
    serve(shop, hit(PAGE, { time: new Date((await open()).clock.now().getTime() + 1000) }));
    const commit = async () => commitLogs(await open(), { acceptGap: false });
    expect((await commit()).warnings).toEqual([expect.stringContaining('release 2 went live')]);
    expect((await commit()).warnings).toEqual([]);
  });
});

describe('a state of the version before', () => {
  test('is taken over: nothing is read again, and what was being written is still missed', async () => {
    const { shop, at, visits, commit, refused, rotate } = await trading();
    visits(2);
    rotate();
    visits(2);
    await commit();
    asOldState(shop);
    visits(1);
    expect(await commit()).toBe(5);
    asOldState(shop);
    rmSync(at('access.log'));
    visits(1);
    expect(await refused()).toMatchObject({ code: 'TIEUP_E_DRIFT' });
  });
});
