/**
 * Lines of real servers' formats and the records which they become: `test/vectors/log-formats/<format>/`.
 * `npx vitest run test/unit/logs/formats.test.ts -u` writes `records.txt` anew; read the difference before you commit it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { detectFormat } from '../../../src/logs/detect.ts';
import { compileFormat } from '../../../src/logs/format.ts';
import { DEFAULT_PRIVACY } from '../../../src/logs/privacy.ts';
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
    ['$remote_addr [$time_local] $request_uri$host', 'two fields with nothing between them'],
    ['%h %{%d/%b/%Y}t "%r"', 'the time %{%d/%b/%Y}t of this LogFormat cannot be read'],
    ['%h %{%H:%M:%S}t "%r"', 'the time %{%H:%M:%S}t of this LogFormat cannot be read'],
    ['%h %{%Y-%m-%d %H:%M}t "%r"', 'the time %{%Y-%m-%d %H:%M}t of this LogFormat cannot be read'],
    ['%h %{%G %V}t "%r"', 'the time %{%G %V}t of this LogFormat cannot be read'],
  ])('the format %s is refused', (spec, why) => {
    expect(() => compileFormat(spec)).toThrow(
      expect.objectContaining({ code: 'TIEUP_E_CONFIG', message: expect.stringContaining(why) }),
    );
  });
});

/** What one line says in a format of the server's own. */
function hitOf(spec: string, line: string, forwarded?: 'first' | 'last') {
  const format = compileFormat(spec, forwarded);
  const [, record] = scanLog(`${line}\n`, {
    format,
    privacy: { ...DEFAULT_PRIVACY, address: 'full', query: ['a'] },
  }).records;
  return record;
}

describe('formats that sites write for themselves', () => {
  const TIME = '[23/Nov/2026:22:00:00 +0000]';

  it.each([
    ['%h %t "%m %U%q %H" %>s', `192.0.2.1 ${TIME} "GET /x?a=1 HTTP/1.1" 404`],
    ['$remote_addr [$time_local] "$request_method $uri$is_args$args" $status', `192.0.2.1 ${TIME} "GET /x?a=1" 404`],
    ['$remote_addr [$time_local] $request_method ${uri}${is_args}$args $status', `192.0.2.1 ${TIME} GET /x?a=1 404`],
    ['$remote_addr [$time_local] $status $request', `192.0.2.1 ${TIME} 404 GET /x?a=1 HTTP/1.1`],
    ['$remote_addr [$time_local] $request $status', `192.0.2.1 ${TIME} GET /x?a=1 HTTP/1.1 404`],
    [
      'log_format m "$remote_addr [$time_local] " "\\"$request\\" $status";',
      `192.0.2.1 ${TIME} "GET /x?a=1 HTTP/1.1" 404`,
    ],
    ['"$remote_addr [$time_local] \\"$request\\" $status"', `192.0.2.1 ${TIME} "GET /x?a=1 HTTP/1.1" 404`],
    [
      '"$remote_addr" "$time_local" "$request" "$status"',
      '"192.0.2.1" "23/Nov/2026:22:00:00 +0000" "GET /x?a=1 HTTP/1.1" "404"',
    ],
    [
      'log_format m \'$remote_addr\\t$time_local\\t\' "$request\\t$status"',
      '192.0.2.1\t23/Nov/2026:22:00:00 +0000\tGET /x?a=1 HTTP/1.1\t404',
    ],
  ])('%s', (spec, line) => {
    expect(hitOf(spec, line)).toMatchObject({
      class: 'O',
      method: 'GET',
      path: '/x',
      query: 'a=1',
      status: 404,
      ip: '192.0.2.1',
    });
  });

  it.each([
    ['[$time_local] $scheme://$host$request_uri $status', `${TIME} https://a.example/x?a=1 404`],
    ['[$time_local] $status $host$uri$is_args$args', `${TIME} 404 a.example/x?a=1`],
    ['%t "%v%U%q" %>s', `${TIME} "a.example/x?a=1" 404`],
  ])('%s names the host', (spec, line) => {
    expect(hitOf(spec, line)).toMatchObject({ host: 'a.example', path: '/x', query: 'a=1', status: 404 });
  });

  it('an unquoted request may be noise, but no visitor can end it', () => {
    const spec = '$remote_addr [$time_local] $request $status $body_bytes_sent';
    expect(hitOf(spec, `192.0.2.1 ${TIME} - 400 0`)).toMatchObject({ class: 'O', method: '', status: 400 });
    expect(hitOf(spec, `192.0.2.1 ${TIME} GET /a b HTTP/1.1 404 0`)).toMatchObject({ path: '/a b', status: 404 });
    expect(hitOf(spec, `192.0.2.1 ${TIME} GET /with-main/ HTTP/1.1 200 5 x HTTP/1.1 400 0`)?.class).toBe('X');
  });

  const LISTED = '$remote_addr [$time_local] "$request" $status $upstream_response_time $host';

  it.each(['0.001', '-', '0.001, 0.002', '0.001, 0.002 : 0.003', '0.001 : -, 0.003'])(
    'a list of servers that were tried is one value: %s',
    (list) => {
      const line = (end: string) => `192.0.2.1 ${TIME} "GET /with-main/ HTTP/1.1" 200 ${list} partner.example${end}`;
      const read = { class: 'T', host: 'partner.example' };
      expect(hitOf(LISTED, line(''))).toMatchObject(read);
      expect(hitOf(`${LISTED} $request_time`, line(' 0.003'))).toMatchObject({ ...read, duration: 3000 });
    },
  );

  it.each([
    ['[$time_local] "$request" $status $geoip_city $host', '"GET /with-main/ HTTP/1.1" 200 New York partner.example'],
    [
      '[$time_local] "$request" $status $geoip_city $host | x',
      '"GET /with-main/ HTTP/1.1" 200 New York partner.example | x',
    ],
    ['[$time_local] "$request" $status $geoip_city $remote_addr', '"GET /with-main/ HTTP/1.1" 200 New York 192.0.2.1'],
    ['[$time_local] "$request" $geoip_city $status', '"GET /with-main/ HTTP/1.1" New York 200'],
    [
      '[$time_local] "$request" $status $geoip_city $host $request_time',
      '"GET /with-main/ HTTP/1.1" 200 New York partner.example 0.003',
    ],
  ])('a blank that shifts the fields makes the line X: %s', (spec, rest) => {
    expect(hitOf(spec, `${TIME} ${rest}`)?.class).toBe('X');
    expect(hitOf(spec, `${TIME} ${rest.replace('New York', 'Oslo')}`)?.class).toBe('T');
  });
});

describe('addresses that proxies pass on', () => {
  const TIME = '[23/Nov/2026:22:00:00 +0000]';
  const REST = `- - ${TIME} "GET /x HTTP/1.1" 404 1`;
  const LIST = '203.0.113.7, 198.51.100.2,10.0.0.1';

  it.each([
    [
      'the last one, where the server says none of its own',
      '%{X-Forwarded-For}i %l %u %t "%r" %>s %b',
      `${LIST} ${REST}`,
      undefined,
      '10.0.0.1',
    ],
    ['the only one', '%{X-Forwarded-For}i %l %u %t "%r" %>s %b', `203.0.113.7 ${REST}`, undefined, '203.0.113.7'],
    ['none', '%{X-Forwarded-For}i %l %u %t "%r" %>s %b', `- ${REST}`, undefined, ''],
    [
      'the first, where tieup.yaml says so',
      '%{X-Forwarded-For}i %l %u %t "%r" %>s %b',
      `${LIST} ${REST}`,
      'first',
      '203.0.113.7',
    ],
    [
      'that of the server, where it says one',
      'nginx-main',
      `192.0.2.1 ${REST} "-" "-" "${LIST}"`,
      undefined,
      '192.0.2.1',
    ],
    ['the last instead of it', 'nginx-main', `192.0.2.1 ${REST} "-" "-" "${LIST}"`, 'last', '10.0.0.1'],
    ['the first instead of it', 'nginx-main', `192.0.2.1 ${REST} "-" "-" "${LIST}"`, 'first', '203.0.113.7'],
  ] as const)('are %s', (_, spec, line, forwarded, ip) => {
    expect(hitOf(spec, line, forwarded)).toMatchObject({ class: 'O', path: '/x', status: 404, ip, user: '' });
  });

  it.each(['combined', 'nginx-json'])('are not in %s', (spec) => {
    expect(() => compileFormat(spec, 'last')).toThrow(expect.objectContaining({ code: 'TIEUP_E_CONFIG' }));
  });
});

describe('times in a form of the server’s own', () => {
  const read = (spec: string, time: string, zone = '+0000') => {
    const { records } = scanLog(`192.0.2.1 ${time} "GET / HTTP/1.1" 200\n`, { spec: `%h ${spec} "%r" %>s`, zone });
    const [hit] = records.filter(({ class: kind }) => kind !== 'S');
    return hit?.class === 'X' ? 'unreadable' : `${hit?.time} ${hit?.zone} ${hit?.path} ${hit?.status}`;
  };

  it.each([
    ['%{%Y-%m-%dT%H:%M:%S%z}t', '2026-11-23T22:00:00+0500', '2026-11-23T17:00:00Z +0500'],
    ['[%{%Y-%m-%d %T}t]', '[2026-11-23 22:00:00]', '2026-11-23T22:00:00Z +0000'],
    // Nothing but its length says where this one ends.
    ['%{%F %T}t', '2026-11-23 22:00:00', '2026-11-23T22:00:00Z +0000'],
    ['[%{%d/%b/%Y:%H:%M:%S %z}t]', '[23/Nov/2026:22:00:00 -0330]', '2026-11-24T01:30:00Z -0330'],
    ['[%{%d/%b/%Y %T}t.%{msec_frac}t %{%z}t]', '[23/Nov/2026 22:00:00.123 +0100]', '2026-11-23T21:00:00.123Z +0100'],
    ['%{%FT%T}t.%{usec_frac}t%{%z}t', '2026-11-23T22:00:00.123456+0100', '2026-11-23T21:00:00.123Z +0100'],
    ['%{begin:%F_%T}t', '2026-11-23_22:00:00', '2026-11-23T22:00:00Z +0000'],
    ['[%{%c}t]', '[Mon Nov  3 22:00:00 2026]', '2026-11-03T22:00:00Z +0000'],
    ['[%{%D %r}t]', '[11/23/26 12:00:00 AM]', '2026-11-23T00:00:00Z +0000'],
    ['[%{%D %r}t]', '[11/23/26 12:00:00 PM]', '2026-11-23T12:00:00Z +0000'],
    ['[%{%A, %-d. %B %Y, %T %Z}t]', '[Monday, 3. November 2026, 22:00:00 GMT]', '2026-11-03T22:00:00Z +0000'],
    ['%{%s}t', '1795471200', '2026-11-23T22:00:00Z +0000'],
    ['%{%s}t.%{msec_frac}t', '1795471200.250', '2026-11-23T22:00:00.250Z +0000'],
    ['%t %{msec_frac}t', '[23/Nov/2026:22:00:00 +0000] 250', '2026-11-23T22:00:00Z +0000'],
  ])('%s reads %s', (spec, time, record) => {
    expect(read(spec, time)).toBe(`${record} / 200`);
  });

  it.each([
    ['%{%Y-%m-%dT%H:%M:%S%z}t', '2026-11-23T22:00:00 0500'],
    ['%{%Y-%m-%dT%H:%M:%S%z}t', '2026-02-30T22:00:00+0500'],
    ['%{%Y-%m-%dT%H:%M:%S%z}t', '2026-11-23T24:00:00+0500'],
    ['%{%Y-%m-%dT%H:%M:%S%z}t', '2026-11-23T22:00:60+0500'],
    ['%{%Y-%m-%dT%H:%M:%S%z}t', '2026-13-23T22:00:00+0500'],
    ['[%{%D %r}t]', '[11/23/26 13:00:00 PM]'],
    ['[%{%d/%b/%Y %T}t]', '[23/Nox/2026 22:00:00]'],
  ])('%s does not read %s', (spec, time) => {
    expect(read(spec, time)).toBe('unreadable');
  });

  it.each([
    ['+0100', '2026-07-01 12:00:00', '2026-07-01T11:00:00Z +0100'],
    ['Europe/Berlin', '2026-07-01 12:00:00', '2026-07-01T10:00:00Z +0200'],
    ['Europe/Berlin', '2026-11-23 12:00:00', '2026-11-23T11:00:00Z +0100'],
    ['Europe/Berlin', '2026-03-29 01:59:59', '2026-03-29T00:59:59Z +0100'],
    ['Europe/Berlin', '2026-03-29 03:00:00', '2026-03-29T01:00:00Z +0200'],
    // There is no such time on that day: the clock of the server was put forward by hand.
    ['Europe/Berlin', '2026-03-29 02:30:00', '2026-03-29T00:30:00Z +0200'],
    ['Europe/Berlin', '2026-10-25 01:59:59', '2026-10-24T23:59:59Z +0200'],
    // It is there twice.
    ['Europe/Berlin', '2026-10-25 02:30:00', '2026-10-25T00:30:00Z +0200'],
    ['Europe/Berlin', '2026-10-25 03:00:00', '2026-10-25T02:00:00Z +0100'],
    ['Australia/Lord_Howe', '2026-07-01 12:00:00', '2026-07-01T01:30:00Z +1030'],
    ['America/St_Johns', '2026-12-01 12:00:00', '2026-12-01T15:30:00Z -0330'],
  ])('of a server in %s, %s', (zone, time, record) => {
    expect(read('[%{%F %T}t]', `[${time}]`, zone)).toBe(`${record} / 200`);
  });

  it('any form reads what it wrote', () => {
    const forms = ['%F %T %z', '%d/%b/%Y:%T %z', '%s', '%c', '%D %r', '%Y%m%d%H%M%S', '%e. %B %y %k:%M:%S'];
    const written = (ms: number, form: string): string => {
      const at = new Date(ms);
      const two = (value: number): string => String(value).padStart(2, '0');
      const month = at.toLocaleString('en-US', { month: 'long', timeZone: 'UTC' });
      const parts: Record<string, string> = {
        F: at.toISOString().slice(0, 10),
        T: at.toISOString().slice(11, 19),
        z: '+0000',
        d: two(at.getUTCDate()),
        e: String(at.getUTCDate()).padStart(2),
        b: month.slice(0, 3),
        B: month,
        Y: String(at.getUTCFullYear()),
        y: two(at.getUTCFullYear() % 100),
        m: two(at.getUTCMonth() + 1),
        H: two(at.getUTCHours()),
        k: String(at.getUTCHours()).padStart(2),
        I: two(at.getUTCHours() % 12 || 12),
        M: two(at.getUTCMinutes()),
        S: two(at.getUTCSeconds()),
        p: at.getUTCHours() < 12 ? 'AM' : 'PM',
        s: String(ms / 1000),
        a: at.toLocaleString('en-US', { weekday: 'short', timeZone: 'UTC' }),
      };
      const long = form.replace('%c', '%a %b %e %T %Y').replace('%D', '%m/%d/%y').replace('%r', '%I:%M:%S %p');
      return long.replace(/%(.)/g, (_, letter: string) => parts[letter] ?? '?');
    };
    const second = fc.integer({ min: 0, max: 3_124_137_599 }).map((value) => value * 1000);
    fc.assert(
      fc.property(second, fc.constantFrom(...forms), (ms, form) => {
        const time = new Date(ms).toISOString().replace('.000Z', 'Z');
        expect(read(`[%{${form}}t]`, `[${written(ms, form)}]`)).toBe(`${time} +0000 / 200`);
      }),
    );
  });
});
