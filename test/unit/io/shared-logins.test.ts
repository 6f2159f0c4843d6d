/** Many partners at one server: one connection for those with the same login, and a few connections to a host at a time. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isBrokenLine } from '../../../src/io/broken-line.ts';
import { loginToPartner, type PartnerLogin } from '../../../src/io/partner-login.ts';
import { sharedLogins, type SharedLogins } from '../../../src/io/shared-logins.ts';
import type { SftpConnection } from '../../../src/io/sftp-connection.ts';
import { sftpTree } from '../../../src/io/sftp-tree.ts';
import { embeddedSftp, seededSshKey, type EmbeddedSftp } from '../../support/embedded-sftp.ts';

let sftp: EmbeddedSftp | undefined;
let logins: SharedLogins | undefined;
afterEach(async () => {
  await logins?.close();
  await sftp?.dispose();
  logins = sftp = undefined;
});

interface Scene {
  readonly logins: SharedLogins;
  /** Connections that were made, in order. */
  readonly made: readonly SftpConnection[];
  /** Most connections at a time. */
  readonly most: () => number;
  readonly to: (id: string, change?: { readonly user?: string; readonly hostKeys?: readonly string[] }) => PartnerLogin;
}

async function scene(
  options: Parameters<typeof embeddedSftp>[0] & { readonly perHost?: number; readonly idleMs?: number } = {},
): Promise<Scene> {
  const { perHost, idleMs, ...server } = options;
  const publicKey = seededSshKey('main').publicKey;
  const users = Object.fromEntries(['main', 'a', 'b', 'c'].map((user) => [user, { publicKey, writable: [''] }]));
  const running = (sftp = await embeddedSftp({ users, ...server }));
  for (const id of ['alpha', 'beta', 'gamma']) {
    mkdirSync(join(running.root, id));
    writeFileSync(join(running.root, id, 'name'), id);
  }
  const made: SftpConnection[] = [];
  let open = 0;
  let most = 0;
  const login = async (to: PartnerLogin): Promise<SftpConnection> => {
    most = Math.max(most, (open += 1));
    const connection = await loginToPartner(to).catch((error: unknown) => {
      open -= 1;
      throw error;
    });
    made.push(connection);
    return {
      ...connection,
      close: async () => {
        open -= 1;
        await connection.close();
      },
    };
  };
  const opened = (logins = sharedLogins({
    login,
    ...(perHost === undefined ? {} : { perHost }),
    ...(idleMs === undefined ? {} : { idleMs }),
  }));
  return {
    logins: opened,
    made,
    most: () => most,
    to: (id, { user = 'main', hostKeys = [running.server.hostKeyLine] } = {}) => ({
      partner: { id, sftp: { url: `sftp://${user}@127.0.0.1:${running.server.port}/${id}`, hostKeys } },
      environment: { TIEUP_KEY_SSH: seededSshKey('main').privateKey },
      keyFolder: '/nowhere',
      password: async () => '',
      timeoutMs: 20_000,
      signal: new AbortController().signal,
    }),
  };
}

async function nameAt(connection: SftpConnection): Promise<string> {
  return Buffer.from(await sftpTree(connection, connection.address.path).read('name', 100)).toString();
}

describe('partners with the same login', () => {
  test('share one connection, at the same time and in turn, and each sees its own folder', async () => {
    const { logins: shared, made, to } = await scene();
    const three = await Promise.all(['alpha', 'beta', 'gamma'].map((id) => shared.connect(to(id))));
    expect(await Promise.all(three.map(nameAt))).toEqual(['alpha', 'beta', 'gamma']);
    await Promise.all(three.map((each) => each.close()));
    const again = await shared.connect(to('beta'));
    expect(await nameAt(again)).toBe('beta');
    expect(made).toHaveLength(1);
  });

  test('do not share it with whoever has pinned another host key: that one is refused', async () => {
    const { logins: shared, to } = await scene();
    await shared.connect(to('alpha'));
    const other = shared.connect(to('beta', { hostKeys: [seededSshKey('another host').publicKey] }));
    await expect(other).rejects.toMatchObject({ code: 'TIEUP_E_HOST_KEY' });
  });

  test('get the same refusal from one attempt, and another attempt later', async () => {
    const { logins: shared, made, to } = await scene();
    const stranger = (id: string) => ({
      ...to(id),
      environment: { TIEUP_KEY_SSH: seededSshKey('stranger').privateKey },
    });
    const both = await Promise.allSettled(['alpha', 'beta'].map((id) => shared.connect(stranger(id))));
    expect(both).toMatchObject([{ reason: { code: 'TIEUP_E_LOGIN' } }, { reason: { code: 'TIEUP_E_LOGIN' } }]);
    expect(made).toHaveLength(0);
    expect(await nameAt(await shared.connect(to('alpha')))).toBe('alpha');
  });
});

describe('what goes wrong for one of them', () => {
  test('a refusal is its own: the others go on over the same connection', async () => {
    const { logins: shared, made, to } = await scene();
    const [alpha, beta] = await Promise.all([shared.connect(to('alpha')), shared.connect(to('beta'))]);
    const missing = sftpTree(alpha, alpha.address.path).read('not-there', 10);
    await expect(missing).rejects.toMatchObject({ code: 'TIEUP_E_NOT_FOUND' });
    expect(await nameAt(beta)).toBe('beta');
    expect(made).toHaveLength(1);
  });

  test('leaving in the middle ends its own requests alone, and its open files are given back', async () => {
    const closed: string[] = [];
    const onRequest = (_: number, name: string): void => void (name === 'CLOSE' && closed.push(name));
    const { logins: shared, to } = await scene({ faults: { onRequest } });
    const [alpha, beta] = await Promise.all([shared.connect(to('alpha')), shared.connect(to('beta'))]);
    await alpha.session.open('/alpha/name', 'r', 0);
    const late = [alpha.session.open('/alpha/name', 'r', 0), alpha.session.lstat('/alpha')];
    await alpha.close();
    for (const each of await Promise.allSettled(late))
      expect(each).toMatchObject({ reason: { code: 'TIEUP_E_CONNECTION' } });
    await expect(alpha.session.lstat('/alpha')).rejects.toMatchObject({ code: 'TIEUP_E_CONNECTION' });
    expect(await nameAt(beta)).toBe('beta');
    // Whatever was asked before has been answered with this.
    await beta.session.lstat('/beta');
    // Two of alpha's, one of beta's.
    expect(closed).toHaveLength(3);
  });

  test('a connection that breaks ends all, and from then on each gets one of its own', async () => {
    const { logins: shared, made, to } = await scene({ faults: { dropAtRequest: 1 } });
    const both = await Promise.all([shared.connect(to('alpha')), shared.connect(to('beta'))]);
    const ended = await Promise.allSettled(both.map(nameAt));
    for (const each of ended) {
      const reason: unknown = each.status === 'rejected' ? each.reason : undefined;
      expect(isBrokenLine(reason)).toBe(true);
    }
    // Each is told of its own address, whoever opened the line.
    expect(ended).toMatchObject([
      { reason: { message: expect.stringMatching(/\/alpha\b(?!.*beta)/) } },
      { reason: { message: expect.stringMatching(/\/beta\b(?!.*alpha)/) } },
    ]);
    await Promise.all(both.map((each) => each.close()));
    await Promise.all([shared.connect(to('alpha')), shared.connect(to('beta'))]);
    expect(made).toHaveLength(3);
  });

  test('a connection that broke while nobody used it is replaced', async () => {
    const { logins: shared, made, to } = await scene();
    await (await shared.connect(to('alpha'))).close();
    await made[0]?.close();
    expect(await nameAt(await shared.connect(to('beta')))).toBe('beta');
    expect(made).toHaveLength(2);
  });
});

describe('connections to one host', () => {
  test('are never more than so many at a time; one that nobody uses makes room at once', async () => {
    const { logins: shared, made, most, to } = await scene({ perHost: 2, idleMs: 600_000 });
    const served = ['a', 'b', 'c', 'a', 'b', 'c'].map(async (user) => {
      const connection = await shared.connect(to('alpha', { user }));
      const name = await nameAt(connection);
      await connection.close();
      return name;
    });
    expect(await Promise.all(served)).toEqual(served.map(() => 'alpha'));
    expect(most()).toBe(2);
    expect(made.length).toBeLessThanOrEqual(6);
  });

  test('that fail give their place back', async () => {
    const { logins: shared, to } = await scene({ perHost: 1 });
    const nobody = [to('alpha', { user: 'nobody' }), to('alpha', { user: 'nemo' })];
    for (const each of await Promise.allSettled(nobody.map((login) => shared.connect(login))))
      expect(each).toMatchObject({ reason: { code: 'TIEUP_E_LOGIN' } });
    expect(await nameAt(await shared.connect(to('alpha')))).toBe('alpha');
  });

  test('are refused to whoever still waits when all is over', async () => {
    const { logins: shared, to } = await scene({ perHost: 1 });
    await shared.connect(to('alpha', { user: 'a' }));
    const waiting = shared.connect(to('beta', { user: 'b' }));
    const [refused] = await Promise.allSettled([waiting, shared.close()]);
    expect(refused).toMatchObject({ reason: { code: 'TIEUP_E_INTERRUPTED' } });
  });
});
