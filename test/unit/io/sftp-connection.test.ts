import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isTieupError, type TieupError } from '../../../src/errors.ts';
import { parseHostKey, sshFingerprint } from '../../../src/io/host-key.ts';
import { scanHostKey } from '../../../src/io/sftp-connection.ts';
import { sftpTree } from '../../../src/io/sftp-tree.ts';
import { embeddedSftp, seededSshKey, type EmbeddedSftp } from '../../support/embedded-sftp.ts';
import { realPart } from '../../support/real-parts.ts';

const logins: (readonly [string, boolean])[] = [];
const requests: string[] = [];
let sftp: EmbeddedSftp;

beforeEach(async () => {
  logins.length = 0;
  requests.length = 0;
  sftp = await embeddedSftp({
    onLogin: (user, accepted) => void logins.push([user, accepted]),
    faults: { onRequest: (_number, name) => void requests.push(name) },
  });
});
afterEach(() => sftp.dispose());

describe('the host key', () => {
  test('that is pinned lets the login go on', async () => {
    const { server } = await sftp.connect();
    expect(server).toEqual({
      software: 'tieup',
      posixRename: false,
      hardLink: false,
      fsync: false,
      inOrder: false,
    });
    expect(logins).toContainEqual(['main', true]);
  });

  test('may be one of several that are pinned', async () => {
    const other = seededSshKey('other').publicKey;
    await sftp.connect({ hostKeys: [other, `${sftp.server.hostKeyLine} a comment`] });
    expect(logins).toContainEqual(['main', true]);
  });

  test('that is another one ends with exit code 4, before a login or a request is sent', async () => {
    const pinned = seededSshKey('other').publicKey;
    const error = await failure(sftp.connect({ hostKeys: [pinned] }));
    expect([error.code, error.exitCode]).toEqual(['TIEUP_E_HOST_KEY', 4]);
    expect(error.message).toContain(sshFingerprint(parseHostKey(pinned).blob));
    expect(error.message).toContain(sshFingerprint(parseHostKey(sftp.server.hostKeyLine).blob));
    expect(logins).toEqual([]);
    expect(requests).toEqual([]);
  });

  test('of a type that the server does not have ends the same way', async () => {
    const rsa = Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from('ssh-rsa'), Buffer.alloc(40, 1)]);
    const error = await failure(sftp.connect({ hostKeys: [`ssh-rsa ${rsa.toString('base64')}`] }));
    expect([error.code, error.exitCode]).toEqual(['TIEUP_E_HOST_KEY', 4]);
    expect(logins).toEqual([]);
  });

  test('must be pinned at all', async () => {
    expect(await failure(sftp.connect({ hostKeys: [] }))).toMatchObject({ code: 'TIEUP_E_CONFIG' });
    expect(logins).toEqual([]);
  });

  test('can be asked for without a login', async () => {
    const address = { user: 'main', host: '127.0.0.1', port: sftp.server.port, path: '/' };
    expect(await scanHostKey(address, { timeoutMs: 10_000 })).toEqual([sftp.server.hostKeyLine]);
    expect(logins).toEqual([]);
  });
});

describe('the login', () => {
  test('is refused to a key that the server does not know, with exit code 4', async () => {
    const auth = { kind: 'key', privateKey: seededSshKey('stranger').privateKey } as const;
    const error = await failure(sftp.connect({ auth }));
    expect([error.code, error.exitCode]).toEqual(['TIEUP_E_LOGIN', 4]);
    expect(requests).toEqual([]);
  });

  test('is refused to a user whom the server does not know', async () => {
    for (const user of ['nobody', 'constructor', '__proto__']) {
      const address = { user, host: '127.0.0.1', port: sftp.server.port, path: '/' };
      expect(await failure(sftp.connect({ address }))).toMatchObject({ code: 'TIEUP_E_LOGIN' });
    }
    expect(logins.every(([, accepted]) => !accepted)).toBe(true);
  });

  test('works with an encrypted key and its password', async () => {
    const encrypted = encryptedKey('a good password');
    const other = await embeddedSftp({ users: { main: { publicKey: encrypted.public, writable: [] } } });
    try {
      const auth = { kind: 'key', privateKey: encrypted.private } as const;
      await other.connect({ auth: { ...auth, passphrase: 'a good password' } });
      expect(await failure(other.connect({ auth: { ...auth, passphrase: 'a bad one' } }))).toMatchObject({
        code: 'TIEUP_E_KEY',
        message: 'the password of the SSH key is wrong',
      });
      expect(await failure(other.connect({ auth }))).toMatchObject({ code: 'TIEUP_E_PASSWORD' });
    } finally {
      await other.dispose();
    }
  });

  test.each([
    ['nothing', ''],
    ['no key at all', 'hello'],
    ['a public key', seededSshKey('main').publicKey],
    ['half a key', seededSshKey('main').privateKey.slice(0, 200)],
  ])('with %s fails before anything is sent', async (_what, privateKey) => {
    expect(await failure(sftp.connect({ auth: { kind: 'key', privateKey } }))).toMatchObject({ code: 'TIEUP_E_KEY' });
    expect(logins).toEqual([]);
  });

  test('with an agent that is not there says so', async () => {
    const auth = { kind: 'agent', socket: join(sftp.root, 'no-agent') } as const;
    expect(await failure(sftp.connect({ auth }))).toMatchObject({ code: 'TIEUP_E_KEY', exitCode: 4 });
    expect(logins).toEqual([]);
  });
});

const agentPath = realPart('ssh-agent');
const addPath = realPart('ssh-add');

describe.skipIf(agentPath === undefined || addPath === undefined)('a real ssh-agent', () => {
  test('logs in with the key that is named by its fingerprint, and shows no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tieup-'));
    const socket = join(folder, 'agent');
    const agent = spawn(agentPath ?? '', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      // It tells its socket once it listens.
      await new Promise((resolve) => agent.stdout.once('data', resolve));
      for (const name of ['stranger', 'main']) {
        writeFileSync(join(folder, name), seededSshKey(name).privateKey, { mode: 0o600 });
        execFileSync(addPath ?? '', ['-q', join(folder, name)], { env: { SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
      }
      const fingerprint = sshFingerprint(parseHostKey(seededSshKey('main').publicKey).blob);
      await sftp.connect({ auth: { kind: 'agent', socket, fingerprint } });
      expect(logins.every(([, accepted]) => accepted)).toBe(true);
      await sftp.connect({ auth: { kind: 'agent', socket } });
      const absent = { kind: 'agent', socket, fingerprint: 'SHA256:absent' } as const;
      const error = await failure(sftp.connect({ auth: absent }));
      expect(error).toMatchObject({ code: 'TIEUP_E_KEY' });
      expect(error.message).toContain('SHA256:absent');
    } finally {
      agent.kill();
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the connection', () => {
  test('to a port where nobody listens is refused in plain words', async () => {
    const { port } = sftp.server;
    await sftp.server.close();
    const error = await failure(sftp.connect({ address: { user: 'main', host: '127.0.0.1', port, path: '/' } }));
    expect(error).toMatchObject({ code: 'TIEUP_E_CONNECTION', exitCode: 1 });
    expect(error.message).toContain('nothing listens there');
  });

  test.each([
    ['says nothing', '', 'did not answer in time', 200],
    ['is no SSH server', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'cannot connect', 20_000],
  ])('to a server that %s ends in time', async (_what, greeting, reason, timeoutMs) => {
    const silent = createServer((socket) => {
      socket.on('error', () => {});
      socket.resume();
      if (greeting !== '') socket.end(greeting);
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const to = { user: 'main', host: '127.0.0.1', port, path: '/' };
    const error = await failure(sftp.connect({ address: to, timeoutMs }));
    expect(error.code).toBe('TIEUP_E_CONNECTION');
    expect(error.message).toContain(reason);
    expect(await failure(scanHostKey(to, { timeoutMs }))).toMatchObject({ code: 'TIEUP_E_CONNECTION' });
    await new Promise((resolve) => silent.close(resolve));
  });

  test('is given up when the user interrupts, before and after the login', async () => {
    const before = AbortSignal.abort();
    expect(await failure(sftp.connect({ signal: before }))).toMatchObject({ code: 'TIEUP_E_INTERRUPTED' });
    expect(logins).toEqual([]);
    const controller = new AbortController();
    const tree = sftpTree(await sftp.connect({ signal: controller.signal }), '/');
    await tree.stat('a');
    controller.abort();
    expect(await failure(tree.stat('a'))).toMatchObject({ code: 'TIEUP_E_INTERRUPTED', exitCode: 130 });
  });

  test('refuses requests once it is closed, and may be closed twice', async () => {
    const connection = await sftp.connect();
    const tree = sftpTree(connection, '/');
    await tree.write('a', new Uint8Array([1]));
    await tree.close();
    await tree.close();
    expect(await failure(tree.read('a', 10))).toMatchObject({ code: 'TIEUP_E_CONNECTION' });
  });

  test('writes nothing to stdout or stderr', async () => {
    const written: unknown[] = [];
    const keep = (chunk: unknown): boolean => written.push(chunk) > 0;
    vi.spyOn(process.stdout, 'write').mockImplementation(keep);
    vi.spyOn(process.stderr, 'write').mockImplementation(keep);
    vi.spyOn(console, 'log').mockImplementation(keep);
    vi.spyOn(console, 'error').mockImplementation(keep);
    const tree = sftpTree(await sftp.connect(), '/');
    await tree.stat('a');
    await sftp.server.close();
    await failure(tree.stat('a'));
    vi.restoreAllMocks();
    expect(written).toEqual([]);
  });
});

async function failure(operation: Promise<unknown>): Promise<TieupError> {
  try {
    await operation;
  } catch (error) {
    if (isTieupError(error)) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

function encryptedKey(passphrase: string): { readonly private: string; readonly public: string } {
  return ssh2.utils.generateKeyPairSync('ed25519', { passphrase, cipher: 'aes256-ctr', rounds: 4 });
}
