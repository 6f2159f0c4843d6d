/** The embedded server's jail, attacked through raw requests, past what the client side would refuse. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startSftpServer } from '../../../src/io/sftp-server.ts';
import type { SftpSession } from '../../../src/io/sftp-session.ts';
import { hasStatus, STATUS } from '../../../src/io/sftp-session.ts';
import { embeddedSftp, seededSshKey, type EmbeddedSftp } from '../../support/embedded-sftp.ts';

let sftp: EmbeddedSftp;
let session: SftpSession;
let outside: string;

beforeEach(async () => {
  sftp = await embeddedSftp({
    users: { main: { publicKey: seededSshKey('main').publicKey, writable: ['exchange/inbox'] } },
  });
  for (const folder of ['exchange/inbox', 'exchange/inboxes', 'exchange/outbox']) {
    mkdirSync(join(sftp.root, folder), { recursive: true });
  }
  writeFileSync(join(sftp.root, 'exchange/outbox/decision'), 'signed');
  outside = `${sftp.root}-outside`;
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  ({ session } = await sftp.connect());
});
afterEach(async () => {
  await sftp.dispose();
  rmSync(outside, { recursive: true });
});

describe('a login of the embedded server', () => {
  test('writes where it may, and reads the rest', async () => {
    const handle = await session.open('/exchange/inbox/a', 'wx', 0o644);
    await session.write(handle, Buffer.from('hello'), 0);
    await session.close(handle);
    expect(readFileSync(join(sftp.root, 'exchange/inbox/a'), 'utf8')).toBe('hello');
    const reading = await session.open('/exchange/outbox/decision', 'r', 0);
    const buffer = Buffer.alloc(10);
    expect(await session.read(reading, buffer, 0)).toBe(6);
    expect(await session.read(reading, buffer, 6)).toBe(0);
    await session.close(reading);
  });

  test('changes nothing elsewhere', async () => {
    const wrong = [
      () => session.open('/exchange/outbox/new', 'wx', 0o644),
      () => session.open('/exchange/inboxes/new', 'wx', 0o644),
      () => session.open('/exchange/inbox/../outbox/new', 'wx', 0o644),
      () => session.remove('/exchange/outbox/decision'),
      () => session.rename('/exchange/outbox/decision', '/exchange/inbox/stolen'),
      () => session.makeFolder('/exchange/new'),
      () => session.removeFolder('/exchange/inbox'),
      () => session.removeFolder('/exchange/inboxes'),
      () => session.symlink('/exchange/outbox', '/exchange/link'),
    ];
    for (const attempt of wrong) expect(await statusOf(attempt())).toBe(STATUS.PERMISSION_DENIED);
    expect(readdirSync(join(sftp.root, 'exchange')).sort()).toEqual(['inbox', 'inboxes', 'outbox']);
    expect(readdirSync(join(sftp.root, 'exchange/outbox'))).toEqual(['decision']);
    expect(readdirSync(join(sftp.root, 'exchange/inbox'))).toEqual([]);
  });

  test('does not get out through dots', async () => {
    const name = outside.slice(outside.lastIndexOf('/') + 1);
    expect(await session.realPath('/../../..')).toBe('/');
    expect(await statusOf(session.open(`/../${name}/secret`, 'r', 0))).toBe(STATUS.NO_SUCH_FILE);
    expect(await statusOf(session.lstat(`/exchange/../../${name}`))).toBe(STATUS.NO_SUCH_FILE);
  });

  test('does not get out through links, not even those it makes itself', async () => {
    await session.symlink(outside, '/exchange/inbox/out');
    await session.symlink('../../../../../../../../etc/passwd', '/exchange/inbox/passwd');
    await session.symlink('../outbox', '/exchange/inbox/to-outbox');
    symlinkSync(outside, join(sftp.root, 'exchange/outbox/out'));
    for (const path of ['/exchange/inbox/out/secret', '/exchange/outbox/out/secret', '/exchange/inbox/passwd']) {
      expect(await statusOf(session.open(path, 'r', 0))).toBe(STATUS.NO_SUCH_FILE);
    }
    expect(await statusOf(session.openFolder('/exchange/inbox/out'))).toBe(STATUS.NO_SUCH_FILE);
    expect(await statusOf(session.open('/exchange/inbox/out/new', 'wx', 0o644))).toBe(STATUS.NO_SUCH_FILE);
    expect(await statusOf(session.remove('/exchange/inbox/to-outbox/decision'))).toBe(STATUS.PERMISSION_DENIED);
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(existsSync(join(sftp.root, 'exchange/outbox/decision'))).toBe(true);
  });

  test('cannot rename over what is there: SFTP 3 has no such thing', async () => {
    writeFileSync(join(sftp.root, 'exchange/inbox/a'), 'a');
    writeFileSync(join(sftp.root, 'exchange/inbox/b'), 'b');
    expect(await statusOf(session.rename('/exchange/inbox/a', '/exchange/inbox/b'))).toBe(STATUS.FAILURE);
    expect(readFileSync(join(sftp.root, 'exchange/inbox/b'), 'utf8')).toBe('b');
  });
});

describe('the embedded server', () => {
  test.each([
    ['host key', 'hello', seededSshKey('main').publicKey],
    ['key of main', seededSshKey('host').privateKey, 'ssh-ed25519 hello'],
  ])('does not start with a %s that cannot be read', async (what, hostKey, publicKey) => {
    const starting = startSftpServer({ root: sftp.root, hostKey, users: { main: { publicKey, writable: [] } } });
    await expect(starting).rejects.toMatchObject({ code: 'TIEUP_E_CONFIG', message: `the ${what} cannot be read` });
  });

  test('says when its port is taken', async () => {
    const { port } = sftp.server;
    const starting = startSftpServer({ root: sftp.root, hostKey: seededSshKey('host').privateKey, users: {}, port });
    await expect(starting).rejects.toMatchObject({ code: 'TIEUP_E_CONNECTION' });
  });
});

async function statusOf(operation: Promise<unknown>): Promise<number | undefined> {
  try {
    await operation;
    return undefined;
  } catch (error) {
    if (hasStatus(error)) return error.status;
    throw error;
  }
}
