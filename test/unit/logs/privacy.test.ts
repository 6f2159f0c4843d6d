/** What leaves of a visitor, under each policy. */
import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress, shownAddress } from '../../../src/logs/address.ts';
import { DEFAULT_PRIVACY, keptQuery, type Privacy } from '../../../src/logs/privacy.ts';
import { saltOfDay, scanLog, type ScanSetting } from '../../support/scanned-log.ts';

function record(
  line: { ip?: string; time?: string; target?: string; referrer?: string; user?: string },
  setting: ScanSetting = {},
) {
  const { ip = '192.0.2.77', time = '23/Nov/2026:22:00:00 +0000', target = '/own', referrer = '-', user = '-' } = line;
  const log = `${ip} - ${user} [${time}] "GET ${target} HTTP/1.1" 200 1 "${referrer}" "-"\n`;
  return scanLog(log, setting).records[1];
}

const under = (policy: Partial<Privacy>): ScanSetting => ({ privacy: { ...DEFAULT_PRIVACY, ...policy } });

describe('addresses', () => {
  it.each([
    ['192.0.2.77', '192.0.2.0'],
    ['192.0.2.77:50123', '192.0.2.0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::'],
    ['2001:DB8:1::6', '2001:db8:1::'],
    ['[2001:db8:1::6]:443', '2001:db8:1::'],
    ['2001:db8::6', '2001:db8::'],
    ['fe80::1%eth0', 'fe80::'],
    ['::1', '::'],
    ['2002:cb00:7107::1', '2002:cb00:7100::'],
    ['2002:CB00:7107:1:2:3:4:5', '2002:cb00:7100::'],
    ['2001:cb00:7107::1', '2001:cb00:7107::'],
    ['::ffff:192.0.2.77', '192.0.2.0'],
    ['::FFFF:c000:24d', '192.0.2.0'],
    ['64:ff9b::192.0.2.77', '64:ff9b::'],
    ['host.example', ''],
    ['unix:', ''],
    ['999.0.2.1', ''],
    ['1:2:3:4:5:6:7', ''],
    ['1::2::3', ''],
  ])('%s is shown as %j', (text, shown) => {
    expect(shownAddress(text, 'truncate')).toBe(shown);
    expect(record({ ip: text })?.ip).toBe(shown);
  });

  it('are whole or gone when the policy says so', () => {
    expect(record({}, under({ address: 'full' }))?.ip).toBe('192.0.2.77');
    expect(record({}, under({ address: 'drop' }))).toMatchObject({
      ip: '',
      visitor: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });

  it('any two addresses of a network look the same, whatever their spelling', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const address = parseAddress(text);
        expect(address).toBeDefined();
        const shown = shownAddress(text, 'truncate');
        const kept = address?.length === 4 ? 3 : address?.[0] === 0x20 && address[1] === 0x02 ? 5 : 6;
        expect(parseAddress(shown)?.subarray(0, kept)).toEqual(address?.subarray(0, kept));
        expect(
          parseAddress(shown)
            ?.subarray(kept)
            .every((byte) => byte === 0),
        ).toBe(true);
      }),
    );
  });
});

describe('visitors', () => {
  const pseudonym = (day: string, address: readonly number[]): string =>
    createHmac('sha256', saltOfDay(day)).update(Uint8Array.from(address)).digest('hex').slice(0, 16);

  it('are the HMAC of the whole address under the salt of the day in UTC', () => {
    expect(record({ time: '23/Nov/2026:22:00:00 +0000' })?.visitor).toBe(pseudonym('2026-11-23', [192, 0, 2, 77]));
    expect(record({ time: '24/Nov/2026:02:00:00 +0500' })?.visitor).toBe(pseudonym('2026-11-23', [192, 0, 2, 77]));
    expect(record({ time: '23/Nov/2026:20:00:00 -0500' })?.visitor).toBe(pseudonym('2026-11-24', [192, 0, 2, 77]));
  });

  it('are the same for both spellings of an address', () => {
    expect(record({ ip: '::ffff:192.0.2.77' })?.visitor).toBe(record({})?.visitor);
    expect(record({ ip: '2001:db8:0::1' })?.visitor).toBe(record({ ip: '2001:DB8::0001' })?.visitor);
  });

  it('are nobody once the salt is destroyed, or when the policy has none', () => {
    expect(record({}, { saltOfDay: () => undefined })?.visitor).toBe('');
    expect(record({}, under({ visitor: 'none' }))?.visitor).toBe('');
  });

  it('stay apart, day by day, in a log of many', () => {
    const hosts = Array.from({ length: 500 }, (_, host) => host);
    const line = (host: number, day: number): string =>
      `10.0.${host >> 8}.${host & 255} - - [${day}/Nov/2026:22:00:00 +0000] "GET /own HTTP/1.1" 200 1 "-" "-"\n`;
    const log = [23, 24, 25, 23, 24].flatMap((day) => hosts.map((host) => line(host, day))).join('');
    const { records } = scanLog(log);
    expect(new Set(records.slice(1).map(({ visitor }) => visitor)).size).toBe(1500);
    expect(records[2001]?.visitor).toBe(
      records[1]?.visitor === undefined ? '' : pseudonym('2026-11-24', [10, 0, 0, 0]),
    );
    expect(records[1501]?.visitor).toBe(pseudonym('2026-11-23', [10, 0, 0, 0]));
  });
});

describe('queries, referrers and users', () => {
  it('only parameters on the list stay', () => {
    const setting = under({ query: ['utm_source', 'a b'] });
    expect(record({ target: '/own?token=1&utm_source=x%20y&a+b=2&UTM_SOURCE=3&utm_source' }, setting)?.query).toBe(
      'utm_source=x%20y&a+b=2&utm_source',
    );
    expect(record({ target: '/own?token=1' })?.query).toBe('');
    expect(keptQuery('a=1&%zz=2', new Set(['%zz']))).toBe('%zz=2');
  });

  it.each([
    ['q=1;token=secret', 'q=1'],
    ['q=1?token=secret', 'q=1'],
    ['q=1#secret', 'q=1'],
    ['q;token=secret', 'q'],
    ['token=secret;q=1', ''],
    ['q=a%3Bb+c&x=1&q=', 'q=a%3Bb+c&q='],
  ])('of %s there stays %j', (query, kept) => {
    expect(keptQuery(query, new Set(['q']))).toBe(kept);
    expect(record({ target: `/own?${query}` }, under({ query: ['q'] }))?.query).toBe(kept);
  });

  it.each([
    ['https://www.google.com/search?q=illness', 'https://www.google.com'],
    ['http://a.example:8080?x', 'http://a.example:8080'],
    ['https://a.example#x', 'https://a.example'],
    ['https://user:password@a.example/x', 'https://a.example'],
    ['https://user@x@a.example/x', 'https://a.example'],
    ['android-app://com.google.android.gm/', 'android-app://com.google.android.gm'],
    ['/relative?secret', ''],
    ['mailto:somebody@a.example', ''],
    ['https://', ''],
    ['https://www.google.com:443/', 'https://www.google.com:443'],
    ['HTTPS://A.example', 'HTTPS://A.example'],
    ['http://user:password@[2001:db8::1]:8080/x', 'http://[2001:db8::1]:8080'],
    ['http://my_shop.example\\\\x', 'http://my_shop.example'],
    ['https://medium.example/@bob/x', 'https://medium.example'],
    ['https://user:secret', ''],
    ['https://user:secret/x@a.example/', ''],
    ['https://a.example%2Fpath%3Ftoken=secret', ''],
    ['https://a.example;token=secret', ''],
    ['https://a.example secret more', ''],
    ['https://a.example:8080;secret', ''],
    ['https://a.example:secret@', ''],
    ['javascript://%0asecret', ''],
    ['ftp://a.example/', ''],
    [`https://${'u'.repeat(1100)}:secret@a.example/`, 'https://a.example'],
    [`https://${'u'.repeat(300)}`, ''],
    ['-', ''],
  ])('the referrer %s is cut to %j', (referrer, origin) => {
    expect(record({ referrer })?.referrer).toBe(origin);
  });

  it('the referrer and the user are told or not as the policy says', () => {
    expect(record({ referrer: 'https://a.example/x?y' }, under({ referrer: 'full' }))?.referrer).toBe(
      'https://a.example/x?y',
    );
    expect(record({ referrer: 'https://a.example/x?y' }, under({ referrer: 'drop' }))?.referrer).toBe('');
    expect(record({ user: 'frank' })?.user).toBe('');
    expect(record({ user: 'frank miller' }, under({ user: 'keep' }))?.user).toBe('frank miller');
  });
});
