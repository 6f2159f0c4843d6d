/**
 * Lines of real servers' formats and the records which they become: `test/vectors/log-formats/<format>/`.
 * `npx vitest run test/unit/logs/formats.test.ts -u` writes `records.txt` anew; read the difference before you commit it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { detectFormat } from '../../../src/logs/detect.ts';
import { compileFormat } from '../../../src/logs/format.ts';
import { scanLog } from '../../support/scanned-log.ts';

const GOLDEN = join(import.meta.dirname, '../../vectors/log-formats');
const formats = readdirSync(GOLDEN);

describe('the formats of access logs', () => {
  it.each(formats)('%s is read field by field', async (name) => {
    const spec = readFileSync(join(GOLDEN, name, 'format'), 'utf8').trim();
    const log = readFileSync(join(GOLDEN, name, 'input.txt'));
    const { texts, counts } = scanLog(log, { spec });
    expect(counts.T + counts.O + counts.X).toBe(counts.lines);
    await expect(`${texts.join('\n')}\n`).toMatchFileSnapshot(join(GOLDEN, name, 'records.txt'));
  });

  it.each(formats.filter((name) => !/format$|^apache/.test(name)))('%s is detected from its lines', (name) => {
    const log = readFileSync(join(GOLDEN, name, 'input.txt'));
    const found = detectFormat(log);
    expect(found?.format.name).toBe(readFileSync(join(GOLDEN, name, 'format'), 'utf8').trim());
    expect(found?.examples[0]?.fields.get('path')).toMatch(/^\/with-main/i);
  });

  it('what is no access log has no format', () => {
    expect(detectFormat(Buffer.from('Nov 23 22:00:00 host sshd[1]: Accepted publickey\n'.repeat(5)))).toBeUndefined();
    expect(detectFormat(Buffer.from(''))).toBeUndefined();
  });

  it.each([
    ['combinde', 'there is no log format "combinde"'],
    ['%h "%r" %>s', 'has no time'],
    ['%h %t %>s', 'does not say what was requested'],
    ['$remote_addr$remote_user [$time_local] "$request"', 'two fields with nothing between them'],
    ['%h %{%d/%b/%Y}t "%r"', 'the time %{%d/%b/%Y}t of this LogFormat cannot be read'],
  ])('the format %s is refused', (spec, why) => {
    expect(() => compileFormat(spec)).toThrow(
      expect.objectContaining({ code: 'TIEUP_E_CONFIG', message: expect.stringContaining(why) }),
    );
  });
});
