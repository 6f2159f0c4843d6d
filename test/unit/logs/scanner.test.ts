/** What a log's lines become, whatever visitors, servers and rotations put into them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_LINE } from '../../../src/logs/line.ts';
import { compileFormat } from '../../../src/logs/format.ts';
import { createScanner, NO_LINES } from '../../../src/logs/scanner.ts';
import { liveFiles, saltOfDay, scanLog, textsOf, TIEUP_FILES } from '../../support/scanned-log.ts';

const HEAD = '192.0.2.1 - - [23/Nov/2026:22:00:00 +0000]';

function hit(request: string, rest = '200 1 "-" "agent"'): string {
  return `${HEAD} "${request}" ${rest}\n`;
}

function only(log: string | Uint8Array) {
  const { records, counts } = scanLog(log);
  expect(counts.lines).toBe(1);
  expect(records).toHaveLength(2);
  return records[1];
}

describe('every line becomes one record', () => {
  it.each([
    ['an empty line', '\n'],
    ['text', 'nginx: [emerg] bind() failed\n'],
    ['half a line', `${HEAD} "GET / HT\n`],
    ['a line with something behind it', hit('GET / HTTP/1.1', '200 1 "-" "agent" extra')],
    ['a time that does not exist', hit('GET / HTTP/1.1').replace('23/Nov', '31/Nov')],
    ['a leap second', hit('GET / HTTP/1.1').replace('22:00:00', '23:59:60')],
    ['one more quoted field', hit('GET / HTTP/1.1', '200 1 "-" "agent" "10.1.2.3"')],
    ['a status of letters', hit('GET / HTTP/1.1', 'abc 1 "-" "agent"')],
    ['a length with a sign', hit('GET / HTTP/1.1', '200 -1 "-" "agent"')],
    ['NUL bytes of a crash', `${'\0'.repeat(4096)}\n`],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x9f, 0x0a])],
  ])('%s is X', (_, log) => {
    expect(only(log)?.class).toBe('X');
  });

  it.each([
    ['an empty request', hit(''), { method: '', path: '', signals: [] }],
    ['a request that timed out', hit('-'), { method: '', path: '', signals: [] }],
    [
      'a TLS hello',
      hit(String.raw`\x16\x03\x01\x00\xEE`),
      { method: '', path: '\x16\x03\x01\x00\udcee', signals: ['t1/not-http'] },
    ],
    ['an HTTP/2 preface', hit('PRI * HTTP/2.0'), { method: 'PRI', path: '*', protocol: 'HTTP/2.0' }],
    [
      'an absolute address',
      hit('GET http://other.example/own?a HTTP/1.1'),
      { host: 'other.example', path: '/own', query: '' },
    ],
    ['a bare absolute address', hit('GET http://other.example HTTP/1.1'), { host: 'other.example', path: '/' }],
    ['a proxy request', hit('CONNECT mail.example:25 HTTP/1.1'), { method: 'CONNECT', path: 'mail.example:25' }],
    ['HTTP/0.9', hit('GET /own'), { method: 'GET', path: '/own', protocol: '' }],
    ['blanks in the address', hit('GET /a b c HTTP/1.1'), { path: '/a b c', protocol: 'HTTP/1.1' }],
    ['bad percent escapes', hit('GET /%zz%4%with-main/ HTTP/1.1'), { path: '/%zz%4%with-main/' }],
    ['quotes that Apache escapes', hit('GET / HTTP/1.1', String.raw`200 1 "-" "a \"b\" c"`), { agent: 'a "b" c' }],
    ['quotes that nobody escapes', hit('GET / HTTP/1.1', '200 1 "-" "a "b" c"'), { agent: 'a "b" c' }],
    ['an agent that ends in a backslash', hit('GET / HTTP/1.1', String.raw`200 1 "-" "a\\"`), { agent: 'a\\' }],
    [
      'a line end in a header',
      hit('GET / HTTP/1.1', String.raw`200 1 "-" "a\n192.0.2.9 - - [x] \"GET /with-main/"`),
      { agent: 'a\n192.0.2.9 - - [x] "GET /with-main/' },
    ],
    ['CRLF', hit('GET /own HTTP/1.1').replace('\n', '\r\n'), { path: '/own', agent: 'agent' }],
    ['invalid UTF-8', Buffer.from(hit('GET /\xff\xc0 HTTP/1.1'), 'latin1'), { path: '/\udcff\udcc0' }],
  ])('%s is O', (_, log, expected) => {
    expect(only(log)).toMatchObject({ class: 'O', time: '2026-11-23T22:00:00Z', ...expected });
  });

  it('a user name cannot forge the time', () => {
    const user = 'eve [01/Jan/2000:00:00:00 +0000] ';
    const log = `192.0.2.1 - ${user} [23/Nov/2026:22:00:00 +0000] "GET /own HTTP/1.1" 200 1 "-" "agent"\n`;
    expect(only(log)).toMatchObject({ class: 'O', time: '2026-11-23T22:00:00Z', path: '/own' });
  });

  it('a line of more than 4 KiB is one record with its values cut', () => {
    const record = only(hit(`GET /own?${'x'.repeat(60_000)} HTTP/1.1`, `404 1 "-" "${'a'.repeat(9000)}"`));
    expect(record).toMatchObject({ class: 'O', path: '/own', status: 404, signals: ['cut'] });
    expect(record?.agent).toHaveLength(512);
  });

  it('an endless line is one X, and the next line is read', () => {
    const endless = 'x'.repeat(MAX_LINE + 1);
    const { records, counts } = scanLog(`${endless}${endless}\n${hit('GET /own HTTP/1.1')}`);
    expect(counts).toMatchObject({ lines: 2, O: 1, X: 1 });
    expect(records[1]).toMatchObject({ seq: 1, class: 'X', path: 'x'.repeat(1024), signals: ['cut'] });
    expect(records[2]).toMatchObject({ seq: 2, class: 'O', path: '/own' });
  });

  it('time may go back, and clocks may change', () => {
    const times = ['25/Oct/2026:02:59:59 +0200', '25/Oct/2026:02:00:00 +0100', '24/Oct/2026:23:00:00 -0330'];
    const log = times.map((time) => `192.0.2.1 - - [${time}] "GET / HTTP/1.1" 200 1 "-" "-"\n`).join('');
    expect(
      scanLog(log)
        .records.slice(1)
        .map(({ time, zone }) => `${time} ${zone}`),
    ).toEqual(['2026-10-25T00:59:59Z +0200', '2026-10-25T01:00:00Z +0100', '2026-10-25T02:30:00Z -0330']);
  });
});

/** What servers and visitors write, and what they should not. */
const piece = fc.oneof(
  fc.constantFrom(
    '"',
    '\\',
    '\\"',
    '\\x22',
    ' ',
    ' [',
    '] "',
    '\r',
    '\0',
    '-',
    '%2e',
    '/',
    '//',
    '?',
    '\xff',
    'GET',
    ' HTTP/1.1',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('').replaceAll('\n', ''));
const anyLine = fc.oneof(
  text,
  fc
    .tuple(text, text, text)
    .map(
      ([user, request, agent]) => `192.0.2.1 - ${user} [23/Nov/2026:22:00:00 +0000] "${request}" 200 1 "-" "${agent}"`,
    ),
  fc
    .constantFrom('/with-main/', '/with-main//%2e/index.html?q', '/own')
    .map((path) => hit(`GET ${path} HTTP/1.1`).trimEnd()),
);
const anyLog = fc.array(anyLine, { maxLength: 20 });

describe('whatever a log holds', () => {
  it('T + O + X are its lines, and every record is a record', () => {
    fc.assert(
      fc.property(anyLog, (lines) => {
        const { records, counts } = scanLog(lines.map((line) => `${line}\n`).join(''));
        expect(counts.lines).toBe(lines.length);
        expect(counts.T + counts.O + counts.X).toBe(lines.length);
        expect(records.slice(1).map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1));
      }),
    );
  });

  it('the records do not depend on how it is cut into chunks', () => {
    fc.assert(
      fc.property(anyLog, fc.array(fc.nat(2000), { maxLength: 20 }), (lines, cuts) => {
        const log = lines.join('\n');
        expect(scanLog(log, { cuts }).texts).toEqual(scanLog(log).texts);
      }),
    );
  });

  it('every byte of a name that nobody may tell is gone', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{12,20}$/), fc.ipV4(), (secret, ip) => {
        const log = `${ip} - ${secret} [23/Nov/2026:22:00:00 +0000] "GET /own?token=${secret} HTTP/1.1" 200 1 "https://u:${secret}@a.example/${secret}" "-"\n`;
        const [, record = ''] = scanLog(`${log}`).texts;
        expect(record).toContain('https://a.example\t');
        expect(record).not.toContain(secret);
        expect(ip.endsWith('.0') || !record.includes(`\t${ip}\t`)).toBe(true);
      }),
    );
  });
});

describe('live switches', () => {
  const log = [hit('GET /page.html HTTP/1.1'), hit('GET /page.html HTTP/1.1'), hit('GET /page.html HTTP/1.1')];
  const length = (lines: number): number => Buffer.byteLength(log.slice(0, lines).join(''));
  const classes = (at: number): string => {
    const second = liveFiles(2, { 'page.html': 'page' });
    return scanLog(log.join(''), { switches: [{ at, files: second }] })
      .records.map((record) => record.class)
      .join('');
  };

  it('hold from the first line that starts at the noted length or behind it', () => {
    expect(classes(0)).toBe('SSTTT');
    expect(classes(length(1))).toBe('SOSTT');
    expect(classes(length(1) + 1)).toBe('SOOST');
    expect(classes(length(2) - 1)).toBe('SOOST');
    expect(classes(length(3))).toBe('SOOOS');
  });

  it('that lie behind what was read are left for the next run', () => {
    expect(classes(length(3) + 1)).toBe('SOOO');
  });

  it('stand in the tree of tie-up hits with the number of the line before them', () => {
    const { records } = scanLog(log.join(''), {
      switches: [{ at: length(1), files: liveFiles(2, { 'page.html': 'page' }) }],
    });
    expect(records[2]).toMatchObject({ class: 'S', seq: 1, method: 'LIVE', query: 'publication=2&release=2' });
  });

  it('cannot be forged by a request', () => {
    const { records } = scanLog(hit(`LIVE ${'ab'.repeat(32)}?publication=9&release=9 HTTP/1.1`));
    expect(records[1]).toMatchObject({ class: 'O', method: 'LIVE', query: '' });
  });

  it('are noted when another file of the log stands where other pages were live', () => {
    const scanner = createScanner({ saltOfDay });
    const format = compileFormat('combined');
    const [first, second] = [liveFiles(1, {}), liveFiles(2, { 'page.html': 'page' })];
    const batches = [];
    scanner.begin({ format, liveAtStart: first, switches: [{ at: length(1), files: second }] });
    batches.push(...scanner.push(Buffer.from(log.join(''))));
    scanner.end('take');
    scanner.begin({ format, liveAtStart: first, switches: [] });
    batches.push(...scanner.push(Buffer.from(log.join(''))));
    scanner.end('take');
    batches.push(...scanner.flush());
    expect(scanner.counts).toEqual({ lines: 6, T: 2, O: 4, X: 0, S: 3, G: 0 });
    expect(batches.flatMap(textsOf).filter((text) => text.includes('\tLIVE\t'))).toHaveLength(3);
  });
});

describe('reading on', () => {
  const log = Buffer.from(`${hit('GET /own HTTP/1.1')}${hit('GET /with-main/ HTTP/1.1')}${hit('GET /half HTTP/1.1')}`);

  it('half a last line is left for the next run, which goes on with the same numbers', () => {
    const format = compileFormat('combined');
    const once = scanLog(log).texts;
    for (const cut of [1, 40, 100, 150, 200, log.length - 1, log.length]) {
      const first = createScanner({ saltOfDay });
      first.begin({ format, liveAtStart: TIEUP_FILES });
      const batches = first.push(log.subarray(0, cut));
      const { position, lastLength } = first.end('leave');
      batches.push(...first.flush());
      expect(lastLength).toBe(position === 0 ? 0 : position - (log.lastIndexOf(0x0a, position - 2) + 1));
      const second = createScanner({ saltOfDay, counts: first.counts, publication: first.publication });
      second.begin({ format, position, liveAtStart: TIEUP_FILES });
      batches.push(...second.push(log.subarray(position)));
      second.end('take');
      batches.push(...second.flush());
      expect(batches.flatMap(textsOf).toSorted()).toEqual(once.toSorted());
      expect(batches.filter(({ tree }) => tree === 'T').map(({ first: index }) => index)[0]).toBe(0);
      expect(second.counts).toEqual({ ...NO_LINES, lines: 3, T: 1, O: 2, S: 1 });
    }
  });

  it('W3C logs are read on with the fields of their last directive', () => {
    const format = compileFormat('iis');
    const first = createScanner({ saltOfDay });
    first.begin({ format });
    first.push(Buffer.from('#Fields: date time c-ip cs-method cs-uri-stem sc-status\r\n'));
    const { directive, position } = first.end('leave');
    const second = createScanner({ saltOfDay, counts: first.counts });
    second.begin({ format, directive, position });
    second.push(Buffer.from('2026-11-23 22:00:02 192.0.2.1 GET /own 404\r\n'));
    second.end('leave');
    expect(second.counts).toMatchObject({ lines: 2, O: 1, X: 1 });
  });

  it('a gap that the manager accepted is a record in the tree of tie-up hits', () => {
    const scanner = createScanner({ saltOfDay });
    scanner.gap('2026-11-24T00:00:00Z', 'access.log', 'rotated away');
    const [batch] = scanner.flush();
    expect(batch?.tree).toBe('T');
    expect(batch === undefined ? [] : textsOf(batch)[0]).toContain('G\t-\tGAP\taccess.log\trotated away\t');
    expect(scanner.counts).toEqual({ ...NO_LINES, G: 1 });
  });
});
