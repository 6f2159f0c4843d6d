import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { knownHostKeys } from '../../../src/io/known-hosts.ts';
import { seededSshKey } from '../../support/embedded-sftp.ts';

const [KEY = '', OTHER = ''] = ['one', 'other'].map((name) =>
  seededSshKey(name).publicKey.split(' ').slice(0, 2).join(' '),
);
const SHOP = { host: 'shop.example', port: 22 };

function hashed(name: string): string {
  const salt = Buffer.from('twenty bytes of salt');
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

describe('known_hosts', () => {
  it.each([
    ['a name', `shop.example ${KEY} a comment`],
    ['one of several', `192.0.2.1,Shop.Example ${KEY}`],
    ['a pattern', `*.example ${KEY}`],
    ['a hashed name', `${hashed('shop.example')} ${KEY}`],
    ['the second file', `# none here\n\nelsewhere.example ${OTHER}\nshop.example ${KEY}`],
  ])('knows a server by %s', (_, text) => {
    expect(knownHostKeys(['', text], SHOP)).toEqual([KEY]);
  });

  it('knows a server on another port by its name in brackets alone', () => {
    const other = { host: 'shop.example', port: 2222 };
    expect(knownHostKeys([`[shop.example]:2222 ${KEY}\nshop.example ${OTHER}`], other)).toEqual([KEY]);
    expect(knownHostKeys([`${hashed('[shop.example]:2222')} ${KEY}`], other)).toEqual([KEY]);
    expect(knownHostKeys([`[shop.example]:2222 ${KEY}`], SHOP)).toEqual([]);
  });

  it.each([
    ['another name', `shop.example.org ${KEY}`],
    ['a dot that is no dot', `shopxexample ${KEY}`],
    ['an exception', `*.example,!shop.example ${KEY}`],
    ['a certificate authority', `@cert-authority *.example ${KEY}`],
    ['a line that is cut off', `shop.example ${KEY.slice(0, -7)}`],
    ['a type that is unknown here', 'shop.example ssh-dss AAAAB3NzaC1kc3M='],
    ['no key', 'shop.example'],
  ])('does not take %s for the server', (_, text) => {
    expect(knownHostKeys([text], SHOP)).toEqual([]);
  });

  it('knows all of its keys but those that are revoked', () => {
    const text = `shop.example ${KEY}\nshop.example ${OTHER}\n@revoked * ${OTHER}`;
    expect(knownHostKeys([text], SHOP)).toEqual([KEY]);
  });

  it('refuses a server whose keys are all revoked', () => {
    expect(() => knownHostKeys([`shop.example ${KEY}\n@revoked shop.example ${KEY}`], SHOP)).toThrow(
      'is marked as revoked',
    );
  });
});
