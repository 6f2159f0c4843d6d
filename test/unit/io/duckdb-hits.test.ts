import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, onTestFinished, test } from 'vitest';
import { duckdbHits } from '../../../src/io/duckdb-hits.ts';
import type { HitImport, HitStore, HitTarget } from '../../../src/io/hit-store.ts';
import { type LogRecord, renderRecord, unparsedRecord } from '../../../src/protocol/log-record.ts';
import { hit } from '../../support/exported-log.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const TARGET: HitTarget = { partner: 'harbour', log: 'T', epoch: 1, from: 0, size: 3 };

async function store() {
  const folder = join(await temporaryFolder(), "hits of 'harbour'");
  const hits = await duckdbHits(folder);
  if (hits === undefined) throw new Error('DuckDB is not installed');
  onTestFinished(() => hits.close());
  return { folder, hits };
}

async function add(aside: HitImport, records: readonly LogRecord[]): Promise<void> {
  for (const record of records) {
    const line = Buffer.from(`${renderRecord(record)}\n`);
    aside.add(record.time.slice(0, 10), line, 0, line.length);
    await aside.settle();
  }
}

async function imported(hits: HitStore, records: readonly LogRecord[], target = TARGET): Promise<number> {
  const aside = await hits.begin(target);
  await add(aside, records);
  return aside.commit();
}

async function query(folder: string, sql: string): Promise<readonly unknown[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const files = `read_parquet('${folder.replaceAll("'", "''")}/**/*.parquet', hive_partitioning = true)`;
  const rows = (await connection.run(sql.replace('HITS', files))).getRowObjectsJson();
  const found = await rows;
  connection.closeSync();
  instance.closeSync();
  return found;
}

const day = (number: number, seq: number) => hit(seq, { time: `2026-11-${number}T22:00:00.250Z` });

describe('hits in Parquet files', () => {
  test('lie in a folder for every partner, day and log, with typed columns', async () => {
    const { folder, hits } = await store();
    expect(await imported(hits, [day(23, 1), day(24, 2), day(23, 3)])).toBe(3);
    expect(
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.parquet'))
        .toSorted(),
    ).toEqual([
      'partner=harbour/day=2026-11-23/log=T/1-0-3.parquet',
      'partner=harbour/day=2026-11-24/log=T/1-0-3.parquet',
    ]);
    expect(
      await query(
        folder,
        'SELECT seq, time, status, bytes, duration, class, "user", day, partner, log FROM HITS WHERE seq = 2',
      ),
    ).toEqual([
      {
        seq: '2',
        time: '2026-11-24 22:00:00.25',
        status: 200,
        bytes: '5120',
        duration: '1200',
        class: 'T',
        user: null,
        day: '2026-11-24',
        partner: 'harbour',
        log: 'T',
      },
    ]);
    expect(
      await query(
        folder,
        'SELECT DISTINCT typeof(seq) AS a, typeof(time) AS b, typeof(status) AS c, typeof(day) AS d FROM HITS',
      ),
    ).toEqual([{ a: 'BIGINT', b: 'TIMESTAMP', c: 'SMALLINT', d: 'DATE' }]);
  });

  test('replace themselves when the same export is imported again, after a crash too', async () => {
    const { folder, hits } = await store();
    await imported(hits, [day(23, 1), day(24, 2)]);
    await imported(hits, [day(23, 1), day(24, 2)]);
    expect(await query(folder, 'SELECT count(*) AS n FROM HITS')).toEqual([{ n: '2' }]);
    // Killed before the commit: nothing ends it.
    const killed = await hits.begin({ ...TARGET, from: 3, size: 4 });
    await add(killed, [day(25, 3)]);
    expect(await query(folder, 'SELECT count(*) AS n FROM HITS')).toEqual([{ n: '2' }]);
    // The next export is another one: nothing of the killed import stays.
    expect(await imported(hits, [day(25, 3)], { ...TARGET, from: 3, size: 5 })).toBe(1);
    expect(readdirSync(folder)).toEqual(['partner=harbour']);
    expect(await query(folder, 'SELECT count(*) AS n FROM HITS')).toEqual([{ n: '3' }]);
    await killed.discard();
  });

  test('are nowhere when they are discarded', async () => {
    const { folder, hits } = await store();
    const aside = await hits.begin(TARGET);
    await add(aside, [day(23, 1)]);
    await aside.discard();
    await aside.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('keep every character as the record spells it', async () => {
    const { folder, hits } = await store();
    const odd = '"quoted", \\ back\tslash\n, comma, é, 🜚, -, NULL';
    await imported(hits, [hit(1, { agent: odd, user: '-' }), { ...unparsedRecord(2, odd), time: '' }], TARGET);
    const spelt = renderRecord(hit(1, { agent: odd })).split('\t')[13];
    expect(await query(folder, 'SELECT agent, "user", path, class FROM HITS ORDER BY seq')).toEqual([
      { agent: spelt, user: '\\x2d', path: '/with-main/story.html', class: 'T' },
      { agent: null, user: null, path: spelt, class: 'X' },
    ]);
  });

  test('take all times and numbers that a record can have', async () => {
    const { folder, hits } = await store();
    const extremes = [
      hit(Number.MAX_SAFE_INTEGER, { time: '0000-01-01T00:00:00Z', bytes: Number.MAX_SAFE_INTEGER, status: 999 }),
      hit(1, { time: '9999-12-31T23:59:59.999Z', bytes: 0, status: 0 }),
    ];
    expect(await imported(hits, extremes)).toBe(2);
    expect(
      await query(folder, 'SELECT max(seq) AS s, max(bytes) AS b, min(status) AS low, max(status) AS high FROM HITS'),
    ).toEqual([{ s: String(Number.MAX_SAFE_INTEGER), b: String(Number.MAX_SAFE_INTEGER), low: 0, high: 999 }]);
  });

  test('of a log that jumps between days are refused before the disk is full of files', async () => {
    const { folder, hits } = await store();
    const aside = await hits.begin(TARGET);
    const line = Buffer.from(`${renderRecord(hit(1))}\n`);
    const jump = async () => {
      for (let at = 0; at < 20_000; at += 1) aside.add(`day ${at}`, line, 0, line.length);
    };
    await expect(jump()).rejects.toMatchObject({ message: expect.stringContaining('10000 days') });
    await aside.discard();
    expect(existsSync(join(folder, 'partner=harbour'))).toBe(false);
  });

  test('nothing changes when they cannot be written', async () => {
    const { folder, hits } = await store();
    const aside = await hits.begin(TARGET);
    const broken = Buffer.from('no record\n');
    aside.add('2026-11-23', broken, 0, broken.length);
    await expect(aside.commit()).rejects.toMatchObject({ code: 'TIEUP_E_FAILED' });
    await aside.discard();
    expect(existsSync(join(folder, 'partner=harbour'))).toBe(false);
  });
});
