/**
 * The main site's login at a partner that is set up as the design says (section 3), on a real sshd: a uid of its own,
 * shut into the partner's folder, which may write `exchange/inbox` and nothing else.
 */
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FileTree } from '../../src/io/file-tree.ts';
import { connectSftp, scanHostKey } from '../../src/io/sftp-connection.ts';
import type { SftpConnection } from '../../src/io/sftp-connection.ts';
import { hasStatus } from '../../src/io/sftp-session.ts';
import { sftpTree } from '../../src/io/sftp-tree.ts';
import { seededSshKey } from '../support/embedded-sftp.ts';
import { asRoot, realPart } from '../support/real-parts.ts';
import { startChrootedSshd, type Sshd } from '../support/sshd.ts';
import { refused, text } from './tree-assertions.ts';

const sshdPath = realPart('sshd');
const possible = sshdPath !== undefined && asRoot('sshd');

describe.skipIf(!possible)('the login of the main site', () => {
  let sshd: Sshd;
  let connection: SftpConnection;
  let tree: FileTree;
  let before: string;

  beforeAll(async () => {
    sshd = await startChrootedSshd(sshdPath ?? '');
    const files = {
      'exchange/outbox/decision': 'signed',
      'original/index.html': 'mine',
      'public/index.html': 'live',
      'state/ledger': 'trusted',
    };
    for (const [path, content] of Object.entries(files)) writeFileSync(join(sshd.folder, path), content);
    connection = await sshd.connect();
    tree = sftpTree(connection, '/');
  });
  beforeEach(() => {
    before = snapshot(sshd.folder);
  });
  afterAll(() => sshd.dispose());

  test('finds a server that can replace in one step, link and flush', () => {
    expect(connection.server).toMatchObject({ posixRename: true, hardLink: true, fsync: true });
    expect(connection.server.software).toMatch(/^OpenSSH_/);
  });

  test('writes, replaces and removes in the inbox, and reads the outbox', async () => {
    await tree.write('exchange/inbox/metadata/timestamp.json', text('1'));
    await tree.write('exchange/inbox/metadata/timestamp.json', text('2'));
    expect(readFileSync(join(sshd.folder, 'exchange/inbox/metadata/timestamp.json'), 'utf8')).toBe('2');
    await tree.remove('exchange/inbox/metadata/timestamp.json');
    expect(await tree.removeFolder('exchange/inbox/metadata')).toBe(true);
    expect(Buffer.from(await tree.read('exchange/outbox/decision', 100)).toString()).toBe('signed');
  });

  test.each(['', 'exchange', 'exchange/outbox', 'original', 'public', 'state'])(
    'makes nothing in %j',
    async (folder) => {
      const path = folder === '' ? 'new' : `${folder}/new`;
      await refused(tree.write(path, text('x')), 'TIEUP_E_STORAGE');
      await refused(tree.create(path, text('x')), 'TIEUP_E_STORAGE');
      await refused(tree.makeFolder(path), 'TIEUP_E_STORAGE');
      expect(snapshot(sshd.folder)).toBe(before);
    },
  );

  test.each(['exchange/outbox/decision', 'original/index.html', 'public/index.html', 'state/ledger'])(
    'neither changes, moves nor removes %s',
    async (path) => {
      await refused(tree.write(path, text('x')), 'TIEUP_E_STORAGE');
      await refused(tree.remove(path), 'TIEUP_E_STORAGE');
      await refused(tree.rename(path, 'exchange/inbox/stolen'), 'TIEUP_E_STORAGE');
      const { session } = connection;
      for (const attempt of [
        () => session.open(`/${path}`, 'wx', 0o644),
        () => session.remove(`/${path}`),
        () => session.replace(`/${path}`, '/exchange/inbox/stolen'),
        () => session.rename(`/${path}`, '/exchange/inbox/stolen'),
      ]) {
        expect(await isRefusedByServer(attempt())).toBe(true);
      }
      expect(snapshot(sshd.folder)).toBe(before);
    },
  );

  test('does not see the state', async () => {
    await refused(tree.read('state/ledger', 100), 'TIEUP_E_STORAGE');
    await refused(tree.list('state'), 'TIEUP_E_STORAGE');
    expect(snapshot(sshd.folder)).toBe(before);
  });

  test('does not get out through links that it makes, past the checks of its own side', async () => {
    const { session } = connection;
    await session.symlink('/../../../../etc', '/exchange/inbox/etc');
    await session.symlink('../../state', '/exchange/inbox/state');
    await session.symlink('../outbox', '/exchange/inbox/outbox');
    expect(await isRefusedByServer(session.open('/exchange/inbox/etc/passwd', 'r', 0))).toBe(true);
    expect(await isRefusedByServer(session.open('/exchange/inbox/state/ledger', 'r', 0))).toBe(true);
    expect(await isRefusedByServer(session.open('/exchange/inbox/outbox/new', 'wx', 0o644))).toBe(true);
    expect(await isRefusedByServer(session.remove('/exchange/inbox/outbox/decision'))).toBe(true);
    for (const link of ['etc', 'state', 'outbox']) await session.remove(`/exchange/inbox/${link}`);
    expect(snapshot(sshd.folder)).toBe(before);
  });

  test('does not write through a link that somebody left in the inbox', async () => {
    symlinkSync('../outbox', join(sshd.folder, 'exchange/inbox/packs'));
    await refused(tree.write('exchange/inbox/packs/a', text('x')), 'TIEUP_E_UNSAFE_PATH');
    expect(readdirSync(join(sshd.folder, 'exchange/outbox'))).toEqual(['decision']);
    await connection.session.remove('/exchange/inbox/packs').catch(() => {});
  });

  test('cannot replace the inbox itself', async () => {
    await refused(tree.rename('exchange/inbox', 'exchange/away'), 'TIEUP_E_STORAGE');
    expect(await tree.removeFolder('exchange/inbox').catch(() => false)).toBe(false);
    expect(snapshot(sshd.folder)).toBe(before);
  });

  test('does not start a program or a shell', () => {
    expect(sshd.log()).not.toContain('Starting session: shell');
    expect(sshd.log()).toContain('internal-sftp');
  });

  test('is not even tried when the host key is another one', async () => {
    const { port, user } = sshd;
    const logged = sshd.log().length;
    const connecting = connectSftp({
      address: { user, host: '127.0.0.1', port, path: '~' },
      hostKeys: [seededSshKey('other').publicKey],
      auth: { kind: 'key', privateKey: sshd.key.privateKey },
      timeoutMs: 20_000,
    });
    await expect(connecting).rejects.toMatchObject({ code: 'TIEUP_E_HOST_KEY', exitCode: 4 });
    // sshd tells of a new connection only after the end of the last one: asking for the key is another.
    await scanHostKey({ user, host: '127.0.0.1', port, path: '~' }, { timeoutMs: 20_000 });
    expect(sshd.log().slice(logged)).not.toMatch(/Accepted|Failed|publickey/);
  });

  test('shows the host key that is to be pinned', async () => {
    const address = { user: sshd.user, host: '127.0.0.1', port: sshd.port, path: '~' };
    expect(await scanHostKey(address, { timeoutMs: 20_000 })).toEqual([sshd.hostKeyLine.replace(/ [^ ]*$/, '')]);
  });
});

async function isRefusedByServer(operation: Promise<unknown>): Promise<boolean> {
  try {
    await operation;
    return false;
  } catch (error) {
    if (hasStatus(error)) return true;
    throw error;
  }
}

/** Every path and content below `folder`. */
function snapshot(folder: string): string {
  const lines: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    lines.push(`${path} ${entry.isFile() ? readFileSync(path, 'utf8') : ''}`);
  }
  return lines.sort().join('\n');
}
