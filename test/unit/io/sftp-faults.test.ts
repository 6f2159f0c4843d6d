/** What a server or a line that fails leaves behind. */
import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { isTieupError } from '../../../src/errors.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import type { SftpServerFaults } from '../../../src/io/sftp-server-requests.ts';
import { sftpTree } from '../../../src/io/sftp-tree.ts';
import { cuttingProxy } from '../../support/cutting-proxy.ts';
import { embeddedSftp, type EmbeddedSftp } from '../../support/embedded-sftp.ts';
import { realPart } from '../../support/real-parts.ts';
import { startSshd, type Sshd } from '../../support/sshd.ts';

const OLD = new TextEncoder().encode('the old content');
const NEW = new Uint8Array(300_000).fill(7);

/** Each kind of operation at least once. */
async function everything(tree: FileTree): Promise<void> {
  await tree.makeFolder('folder/inner');
  await tree.write('a', NEW);
  await tree.read('a', 1_000_000);
  await tree.create('lock', OLD);
  await tree.list('');
  await tree.replaceLink('public', 'folder');
  await tree.replaceLink('public', 'folder/inner');
  await tree.readLink('public');
  await tree.write('b', OLD);
  await tree.rename('b', 'lock');
  await tree.stat('lock');
  await tree.remove('lock');
  await tree.removeFolder('folder/inner');
  await tree.sync(['a']);
}

let open: EmbeddedSftp | undefined;
afterEach(async () => {
  await open?.dispose();
  open = undefined;
});

/** A server that plays `faults` on a tree which holds an old `a`. */
async function faulty(faults: SftpServerFaults): Promise<{ sftp: EmbeddedSftp; tree: FileTree }> {
  const sftp = (open = await embeddedSftp({ faults }));
  writeFileSync(join(sftp.root, 'a'), OLD);
  return { sftp, tree: sftpTree(await sftp.connect(), '/') };
}

/** Hours pass in moments from when the server has ignored the request with that number until `work` has ended. */
async function whenIgnored<T>(ignoreRequest: number, work: (tree: FileTree) => Promise<T>, names: string[] = []) {
  const seen = { ignored: false, end: false };
  const onRequest = (number: number, name: string): void => {
    names.push(name);
    seen.ignored ||= number === ignoreRequest;
  };
  const { tree } = await faulty({ ignoreRequest, onRequest });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const ended = work(tree).finally(() => (seen.end = true));
    while (!seen.end) {
      // Whatever can still be answered is.
      await new Promise((resolve) => setImmediate(resolve));
      if (seen.ignored) vi.advanceTimersByTime(100);
    }
    return await ended;
  } finally {
    vi.useRealTimers();
  }
}

describe('a connection that is dropped', () => {
  test('at any request of a series of operations fails it at once, and leaves whole files', async () => {
    let total = 0;
    const counted = await faulty({ onRequest: (number) => void (total = number) });
    await everything(counted.tree);
    await counted.sftp.dispose();
    expect(total).toBeGreaterThan(60);

    const wrong: string[] = [];
    for (let request = 1; request <= total; request += 1) {
      const { sftp, tree } = await faulty({ dropAtRequest: request });
      const code = await codeOf(everything(tree));
      // A CLOSE that nobody waits for may be the last.
      if (code !== 'TIEUP_E_CONNECTION' && !(request === total && code === undefined))
        wrong.push(`${request}: ${code}`);
      // Without posix-rename the old file is aside for one round trip: then it is there under a temporary name.
      const names = readdirSync(sftp.root);
      const copies = [
        ...names.filter((name) => name === 'a'),
        ...names.filter((name) => name.startsWith('.tieup-tmp-')),
      ];
      const whole = copies.some((name) => {
        const bytes = readFileSync(join(sftp.root, name));
        return bytes.equals(OLD) || bytes.equals(NEW);
      });
      if (!whole) wrong.push(`${request}: a is lost`);
      if (names.includes('a')) {
        const bytes = readFileSync(join(sftp.root, 'a'));
        if (!bytes.equals(OLD) && !bytes.equals(NEW)) wrong.push(`${request}: a is torn`);
      }
      expect(await codeOf(tree.stat('a'))).toBe('TIEUP_E_CONNECTION');
      await sftp.dispose();
    }
    open = undefined;
    expect(wrong).toEqual([]);
  });

  test('fails everything that is under way, not only one', async () => {
    const { tree } = await faulty({ dropAtRequest: 40 });
    const codes = await Promise.all(
      Array.from({ length: 30 }, (_, index) => codeOf(tree.write(`many/${index}`, new Uint8Array(100_000)))),
    );
    expect(new Set(codes)).toEqual(new Set(['TIEUP_E_CONNECTION']));
  });
});

describe('a server that falls silent', () => {
  test.each([1, 2, 3, 5, 8])('at request %i is given up, and the operation fails', async (ignoreRequest) => {
    const codes = await whenIgnored(ignoreRequest, async (tree) => [
      await codeOf(tree.write('a', NEW)),
      await codeOf(tree.read('a', 10)),
    ]);
    expect(codes).toEqual(['TIEUP_E_CONNECTION', 'TIEUP_E_CONNECTION']);
  });
});

describe('a server that may handle requests at the same time', () => {
  /** What it is asked for while a file is written. */
  async function requestsOf(content: Uint8Array): Promise<readonly string[]> {
    const requests: string[] = [];
    const { tree } = await faulty({ onRequest: (_, name) => void requests.push(name) });
    await tree.write('a', content);
    // A CLOSE that nobody waits for is on its way.
    await tree.stat('a');
    await open?.dispose();
    open = undefined;
    return requests;
  }

  test('gets chunks that it need not split', async () => {
    const writes = (await requestsOf(NEW)).filter((name) => name === 'WRITE');
    expect(writes).toHaveLength(Math.ceil(NEW.length / 31_744));
  });

  test('is asked to close a file only when every byte of it was acknowledged', async () => {
    const whole = await requestsOf(NEW);
    expect(whole.indexOf('CLOSE')).toBeGreaterThan(whole.lastIndexOf('WRITE'));
    for (const [index, name] of whole.entries()) {
      if (name !== 'WRITE') continue;
      const without: string[] = [];
      const code = await whenIgnored(index + 1, (tree) => codeOf(tree.write('a', NEW)), without);
      await open?.dispose();
      expect([code, without]).toEqual(['TIEUP_E_CONNECTION', expect.arrayContaining(['WRITE'])]);
      expect(without).not.toContain('CLOSE');
    }
  });
});

describe('a server that refuses every change of a mode', () => {
  test('takes files with the usual mode, and says so when another one was asked for', async () => {
    const { sftp, tree } = await faulty({ refuseModes: true });
    await tree.write('a', NEW);
    expect((await tree.stat('a'))?.length).toBe(NEW.length);
    expect(await codeOf(tree.write('secret', OLD, { mode: 0o600 }))).toBe('TIEUP_E_STORAGE');
    expect(readdirSync(sftp.root).sort()).toEqual(['a']);
  });
});

describe('a server that cannot replace in one step', () => {
  test('puts the old file back when the new one cannot take its place', async () => {
    const requests: string[] = [];
    const { sftp, tree } = await faulty({
      onRequest: (_number, name) => {
        requests.push(name);
        // The second rename after the refused one would put the new file in place: its source has gone.
        if (requests.filter((one) => one === 'RENAME').length === 3 && name === 'RENAME') {
          for (const file of readdirSync(sftp.root)) {
            const path = join(sftp.root, file);
            if (file.startsWith('.tieup-tmp-') && readFileSync(path).equals(Buffer.from(NEW))) unlinkSync(path);
          }
        }
      },
    });
    expect(await codeOf(tree.write('a', NEW))).toBe('TIEUP_E_NOT_FOUND');
    expect(readFileSync(join(sftp.root, 'a')).equals(OLD)).toBe(true);
    expect(readdirSync(sftp.root)).toEqual(['a']);
  });
});

const sshdPath = realPart('sshd');

describe.skipIf(sshdPath === undefined)('a line to OpenSSH that is cut', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd(sshdPath ?? '');
  });
  afterAll(() => sshd.dispose());

  test('anywhere in a write leaves the old file or the new one, never a mixture', async () => {
    const { code, sent } = await writeThrough(sshd, Number.POSITIVE_INFINITY);
    expect(code).toBeUndefined();
    const states = new Set<string>();
    const cuts = Array.from({ length: 24 }, (_, index) => Math.floor((sent * index) / 24)).concat(
      sent - 300,
      sent - 60,
    );
    for (const cut of cuts) {
      writeFileSync(join(sshd.folder, 'a'), OLD);
      expect((await writeThrough(sshd, cut)).code).toBe('TIEUP_E_CONNECTION');
      const bytes = readFileSync(join(sshd.folder, 'a'));
      states.add(bytes.equals(OLD) ? 'old' : bytes.equals(NEW) ? 'new' : `torn at ${cut}`);
    }
    expect([...states].filter((state) => state.startsWith('torn'))).toEqual([]);
    expect(states).toContain('old');
  });
});

/** Writes `a` over a line that is cut after so many bytes. */
async function writeThrough(sshd: Sshd, cutAfter: number): Promise<{ code: string | undefined; sent: number }> {
  const proxy = await cuttingProxy(sshd.port, cutAfter);
  const address = { user: sshd.user, host: '127.0.0.1', port: proxy.port, path: '~' };
  const code = await codeOf(sshd.connect({ address }).then((connection) => sftpTree(connection, '~').write('a', NEW)));
  await proxy.close();
  await sshd.idle();
  return { code, sent: proxy.sent() };
}

async function codeOf(operation: Promise<unknown>): Promise<string | undefined> {
  try {
    await operation;
    return undefined;
  } catch (error) {
    if (isTieupError(error)) return error.code;
    throw error;
  }
}
