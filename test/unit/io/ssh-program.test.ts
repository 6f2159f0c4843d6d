/** SFTP over the program `ssh`: to the pinned server or to none, with certificates, which ssh2 cannot use. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isBrokenLine } from '../../../src/io/broken-line.ts';
import { loginToPartner, type PartnerLogin } from '../../../src/io/partner-login.ts';
import { connectBySshProgram } from '../../../src/io/ssh-program.ts';
import { sftpTree } from '../../../src/io/sftp-tree.ts';
import { seededSshKey } from '../../support/embedded-sftp.ts';
import { cuttingProxy } from '../../support/cutting-proxy.ts';
import { realPart } from '../../support/real-parts.ts';
import { startSshd, type Sshd } from '../../support/sshd.ts';

const sshdPath = realPart('sshd');

describe.skipIf(sshdPath === undefined)('the program ssh', () => {
  let sshd: Sshd;
  /** With the key that is let in, one that a certificate vouches for, and one of a stranger. */
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tieup-'));
    for (const name of ['ca', 'certified', 'stranger']) keyAt(name, 'ssh', seededSshKey(name));
    sshd = await startSshd(sshdPath ?? '', [`TrustedUserCAKeys ${join(folder, 'ca/ssh.pub')}`]);
    keyAt('known', 'ssh', sshd.key);
    const sign = ['-q', '-s', join(folder, 'ca/ssh.key'), '-I', 'tieup', '-n', sshd.user];
    execFileSync('ssh-keygen', [...sign, join(folder, 'certified/ssh.pub')]);
  });
  afterAll(async () => {
    await sshd.dispose();
    rmSync(folder, { recursive: true });
  });

  function keyAt(of: string, name: string, key: { readonly privateKey: string; readonly publicKey: string }): void {
    const at = join(folder, of);
    mkdirSync(at, { recursive: true, mode: 0o700 });
    writeFileSync(join(at, `${name}.key`), key.privateKey, { mode: 0o600 });
    writeFileSync(join(at, `${name}.pub`), `${key.publicKey}\n`, { mode: 0o600 });
  }

  const loginWith = (
    keys: string,
    {
      transport = 'ssh' as const,
      hostKey = sshd.hostKeyLine,
    }: { transport?: 'ssh' | undefined; hostKey?: string } = {},
  ): PartnerLogin => ({
    partner: {
      id: 'harbour',
      sftp: { url: `sftp://${sshd.user}@127.0.0.1:${sshd.port}/~/exchange`, hostKeys: [hostKey], transport },
    },
    // Nobody's agent and nobody's secrets.
    environment: { PATH: process.env['PATH'], TIEUP_PASSWORD: 'secret' },
    keyFolder: join(folder, keys),
    generation: 1,
    password: async () => '',
    timeoutMs: 20_000,
    signal: new AbortController().signal,
  });

  test('carries what a tree needs, and leaves no file of its own behind', async () => {
    const temporary = join(folder, 'temporary');
    mkdirSync(temporary);
    vi.stubEnv('TMPDIR', temporary);
    const connection = await loginToPartner(loginWith('known'));
    const tree = sftpTree(connection, connection.address.path);
    const content = Buffer.alloc(3_000_000, 'content');
    await tree.write('inbox/pack', content);
    expect(readFileSync(join(sshd.folder, 'exchange/inbox/pack')).equals(content)).toBe(true);
    expect(Buffer.from(await tree.read('inbox/pack', 4_000_000)).equals(content)).toBe(true);
    await tree.rename('inbox/pack', 'inbox/other');
    expect((await tree.list('inbox')).map(({ name }) => name)).toEqual(['other']);
    await expect(tree.read('inbox/pack', 10)).rejects.toMatchObject({ code: 'TIEUP_E_NOT_FOUND' });
    await tree.remove('inbox/other');
    await tree.close();
    await tree.close();
    await expect(tree.stat('inbox')).rejects.toMatchObject({ code: 'TIEUP_E_CONNECTION' });
    expect(readdirSync(temporary)).toEqual([]);
    vi.unstubAllEnvs();
  });

  test('does not log in at a server with another host key than the pinned one', async () => {
    const accepted = (): number => sshd.log().split('Accepted publickey').length;
    const before = accepted();
    const hostKey = seededSshKey('another host').publicKey;
    const login = loginToPartner(loginWith('known', { hostKey }));
    await expect(login).rejects.toMatchObject({ code: 'TIEUP_E_HOST_KEY', exitCode: 4 });
    expect(accepted()).toBe(before);
  });

  test('is refused with a key that nobody knows', async () => {
    await expect(loginToPartner(loginWith('stranger'))).rejects.toMatchObject({ code: 'TIEUP_E_LOGIN', exitCode: 4 });
  });

  test('logs in with a certificate, of which ssh2 says that it cannot', async () => {
    const connection = await loginToPartner(loginWith('certified'));
    expect((await connection.session.lstat('.')).isDirectory()).toBe(true);
    await connection.close();
    const without = loginWith('certified');
    const { sftp } = without.partner;
    const partner = { id: 'harbour', sftp: { url: sftp?.url ?? '', hostKeys: sftp?.hostKeys ?? [] } };
    await expect(loginToPartner({ ...without, partner })).rejects.toMatchObject({
      code: 'TIEUP_E_LOGIN',
      hint: expect.stringMatching(
        /ssh-cert\.pub lies beside the key.*transport: ssh under sftp in partners\/harbour\.yaml/,
      ),
    });
  });

  test('that ends in the middle is a line that was cut', async () => {
    const line = await cuttingProxy(sshd.port, Number.POSITIVE_INFINITY);
    const login = loginWith('known');
    const { sftp } = login.partner;
    const url = `sftp://${sshd.user}@127.0.0.1:${line.port}`;
    const connection = await loginToPartner({ ...login, partner: { id: 'harbour', sftp: sftp && { ...sftp, url } } });
    await connection.session.lstat('.');
    await line.close();
    const failed = await connection.session.lstat('.').catch((error: unknown) => error);
    expect(isBrokenLine(failed)).toBe(true);
    await connection.close();
  });

  test('that is not installed, or that the user interrupts, is told in plain words', async () => {
    const { port, hostKeyLine, user } = sshd;
    const address = { user, host: '127.0.0.1', port, path: '~' };
    const options = { address, hostKeys: [hostKeyLine], keyFiles: [], environment: {}, timeoutMs: 20_000 };
    const missing = connectBySshProgram({ ...options, program: '/nowhere/ssh' });
    await expect(missing).rejects.toMatchObject({ code: 'TIEUP_E_CONFIG' });
    const signal = AbortSignal.abort();
    await expect(connectBySshProgram({ ...options, signal })).rejects.toMatchObject({ code: 'TIEUP_E_INTERRUPTED' });
  });
});
