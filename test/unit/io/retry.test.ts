/** Connecting again, and when not. */
import { connect, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { isTieupError, TieupError } from '../../../src/errors.ts';
import { loginToPartner, type PartnerLogin } from '../../../src/io/partner-login.ts';
import { withRetries } from '../../../src/io/retry.ts';
import { embeddedSftp, seededSshKey, type EmbeddedSftp } from '../../support/embedded-sftp.ts';

let sftp: EmbeddedSftp | undefined;
let door: Server | undefined;
afterEach(async () => {
  await new Promise((resolve) => (door === undefined ? resolve(undefined) : door.close(resolve)));
  await sftp?.dispose();
  door = sftp = undefined;
});

/** A login through a door that turns the first `refusals` callers away, as sshd does with more than it takes at once. */
async function behindDoor(refusals: number, changes: Partial<PartnerLogin> = {}) {
  const server = (sftp = await embeddedSftp());
  let callers = 0;
  const pauses: number[] = [];
  const opened = (door = createServer((client) => {
    callers += 1;
    if (callers <= refusals) {
      client.destroy();
      return;
    }
    const inside = connect(server.server.port, '127.0.0.1');
    client.on('error', () => inside.destroy()).pipe(inside);
    inside.on('error', () => client.destroy()).pipe(client);
  }));
  await new Promise<void>((resolve) => opened.listen(0, '127.0.0.1', resolve));
  const address = opened.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const login: PartnerLogin = {
    partner: {
      id: 'harbour',
      sftp: { url: `sftp://main@127.0.0.1:${port}/`, hostKeys: [server.server.hostKeyLine] },
    },
    environment: { TIEUP_KEY_SSH: seededSshKey('main').privateKey },
    keyFolder: '/nowhere',
    password: async () => '',
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    pause: async (milliseconds) => void pauses.push(milliseconds),
    ...changes,
  };
  return { login, pauses, callers: () => callers };
}

test('a server that turns callers away for a moment is called again, after pauses that differ', async () => {
  const { login, pauses, callers } = await behindDoor(2);
  const connection = await loginToPartner(login);
  await connection.close();
  expect(callers()).toBe(3);
  expect(pauses).toHaveLength(2);
  expect(pauses[0]).toBeGreaterThan(199);
  expect(pauses[0]).toBeLessThanOrEqual(400);
  expect(pauses[1]).toBeGreaterThan(799);
});

test('a server that stays shut is given up after three calls', async () => {
  const { login, callers } = await behindDoor(100);
  await expect(loginToPartner(login)).rejects.toMatchObject({ code: 'TIEUP_E_CONNECTION' });
  expect(callers()).toBe(3);
});

test('a refused login and a foreign host key are final', async () => {
  const refused = await behindDoor(0, { environment: { TIEUP_KEY_SSH: seededSshKey('stranger').privateKey } });
  await expect(loginToPartner(refused.login)).rejects.toMatchObject({ code: 'TIEUP_E_LOGIN' });
  expect(refused.callers()).toBe(1);
  const { login } = refused;
  const hostKeys = [seededSshKey('another host').publicKey];
  const partner = { id: 'harbour', sftp: { url: login.partner.sftp?.url ?? '', hostKeys } };
  await expect(loginToPartner({ ...login, partner })).rejects.toMatchObject({ code: 'TIEUP_E_HOST_KEY' });
  expect(refused.callers()).toBe(2);
});

test('an interruption ends the attempts', async () => {
  const interruption = new AbortController();
  let attempts = 0;
  const result = withRetries(
    async () => {
      attempts += 1;
      interruption.abort();
      throw new TieupError('TIEUP_E_CONNECTION', 'broke');
    },
    { isPassing: (error) => isTieupError(error), signal: interruption.signal, pause: async () => {} },
  );
  await expect(result).rejects.toMatchObject({ code: 'TIEUP_E_CONNECTION' });
  expect(attempts).toBe(1);
});
