/** Counting without keeping agrees with what records say. */
import { describe, expect, it } from 'vitest';
import { compileFormat } from '../../../src/logs/format.ts';
import { createTally } from '../../../src/logs/tally.ts';
import { scanLog, TIEUP_FILES } from '../../support/scanned-log.ts';

const line = (path: string, status: number, bytes: number, agent = 'Mozilla/5.0'): string =>
  `192.0.2.1 - - [23/Nov/2026:22:00:00 +0000] "GET ${path} HTTP/1.1" ${status} ${bytes} "-" "${agent}"\n`;

const LOG = [
  line('/with-main/', 200, 100),
  line('/with-main/%69ndex.html', 304, 0),
  line('/with-main/logo.png', 200, 7),
  line('/own', 404, 3, 'curl/8.5.0'),
  'no line of a log\n',
].join('');

describe('a tally', () => {
  it('counts hits by file, status, bytes and programs', () => {
    const tally = createTally({ format: compileFormat('combined') }, TIEUP_FILES.files);
    const log = Buffer.from(LOG);
    for (let at = 0; at < log.length; at += 50) tally.push(log.subarray(at, at + 50));
    const counted = tally.finish();
    expect(counted).toMatchObject({ lines: 5, T: 3, O: 1, X: 1, bytes: 110, bots: 1 });
    expect(counted.byStatus.slice(0, 6)).toEqual([0, 0, 2, 1, 1, 0]);
    expect([...counted.byFile]).toEqual([
      ['with-main/index.html', 2],
      ['with-main/logo.png', 1],
    ]);
  });

  it('counts the classes that a scanner gives', () => {
    const tally = createTally({ format: compileFormat('combined') }, TIEUP_FILES.files);
    tally.push(Buffer.from(LOG));
    const { lines, T, O, X } = tally.finish();
    expect(scanLog(LOG).counts).toMatchObject({ lines, T, O, X });
  });
});
