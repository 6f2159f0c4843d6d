/** What the policy drops is in no record, whatever became of the line. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFormat, FORMAT_NAMES } from '../../../src/logs/format.ts';
import { HitReader } from '../../../src/logs/hit-reader.ts';
import { createWindow } from '../../../src/logs/lines.ts';
import { DEFAULT_PRIVACY, redactLine } from '../../../src/logs/privacy.ts';
import { scanLog, type ScanSetting } from '../../support/scanned-log.ts';

const TIME = '[23/Nov/2026:22:00:00 +0000]';
const IIS =
  '#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status\n';
const CLOUDFRONT =
  '#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query\n';

/** A form of line with places for what may not leave: `S`; `R` is the request, `Z` what spoils the line. */
const FORMS: readonly { readonly spec: string; readonly before?: string; readonly form: string }[] = [
  { spec: 'combined', form: `192.0.2.7 - S ${TIME} "R" 200 1 "F" "agent"Z` },
  { spec: 'combined', form: `192.0.2.7 S S x S [Z] ${TIME} "R" 200Z 1 "F" "agent"` },
  { spec: 'combined', form: `192.0.2.7 - S ${TIME} "R" 2Z00 1 "F"` },
  { spec: 'common', form: `192.0.2.7 - S [31/Feb/2026:22:00:00 +0000] "R" 200 1Z` },
  { spec: 'vhost-combined', form: `a.example:443 192.0.2.7 - S ${TIME} "R" 200 1 "F" "agent" Z` },
  { spec: 'nginx-main', form: `192.0.2.7 - S ${TIME} "R" 200 1 "F" "agent" "-Z` },
  {
    spec: 'nginx-json',
    form: '{"time_iso8601":"2026-11-23T22:00:00Z","remote_user":"S","request":"R","args":"token=S&q=S","http_referer":"F"Z',
  },
  {
    spec: 'caddy',
    form: '{"ts":"Z","user_id":"S","request":{"method":"GET","uri":"/a?token=S","headers":{"Referer":["F"],"S":["S"]}}}',
  },
  {
    spec: 'iis',
    before: IIS,
    form: '2026-11-23 22:00:00 10.0.0.1 GET /a token=S&S 443 DOM\\S 192.0.2.7 agent F 200 Z',
  },
  { spec: 'iis', before: IIS, form: '2026-11-23 22:00:00 10.0.0.1 GET /a S 443 S 192.0.2.7 agent F Z' },
  {
    spec: 'cloudfront',
    before: CLOUDFRONT,
    form: '2026-11-23\t22:00:00\tFRA56\t1\t192.0.2.7\tGET\th.example\t/a\t200\tF\tagent\ttoken=S&S\tZ',
  },
];

const REQUESTS = [
  'GET /a?token=S HTTP/1.1',
  'GET /a?S HTTP/1.1',
  'GET /a?q=1;token=S HTTP/1.1',
  'GET /a?q=1?token=S HTTP/1.1',
  'GET /a?q=1#S HTTP/1.1',
  'GET /a#token=S HTTP/1.1',
  'M-SEARCH /x?token=S HTTP/1.1',
  'VERSION-CONTROL /x?token=S HTTP/1.1',
  'GET_ME /a?token=S',
  'A2 /a?token=S HTTP/1.1',
  `${'X'.repeat(40)} /a?token=S HTTP/1.1`,
  '/a?token=S',
  'token=S&user=S',
  'user S',
  'Cookie: S',
  '{"a": "S"}',
  'GET http://u:S@h.example/a?token=S HTTP/1.1',
  'GET http://u:S/x@h.example/ HTTP/1.1',
  'GET ftp+x://u:S@h.example/a?token=S HTTP/1.1',
  'CONNECT u:S@h.example:443 HTTP/1.1',
  'GET token=S HTTP/1.1',
  'GET user S HTTP/1.1',
  'GET user&S HTTP/1.1',
];

const REFERRERS = [
  'https://user:S',
  'https://u:S@r.example/S?S#S',
  'https://S@r.example',
  'https://r.example%2Fpath%3Ftoken=S',
  'https://r.example;token=S',
  'https://r.example:8080;S',
  'https://r.example S more',
  'javascript://%0aS',
  'S://r.example/',
  `https://${'u'.repeat(1100)}:S@r.example/`,
  `https://${'S'.repeat(100)}:x@r.example/`,
  'https://r.example/S/S?S',
  'S',
];

const SPOILS = ['', ' extra', '"', ' "', '\\', 'x', ' "GET /a?', '[', '{', '}'];

const secret = fc.oneof(fc.stringMatching(/^[b-wyz]{12,16}$/), fc.stringMatching(/^[2-9]{12,16}$/));
const anyForm = fc.record({
  form: fc.constantFrom(...FORMS),
  request: fc.constantFrom(...REQUESTS),
  referrer: fc.constantFrom(...REFERRERS),
  spoil: fc.constantFrom(...SPOILS),
  cut: fc.option(fc.nat(300)),
});

const DROPS: ScanSetting = { privacy: { ...DEFAULT_PRIVACY, query: ['q'] } };

describe('what the policy drops', () => {
  it('is in no record of any class', () => {
    fc.assert(
      fc.property(anyForm, secret, ({ form: { spec, before = '', form }, request, referrer, spoil, cut }, word) => {
        const line = form
          .replace('Z', spoil)
          .replaceAll(/\bR\b/g, request)
          .replaceAll(/\bF\b/g, referrer)
          // What stands in it as a query parameter that is kept may stay.
          .replaceAll(/q=S/g, 'z=S')
          .replaceAll('S', (_, at: number, whole: string) => (isMark(whole, at) ? word : 'S'));
        const { texts } = scanLog(`${before}${line.slice(0, cut ?? undefined)}\n`, { ...DROPS, spec });
        expect(texts.join('\n')).not.toContain(word);
      }),
      { seed: 11, numRuns: 400 },
    );
  });

  it.each(REQUESTS)('is not in the record of the request %s', (request) => {
    const { texts, counts } = scanLog(
      `192.0.2.7 - - ${TIME} "${request.replaceAll('S', (_, at: number) => (isMark(request, at) ? 'opensesame' : 'S'))}" 200 1 "-" "-"\n`,
      DROPS,
    );
    expect(counts.O).toBe(1);
    expect(texts[1]).not.toContain('opensesame');
  });
});

/** True for an `S` that is none of a word such as `POST`. */
function isMark(text: string, at: number): boolean {
  return !/[A-Z]/.test(text[at - 1] ?? '') && !/[A-Z]/.test(text[at + 1] ?? '');
}

describe('requests that are no usual ones', () => {
  const only = (request: string) => scanLog(`192.0.2.7 - - ${TIME} "${request}" 200 1 "-" "-"\n`).records[1];

  it.each([
    ['M-SEARCH * HTTP/1.1', { method: 'M-SEARCH', path: '*', protocol: 'HTTP/1.1', signals: [] }],
    ['VERSION-CONTROL /with-main/ HTTP/1.1', { class: 'T', method: 'VERSION-CONTROL', path: '/with-main/' }],
    ['GET_ME /a?token=S', { method: 'GET_ME', path: '/a' }],
    ['GET /with-main/#top HTTP/1.1', { class: 'T', path: '/with-main/', query: '' }],
    ['SSH-2.0-Go', { method: '', path: 'SSH-2.0-Go', signals: ['t1/not-http'] }],
    ['SSH-2.0-libssh 0.9', { method: '', path: 'SSH-2.0-libssh', signals: ['t1/not-http'] }],
    ['/with-main/?a', { class: 'O', method: '', path: '/with-main/', signals: ['t1/not-http'] }],
    ['GET ftp+x://h.example/a HTTP/1.1', { host: 'h.example', path: '/a' }],
    ['CONNECT u:x@h.example:443 HTTP/1.1', { path: 'h.example:443' }],
    ['GET http://[2001:db8::1]:8080/own HTTP/1.1', { host: '[2001:db8::1]:8080', path: '/own' }],
    // A host that is none must not make the site's own of it: neither as a hit, nor for whoever looks at the record.
    ['GET http://u:p/with-main/ HTTP/1.1', { class: 'O', host: 'invalid', path: '/with-main/' }],
    ['GET http://a;b/with-main/ HTTP/1.1', { class: 'O', host: 'invalid', path: '/with-main/' }],
  ])('%s', (request, expected) => {
    expect(only(request)).toMatchObject(expected);
  });
});

describe('a line that nobody can read', () => {
  it.each([
    [
      `192.0.2.77 - bob ${TIME} "GET /a/b.html?token=x&y HTTP/1.1" 200 512 "https://u:p@r.example/p" "Mozilla/5.0" x`,
      `111.0.1.11 - xxx ${TIME} "GET /a/b.html?xxxxxxxxx HTTP/1.1" 111 111 "xxxxx://x:xxx.xxxxxxx/x" "xxxxxxx/1.0" x`,
    ],
    ['2001:db8::9 v1.2.3 \\x22 \\n \x00\xff=&', '1111:xx1::1 x1.1.1 \\x11 \\n xxxx'],
    [
      '{"status":"007","secret":null,"request":"POST /a HTTP/2.0","time":"2026-11-23T22:00:00+01:00"',
      '{"status":"011","xxxxxx":null,"request":"POST /a HTTP/2.0","time":"2026-11-23T22:00:00+01:00"',
    ],
    ['"GET /one "GET /two', '"GET /one "xxx /xxx'],
    ['"GET /one%3Ftoken=a;b HTTP/1.1', '"GET /onex1xxxxxxxxxx xxxx/1.1'],
    ['"FETCH /one', '"xxxxx /xxx'],
  ])('leaves as its form: %s', (line, form) => {
    expect(redactLine(line)).toBe(form);
  });

  it('is shown with its address under no policy', () => {
    const privacy = { ...DEFAULT_PRIVACY, address: 'full', user: 'keep', referrer: 'full' } as const;
    expect(scanLog('192.0.2.77 nonsense\n', { privacy }).records[1]?.path).toBe('111.0.1.11 xxxxxxxx');
  });

  it('that is about a W3C log itself stays whole, but for what no server writes', () => {
    const { records } = scanLog(`${IIS}#Remark: bob\n`, { spec: 'iis' });
    expect(records.slice(1).map(({ path }) => path)).toEqual([IIS.trimEnd(), 'xxxxxxx: xxx']);
  });

  const formats = FORMAT_NAMES.filter((name) => name !== 'iis' && name !== 'cloudfront');
  const window = createWindow();
  const readers = formats.map((name) => new HitReader(window, { format: compileFormat(name), zone: '+0000' }));
  /** The formats that read the line. */
  const readAs = (line: string) =>
    formats.filter((_, at) => {
      window.bytes.write(line, 0, 'latin1');
      return readers[at]?.read(0, line.length) === 'hit';
    });
  const bits = fc.array(
    fc.constantFrom(
      '192.0.2.7',
      ' ',
      ' - ',
      '-',
      TIME,
      '[31/Nov/2026:22:00:00 +0000]',
      '"',
      '" ',
      ' "',
      '"GET /a?b HTTP/1.1"',
      '200',
      '007',
      '1',
      '"-"',
      '\\"',
      '\\',
      'x',
      'a.example:443 ',
      '\xff',
      '\x16',
      '" "',
      '[',
      '] ',
    ),
    { maxLength: 12 },
  );
  const hit = fc
    .tuple(fc.constantFrom('', 'a.example:443 '), bits, bits, fc.constantFrom('200', '20', '-', 'abc'), bits)
    .map(
      ([host, user, request, status, agent]) =>
        `${host}192.0.2.7 - ${user.join('')} ${TIME} "${request.join('')}" ${status} 17 "-" "${agent.join('')}"`,
    );
  const json = fc
    .record(
      {
        time_iso8601: fc.constantFrom('2026-11-23T22:00:00+01:00', '2026-13-23T22:00:00+01:00', 'x'),
        request: fc.constantFrom('GET /a HTTP/1.1', '', 'GET /b?"c HTTP/1.1'),
        request_uri: fc.constantFrom('/a', '/b?"c', ''),
        status: fc.constantFrom('200', '20', 200, 'abc'),
        bytes: fc.constantFrom(0, 12, '007', '-1'),
        msec: fc.constantFrom(1795467600.123, '1795467600.123'),
        own: fc.constantFrom(null, true, 'text', -1.5, ['a']),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value));

  it('is as unreadable by its form, and one that can be read shows that it can', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          bits.map((all) => all.join('')),
          hit,
          json,
        ),
        (line) => {
          const form = redactLine(line);
          expect(form).toHaveLength(line.length);
          expect(readAs(form)).toEqual(readAs(line));
        },
      ),
      { seed: 12, numRuns: 2000 },
    );
  });
});
