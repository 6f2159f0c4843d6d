/** Going on with a file whose transfer was cut off. */
import { createCipheriv } from 'node:crypto';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { sftpTree } from '../../../src/io/sftp-tree.ts';
import { IN_FLIGHT } from '../../../src/io/in-flight.ts';
import { temporaryName } from '../../../src/io/tree-path.ts';
import { cuttingProxy, type CuttingProxy } from '../../support/cutting-proxy.ts';
import { embeddedSftp, type EmbeddedSftp } from '../../support/embedded-sftp.ts';
import { mainFixture } from '../../support/partnership-fixture.ts';

/** Bytes that do not get shorter. */
function noise(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(length));
}

const CONTENT = noise(3 * IN_FLIGHT);

let sftp: EmbeddedSftp;
let line: CuttingProxy;
let tree: FileTree;
beforeEach(async () => {
  sftp = await embeddedSftp();
  line = await cuttingProxy(sftp.server.port, Number.POSITIVE_INFINITY);
  const connection = await sftp.connect({ address: { user: 'main', host: '127.0.0.1', port: line.port, path: '/' } });
  tree = sftpTree(connection, '/');
  await tree.makeFolder('packs');
});
afterEach(async () => {
  await sftp.dispose();
  await line.close();
});

/** Stages with what lies in a temporary file; gives back how much of the content was sent. */
async function stageFrom(place: (path: string) => void): Promise<number> {
  const from = `packs/${temporaryName('tag')}`;
  place(join(sftp.root, from));
  const before = line.sent();
  const staged = await tree.stage('packs/a', CONTENT, { tag: 'tag', from });
  const sent = line.sent() - before;
  expect(readdirSync(join(sftp.root, 'packs'))).not.toContain('a');
  await staged.commit();
  expect(readFileSync(join(sftp.root, 'packs/a')).equals(CONTENT)).toBe(true);
  return sent;
}

describe('a file that was cut off', () => {
  test('is completed: what was surely there is not sent again', async () => {
    const sent = await stageFrom((path) => writeFileSync(path, CONTENT.subarray(0, 2.5 * IN_FLIGHT)));
    expect(sent).toBeGreaterThan(1.5 * IN_FLIGHT);
    expect(sent).toBeLessThan(2 * IN_FLIGHT);
    expect(readdirSync(join(sftp.root, 'packs'))).toEqual(['a']);
  });

  test('although it looks whole, its end is sent again, and gaps there are filled', async () => {
    const sent = await stageFrom((path) => writeFileSync(path, Buffer.from(CONTENT).fill(0, 2.5 * IN_FLIGHT)));
    expect(sent).toBeLessThan(1.5 * IN_FLIGHT);
  });

  test.each([
    ['another beginning', () => Buffer.from(CONTENT.subarray(0, 2 * IN_FLIGHT)).fill(1, 100, 101)],
    ['a gap in it', () => Buffer.from(CONTENT.subarray(0, 2 * IN_FLIGHT)).fill(0, 50_000, 60_000)],
    ['nothing that is sure', () => CONTENT.subarray(0, IN_FLIGHT)],
    ['more than there should be', () => Buffer.concat([CONTENT, Buffer.from('more')])],
  ])('with %s is sent whole', async (_what, found) => {
    const sent = await stageFrom((path) => writeFileSync(path, found()));
    expect(sent).toBeGreaterThan(CONTENT.length);
  });

  test('is no link: that is left alone', async () => {
    const elsewhere = join(sftp.root, 'elsewhere');
    const theirs = CONTENT.subarray(0, 2 * IN_FLIGHT);
    writeFileSync(elsewhere, theirs);
    expect(await stageFrom((path) => symlinkSync(elsewhere, path))).toBeGreaterThan(CONTENT.length);
    expect(readFileSync(elsewhere).equals(theirs)).toBe(true);
  });
});

test('a push that was cut off in the middle of its pack sends the rest alone, and the partner has all', async () => {
  const main = await mainFixture();
  const shop = await main.join();
  await main.write('assets/catalogue.pdf', '');
  await main.site.files.write('assets/catalogue.pdf', CONTENT);
  const server = await embeddedSftp({ root: shop.path('exchange') });
  const pushOver = async (pid: number, cutAfter: number) => {
    const proxy = await cuttingProxy(server.server.port, cutAfter);
    const address = { user: 'main', host: '127.0.0.1', port: proxy.port, path: '/' };
    let calls = 0;
    const connect = async (): Promise<FileTree> => {
      calls += 1;
      const connected = sftpTree(await server.connect({ address, timeoutMs: calls === 1 ? 20_000 : 1000 }), '/');
      // By it is decided whether packs are compressed: the same pack is wanted twice.
      return { ...connected, roundTripMs: () => 0 };
    };
    const owner = { who: `process ${pid}`, id: `${pid}`, host: 'main', pid };
    const isAlive = (other: number): boolean => other === pid;
    const [result] = await main.push({}, { ...main.site, owner, isAlive, connect });
    await proxy.close();
    return { result, sent: proxy.sent() };
  };
  try {
    const cut = await pushOver(2, 2.5 * IN_FLIGHT);
    expect(cut.result).toMatchObject({ kind: 'failed', error: { code: 'TIEUP_E_CONNECTION' } });
    const packs = (): string[] => readdirSync(shop.path('exchange/inbox/packs'));
    expect(packs()).toMatchObject([expect.stringContaining('.tieup-tmp-')]);
    const { result, sent } = await pushOver(3, Number.POSITIVE_INFINITY);
    expect(result).toMatchObject({ kind: 'pushed' });
    expect(sent).toBeLessThan(CONTENT.length);
    expect(packs()).toMatchObject([expect.stringMatching(/^[0-9a-f]{64}\.pack$/)]);
    await shop.accept();
    expect(Object.keys(await shop.live())).toContain('with-main/assets/catalogue.pdf');
  } finally {
    await server.dispose();
  }
});
