/** `tieup join` as its manager types it: what is wrong is said before anything is made. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { wordsIn } from '../support/cli-partnership.ts';
import { invited, MADE, type Invited } from '../support/invited-partner.ts';
import { sshFingerprint, parseHostKey } from '../../src/io/host-key.ts';
import { seededSshKey } from '../support/embedded-sftp.ts';

const made = (shop: Invited): readonly string[] => MADE.filter((path) => existsSync(shop.at(path)));

test('what is wrong on the command line of join is named and leaves nothing; then both sides show the same words', async () => {
  const shop = await invited();
  for (const [flags, exitCode, why] of [
    [['--url', 'harbour.example'], 78, '"harbour.example" is not the address of a site'],
    [['--url', 'ftp://harbour.example/'], 78, 'is not the address of a site'],
    [['--url', 'https://me:you@harbour.example/'], 78, 'is not the address of a site'],
    [['--sftp', 'harbour.example:/exchange'], 78, 'is not of the form sftp://user@host:port/path'],
    [['--host-key', 'harbour.example'], 78, 'the host key "harbour.example"'],
    [['--exchange', 'public/exchange'], 78, 'unconfirmed pages would be served'],
    [['--publish', 'sometimes'], 64, 'sometimes'],
    [['--yes', 'babal babal babal babal babal babal'], 5, 'nothing was made'],
  ] as const) {
    const ended = await shop.join('--no-kit', ...flags);
    expect([flags, ended.exitCode, ended.stderr]).toEqual([flags, exitCode, expect.stringContaining(why)]);
    expect([flags, ended.stdout, made(shop)]).toEqual([flags, '', []]);
  }

  // Then it shows the terms, the words and the host key, and enroll shows the words that it printed.
  const { exitCode, stdout, stderr } = await shop.join('--no-kit', '--url', 'https://harbour.example');
  expect(exitCode).toBe(0);
  expect(stderr).toContain('its pages live at:   /with-northwind-coffee/');
  expect(stderr).toContain(`the main site reads six words to you. They must be:\n  ${shop.words}\n`);
  const { blob } = parseHostKey(seededSshKey('shop').publicKey);
  expect(stderr).toContain(`from --host-key:\n  ED25519 ${sshFingerprint(blob)}`);
  expect(stdout).toContain('restrict,command="internal-sftp" ssh-ed25519 ');
  expect(await readFile(shop.at('tieup.yaml'), 'utf8')).toContain('url: "https://harbour.example/"');

  const enroll = ['-C', 'main', 'enroll', '../shop/harbour.answer'];
  const asked = await shop.run(enroll);
  expect([asked.exitCode, asked.stderr]).toEqual([64, expect.stringContaining(`  ${wordsIn(stdout)}\n`)]);
  expect(asked.stderr).toContain(`ED25519 ${sshFingerprint(blob)}`);
  const confused = await shop.run([...enroll, '--yes', shop.words]);
  expect([confused.exitCode, confused.stderr]).toEqual([5, expect.stringContaining('nothing was recorded')]);
  const enrolled = await shop.run([...enroll, '--yes', wordsIn(stdout)]);
  expect([enrolled.exitCode, enrolled.stdout]).toEqual([0, expect.stringContaining('is your partner')]);
});
