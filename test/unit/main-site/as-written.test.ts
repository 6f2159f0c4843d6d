/** Reading where to log in without YAML: never other than YAML reads it, and often enough to be of use. */
import { describe, expect, test } from 'vitest';
import { parsePartnership } from '../../../src/config/partnership.ts';
import { parseMainSite } from '../../../src/config/main-site.ts';
import { areFoldersAsWritten, sftpAsWritten } from '../../../src/main-site/as-written.ts';
import { mainFixture } from '../../support/partnership-fixture.ts';

const HEAD = 'id: a\nname: A\nurl: https://a.example/\nmount: /m/\nperiod: { from: "2026-01-01" }\n';
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL7ysXmuk3q2VnW0avMVGt+tXWCSZkRqXLYc8DWr3hI7';
const BLOCK = `sftp:\n  url: sftp://main@a.example:2222/~/exchange\n  hostKeys:\n    - ${KEY} a.example\n`;

const read = (text: string) => parsePartnership(text, 'a.yaml').sftp;

describe('where to log in', () => {
  test('is read as tieup enroll writes it', async () => {
    const main = await mainFixture();
    await main.join('harbour');
    const text = new TextDecoder().decode(await main.site.files.read('partners/harbour.yaml', 1e6));
    expect(sftpAsWritten(text)).toEqual(parsePartnership(text, 'harbour.yaml').sftp);
    expect(sftpAsWritten(text)?.url).toBe('sftp://main@harbour.example/exchange');
  });

  test.each([
    ['with a comment above', `# sftp: old\n${HEAD}${BLOCK}`],
    [
      'with comments and empty lines in it',
      `${HEAD}${BLOCK.replace('  hostKeys', '\n  # theirs\n  hostKeys')}tags: [x]\n`,
    ],
    ['with a second key, less indented', `${HEAD}${BLOCK}    - ${KEY}\n`.replaceAll('    - ', '  - ')],
    ['in quotes', `${HEAD}${BLOCK.replace(/url: (.*)/, 'url: "$1"')}`],
    ['over the program ssh', `${HEAD}${BLOCK}  transport: ssh\n`],
    ['with nothing', HEAD],
    ['with null', `${HEAD}sftp: null\n`],
  ])('%s', (_, text) => {
    expect(sftpAsWritten(text)).toEqual(read(text));
    expect(sftpAsWritten(text)).not.toBeUndefined();
  });

  test.each([
    ['in one line', `${HEAD}sftp: { url: sftp://main@a.example/, hostKeys: [${KEY}] }\n`],
    ['with a comment behind it', `${HEAD}${BLOCK.replace('~/exchange', '~/exchange # new')}`],
    ['over two lines', `${HEAD}${BLOCK.replace('AAAAC3', '\n        AAAAC3')}`],
    ['by an alias', `${HEAD.replace('https:', '&url https:')}${BLOCK.replace(/url: .*/, 'url: *url')}`],
    [
      'with an escape',
      `${HEAD}${BLOCK.replace(/url: (.*)main/, 'url: "$1m\\u0061in"').replace('@a.example:2222/~/exchange', '')}`,
    ],
    ['twice', `${HEAD}${BLOCK}${BLOCK}`],
    ['as a quoted key', `${HEAD}"sftp":\n${BLOCK.slice(6)}`],
    ['with a tag', `${HEAD}${BLOCK.replace('sftp:\n', 'sftp: !!map\n')}`],
    ['behind the start of a document', `---\n${HEAD}${BLOCK}`],
    ['with line ends of Windows', `${HEAD}${BLOCK}`.replaceAll('\n', '\r\n')],
    ['with a second address', `${HEAD}${BLOCK}  url: sftp://main@b.example/\n`],
    ['without keys', `${HEAD}sftp:\n  url: sftp://main@a.example/\n`],
    ['with a field of a later version', `${HEAD}${BLOCK}  later: true\n`],
  ])('is left to YAML %s', (_, text) => {
    expect(sftpAsWritten(text)).toBeUndefined();
  });
});

describe('the folders of a main site', () => {
  const SITE = 'role: main\nsite:\n  name: N\n  url: https://n.example/\n';
  const of = (text: string) => parseMainSite(text, 'tieup.yaml').folders;

  test.each([
    SITE,
    `${SITE}folders:\n  keys: ../secret/keys\n`,
    `${SITE}folders:\n  partners: people\n  pages: texts\n`,
  ])('are those that are written', (text) => {
    expect(areFoldersAsWritten(text, of(text))).toBe(true);
    expect(areFoldersAsWritten(text, { ...of(text), partners: '.tieup/partners' })).toBe(false);
    expect(areFoldersAsWritten(text, { ...of(text), keys: '.tieup/keys' })).toBe(false);
  });

  test('are left to YAML in one line', () => {
    const text = `${SITE}folders: { partners: people }\n`;
    expect(areFoldersAsWritten(text, of(text))).toBe(false);
  });
});
