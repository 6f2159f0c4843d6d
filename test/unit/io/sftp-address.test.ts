import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTieupError } from '../../../src/errors.ts';
import { parseSftpAddress, renderSftpAddress } from '../../../src/io/sftp-address.ts';

describe('an SFTP address', () => {
  test.each([
    ['sftp://main@partner.example/srv/site', { user: 'main', host: 'partner.example', port: 22, path: '/srv/site' }],
    ['sftp://main@partner.example:2222/', { user: 'main', host: 'partner.example', port: 2222, path: '/' }],
    ['sftp://main@partner.example', { user: 'main', host: 'partner.example', port: 22, path: '~' }],
    ['sftp://main@partner.example/~', { user: 'main', host: 'partner.example', port: 22, path: '~' }],
    ['sftp://main@partner.example/~/www/', { user: 'main', host: 'partner.example', port: 22, path: '~/www' }],
    ['sftp://u@192.0.2.7:22/a', { user: 'u', host: '192.0.2.7', port: 22, path: '/a' }],
    ['sftp://u@[2001:DB8::1]:22/a', { user: 'u', host: '2001:db8::1', port: 22, path: '/a' }],
    ['sftp://u%40example.com@Host/a%20b/%C3%BC', { user: 'u@example.com', host: 'host', port: 22, path: '/a b/ü' }],
  ])('%s is understood', (text, address) => {
    expect(parseSftpAddress(text)).toEqual(address);
  });

  test.each([
    ['', 'the form'],
    ['http://u@host/', 'the form'],
    ['sftp:/u@host/', 'the form'],
    ['sftp://host/a', 'no user name'],
    ['sftp://@host/a', 'no user name'],
    ['sftp://-oProxyCommand=x@host/a', 'odd user name'],
    ['sftp://u%0a@host/a', 'odd user name'],
    ['sftp://u;reboot@host/a', 'odd user name'],
    ['sftp://$(reboot)@host/a', 'odd user name'],
    ['sftp://u%60reboot%60@host/a', 'odd user name'],
    ['sftp://u%20-oProxyCommand=x@host/a', 'odd user name'],
    ["sftp://u'@host/a", 'odd user name'],
    ['sftp://SHOP%5Cu@host/a', 'odd user name'],
    ['sftp://%C3%BC@host/a', 'odd user name'],
    ['sftp://u@ho;st/a', 'host name'],
    ['sftp://u@$(reboot)/a', 'host name'],
    ['sftp://u@/a', 'host name'],
    ['sftp://u@-host/a', 'host name'],
    ['sftp://u@ho_st/a', 'host name'],
    ['sftp://u@[::g]/a', 'IPv6'],
    ['sftp://u@[fe80::1%25eth0]/a', 'IPv6'],
    ['sftp://u@host:0/a', 'port'],
    ['sftp://u@host:65536/a', 'port'],
    ['sftp://u@host:022/a', 'port'],
    ['sftp://u@host:/a', 'port'],
    ['sftp://u@host/a//b', 'empty component'],
    ['sftp://u@host/a/../b', '".."'],
    ['sftp://u@host/a/%2e%2e/b', '".."'],
    ['sftp://u@host/./b', '"."'],
    ['sftp://u@host/a%00b', 'not allowed'],
    ['sftp://u@host/a\\b', 'not allowed'],
    ['sftp://u@host/a?b', '%3F'],
    ['sftp://u@host/a#b', '%23'],
    ['sftp://u@host/%zz', 'percent-encoded'],
    ['sftp://u@host/%ff', 'percent-encoded'],
  ])('%j is refused', (text, reason) => {
    const error = refusal(text);
    expect(error.code).toBe('TIEUP_E_CONFIG');
    expect(error.message).toContain(reason);
  });

  test('with a password is refused, without repeating the password', () => {
    const error = refusal('sftp://main:geheim@host/a');
    expect(error.message).toContain('password');
    expect(`${error.message} ${error.hint}`).not.toContain('geheim');
  });

  test('is read back as it was written', () => {
    const component = fc
      .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
      .filter((text) => !/[/\\\p{Cc}]/u.test(text) && !['.', '..', '~'].includes(text) && text.isWellFormed());
    const path = fc.oneof(
      fc.constantFrom('/', '~'),
      fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
      fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => `~/${parts.join('/')}`),
    );
    const address = fc.record({
      user: fc.stringMatching(/^[A-Za-z0-9._@+][A-Za-z0-9._@+-]{0,11}$/),
      host: fc.constantFrom('host', 'a.b-c.example', '192.0.2.1', '::1', '2001:db8::ff'),
      port: fc.integer({ min: 1, max: 65_535 }),
      path,
    });
    fc.assert(
      fc.property(address, (value) => {
        expect(parseSftpAddress(renderSftpAddress(value))).toEqual(value);
      }),
    );
  });
});

function refusal(text: string): { code: string; message: string; hint: string | undefined } {
  try {
    parseSftpAddress(text);
  } catch (error) {
    if (isTieupError(error)) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(text)} was not refused`);
}
