/** Where `join` has the host key from, and what the manager is shown to compare. */
import { describe, expect, test } from 'vitest';
import type { Context } from '../../../src/cli/command-context.ts';
import { createContext } from '../../../src/cli/context.ts';
import { findHostKeys, hostKeysText } from '../../../src/cli/host-keys.ts';
import { createOutput } from '../../../src/cli/output.ts';
import { TieupError } from '../../../src/errors.ts';
import { describeHostKey, parseHostKey } from '../../../src/io/host-key.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { readOwnHostKeys } from '../../../src/io/own-host-keys.ts';
import { seededSshKey } from '../../support/embedded-sftp.ts';
import { fakeTerminal } from '../../support/fake-terminal.ts';

const ADDRESS = 'sftp://main@shop.example/exchange';
const [shop, thief] = [seededSshKey('shop').publicKey, seededSshKey('thief').publicKey];
const withoutComment = (line: string): string => line.split(' ').slice(0, 2).join(' ');

/** A machine whose server shows `shown`, and which holds the key files `own`. */
async function machine(shown: string, own: Readonly<Record<string, string>> = {}): Promise<Context> {
  const terminal = fakeTerminal();
  const output = createOutput(terminal, { json: false, quiet: false, colour: false });
  const ssh = memoryTree('ssh');
  for (const [name, text] of Object.entries(own)) await ssh.write(name, Buffer.from(text));
  return {
    ...createContext(
      terminal,
      { json: false, quiet: false, colour: false, folder: undefined, site: undefined },
      output,
    ),
    scanHostKey: async () => [withoutComment(shown)],
    ownHostKeys: () => readOwnHostKeys(ssh),
  };
}

describe('the host key in the answer', () => {
  test('is the one of the command line, whoever answers at the address', async () => {
    const found = await findHostKeys(await machine(thief), ADDRESS, [`  ${shop}  `]);
    expect(found).toMatchObject({ source: 'flag', lines: [withoutComment(shop)] });
    expect(hostKeysText(found)).toBe(
      `The host key of your server, from --host-key:\n  ${describeHostKey(parseHostKey(shop))}`,
    );
  });

  test('is known when this machine is the server', async () => {
    const own = {
      'ssh_host_ed25519_key.pub': `${shop}\n`,
      ssh_host_ed25519_key: 'secret',
      'ssh_host_rsa_key.pub': 'x',
    };
    const found = await findHostKeys(await machine(shop, own), ADDRESS, undefined);
    expect(found.source).toBe('this-machine');
    expect(hostKeysText(found)).toContain('from /etc/ssh/ssh_host_ed25519_key.pub on this machine');
  });

  test('has to be compared when it came over the network, all the more when this machine has others', async () => {
    const alone = await findHostKeys(await machine(thief), ADDRESS, undefined);
    expect(alone.source).toBe('network');
    expect(hostKeysText(alone)).toContain('ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub');
    expect(hostKeysText(alone)).not.toContain('this machine');
    const own = { 'ssh_host_ed25519_key.pub': shop };
    const between = await findHostKeys(await machine(thief, own), ADDRESS, undefined);
    expect(between.source).toBe('network');
    expect(hostKeysText(between)).toContain('none of those of this machine');
  });

  test('is refused when the command line gives something else', async () => {
    await expect(findHostKeys(await machine(shop), ADDRESS, ['shop.example'])).rejects.toMatchObject({
      code: 'TIEUP_E_CONFIG',
    });
  });

  test('can be given when the server cannot be reached from here', async () => {
    const away = {
      ...(await machine(shop)),
      scanHostKey: async () => Promise.reject(new TieupError('TIEUP_E_CONNECTION', 'nothing listens there')),
    };
    await expect(findHostKeys(away, ADDRESS, undefined)).rejects.toMatchObject({
      code: 'TIEUP_E_CONNECTION',
      hint: expect.stringContaining('--host-key'),
    });
  });
});
