/** A visitor who knows the format of the log writes fields into it: what a hit says must be the server's word. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFormat, FORMAT_NAMES } from '../../../src/logs/format.ts';
import { scanLog } from '../../support/scanned-log.ts';

/** The record of one line, which a switch stands before. */
function only(line: string, spec: string) {
  const { records } = scanLog(`${line}\n`, { spec });
  expect(records).toHaveLength(2);
  return records[1];
}

describe('nginx JSON that the server did not escape', () => {
  const line = (agent: string, more = '') =>
    `{"time_iso8601":"2026-11-23T22:00:00+01:00","remote_addr":"203.0.113.9","request_uri":"/own","status":"404"${more},"http_user_agent":"${agent}"}`;

  it.each([
    ['path, address and status', 'x","request_uri":"/with-main/","remote_addr":"198.51.100.1","status":"200","z":"'],
    ['a name spelt with escapes', String.raw`x","request_\u0075ri":"/with-main/","z":"`],
    ['the whole request, beside the address that was asked for', 'x","request":"GET /with-main/ HTTP/1.1","z":"'],
    ['a request that goes on with the real address', 'x","request":"GET /with-main/?/own HTTP/1.1","z":"'],
    ['an object named twice', 'x","z":{"a":1,"a":2},"y":"'],
  ])('a user agent that brings %s makes the line X', (_, agent) => {
    expect(only(line(agent), 'nginx-json')?.class).toBe('X');
  });

  it.each([
    ['a name twice in different objects', ',"upstream":{"status":"1"},"other":[{"status":"2"},{"status":"3"}]'],
    ['colons, braces and quotes within texts', String.raw`,"note":"a\":\"b {\"status\":1} \\"`],
    ['the request beside its address', ',"request":"GET /own HTTP/1.1"'],
    ['the request in absolute form beside its address', ',"request":"GET http://a.example/own HTTP/1.1"'],
  ])('%s is no forgery', (_, more) => {
    expect(only(line('agent', more), 'nginx-json')).toMatchObject({ class: 'O', path: '/own', status: 404 });
  });

  it('whatever a user agent brings, the line is X or says what the server says', () => {
    const pieces = fc.constantFrom(
      '"',
      ',',
      ':',
      '{',
      '}',
      '\\',
      '"x":"',
      '","',
      '"request_uri":"/with-main/"',
      '"status":200',
      '"request":"GET /with-main/ HTTP/1.1"',
      '"remote_addr":"198.51.100.1"',
      '"time_iso8601":"2020-01-01T00:00:00Z"',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 10 }), (agent) => {
        const record = only(line(agent.join('')), 'nginx-json');
        const said = [record?.class, record?.time, record?.path, record?.status, record?.ip].join(' ');
        expect(['X', 'O 2026-11-23T21:00:00Z /own 404 203.0.113.0']).toContain(said.replace(/^X .*/, 'X'));
      }),
      { seed: 6, numRuns: 500 },
    );
  });

  it('any object of JSON with every name once is read', () => {
    const name = fc.string({ maxLength: 6 }).map((text) => `x${text}`);
    fc.assert(
      fc.property(fc.dictionary(name, fc.jsonValue()), (others) => {
        const value = { time_iso8601: '2026-11-23T22:00:00Z', request_uri: '/own', status: 200, ...others };
        expect(only(JSON.stringify(value), 'nginx-json')?.class).toBe('O');
      }),
      { seed: 5, numRuns: 100 },
    );
  });
});

describe('a format string with escape=none', () => {
  const spec = `log_format j escape=none '{"t":"$time_iso8601","a":"$http_user_agent","u":"$request_uri","s":$status,"x":"$http_x"}'`;
  const line = (agent: string, x = '-') =>
    `{"t":"2026-11-23T22:00:00+01:00","a":"${agent}","u":"/own","s":404,"x":"${x}"}`;

  it('reads what holds no quote of a visitor’s, backslashes too', () => {
    expect(only(line('C:\\x41'), spec)).toMatchObject({ class: 'O', path: '/own', status: 404, agent: 'C:\\x41' });
  });

  it.each(['x","u":"/with-main/","s":200,"x":"', 'x"', '"'])('a user agent %s makes the line X', (agent) => {
    expect(only(line(agent), spec)?.class).toBe('X');
    expect(only(line('-', agent), spec)?.class).toBe('X');
  });
});

describe('a field that a visitor can write blanks into', () => {
  it.each([
    ['$time_local $http_user_agent $request_uri', '$http_user_agent'],
    ['$time_local ${http_x} $request_uri', '${http_x}'],
    ['%t %{User-Agent}i %r', '%{User-Agent}i'],
    ['%t %m %U%q %>s', '%U%q'],
    ['$time_local $request_method $uri$is_args$args $status', '$uri$is_args$args'],
    ['$time_local "$http_user_agent" $request_uri', undefined],
    ['$time_local $request_uri $http_user_agent', undefined],
    ['$time_local\t$http_user_agent\t$request_uri', undefined],
    ['%h %l %u %t "%r" %>s %b', undefined],
  ])('is found in %s: %s', (spec, unquoted) => {
    expect(compileFormat(spec).unquoted).toBe(unquoted);
  });

  it('is in no format that has a name', () => {
    for (const name of FORMAT_NAMES) expect([name, compileFormat(name).unquoted]).toEqual([name, undefined]);
  });
});

describe('a format string in the shape of JSON', () => {
  const text = `{"t":"$time_iso8601","u":"$request_uri","s":$status,"a":"$http_user_agent"}`;
  const line = (agent: string) => `{"t":"2026-11-23T22:00:00+01:00","u":"/own","s":404,"a":"${agent}"}`;

  it.each([
    ['as nginx writes it unless told otherwise', String.raw`say \x22hi\x22 \xC3\xA9 \x5C`],
    ['as nginx writes it with escape=json', String.raw`say \"hi\" \u00e9 \\`],
  ])('without escape= is read %s', (_, agent) => {
    expect(only(line(agent), `log_format j '${text}'`)).toMatchObject({ class: 'O', agent: 'say "hi" é \\' });
    expect(only(line(agent), text)?.agent).toBe('say "hi" é \\');
  });
});
