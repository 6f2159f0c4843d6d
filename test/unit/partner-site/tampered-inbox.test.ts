import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, truncate, writeFile, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../../src/protocol/digest.ts';
import { partnership } from '../../support/partnership-fixture.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { refusedAccept } from '../../support/refusal.ts';
import { realPart } from '../../support/real-parts.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('an inbox that was tampered with on its way', () => {
  let ready: PartnerFixture;
  let inboxFiles: readonly string[];

  // Release 1 is live, release 2 waits in the inbox.
  beforeAll(async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNew roast\n');
    await main.pushed();
    ready = shop;
    inboxFiles = await currentFiles(shop);
  });

  /** The files that release 2 depends on, by their path in the inbox. */
  async function currentFiles(shop: PartnerFixture): Promise<readonly string[]> {
    const before = await shop.copy();
    const needed: string[] = [];
    for (const folder of ['metadata', 'targets', 'packs']) {
      for (const name of await readdir(shop.path(`exchange/inbox/${folder}`))) {
        if (folder === 'metadata' && name.startsWith('1.')) continue;
        const copy = await before.copy();
        await rm(copy.path(`exchange/inbox/${folder}/${name}`));
        const outcome = await copy.accept().then(
          () => 'taken',
          () => 'refused',
        );
        if (outcome === 'refused') needed.push(`${folder}/${name}`);
      }
    }
    return needed;
  }

  const each = async (tamper: (path: string) => Promise<unknown>) => {
    const codes: Record<string, string> = {};
    for (const file of inboxFiles) {
      const shop = await ready.copy();
      await tamper(shop.path(`exchange/inbox/${file}`));
      const { code } = await refusedAccept(shop);
      codes[file.replace(/[0-9a-f]{64}/, '#')] = code;
    }
    return codes;
  };
  const all = (code: string, but: Record<string, string> = {}) => ({
    'metadata/2.snapshot.json': code,
    'metadata/2.targets.json': code,
    'metadata/timestamp.json': code,
    'packs/#.pack': code,
    'targets/#.SHA256SUMS': code,
    'targets/#.partnership.json': code,
    'targets/#.release.json': code,
    ...but,
  });
  const PACK = { 'packs/#.pack': 'TIEUP_E_VERIFY' };

  test('is refused when any file is missing', async () => {
    expect(await each((path) => rm(path))).toEqual(
      all('TIEUP_E_VERIFY', { 'metadata/timestamp.json': 'TIEUP_E_NOT_FOUND' }),
    );
  });

  test('is refused when any file is truncated', async () => {
    expect(await each((path) => truncate(path, 30))).toEqual(all('TIEUP_E_VERIFY'));
  });

  test('is refused when one bit of any file is another one', async () => {
    const flip = async (path: string): Promise<void> => {
      const bytes = await readFile(path);
      const at = Math.floor(bytes.length / 2);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      await writeFile(path, bytes);
    };
    expect(await each(flip)).toEqual(all('TIEUP_E_VERIFY'));
  });

  test('is refused when any file is far too large, which nobody reads to its end', async () => {
    expect(await each((path) => truncate(path, 2 ** 40))).toEqual(all('TIEUP_E_TOO_LARGE', PACK));
  });

  test('is refused when any file is a symbolic link, also to the very bytes', async () => {
    const link = async (path: string): Promise<void> => {
      await rename(path, `${path}.moved`);
      await symlink(`${path}.moved`, path);
    };
    expect(await each(link)).toEqual(all('TIEUP_E_UNSAFE_PATH', PACK));
  });

  test('is refused when any file is a folder', async () => {
    const folder = async (path: string): Promise<void> => {
      await rm(path);
      await mkdir(path);
    };
    expect(await each(folder)).toEqual(all('TIEUP_E_UNSAFE_PATH', PACK));
  });

  test('is refused when any file is a pipe, which nobody waits for', async (context) => {
    const mkfifo = realPart('mkfifo');
    if (mkfifo === undefined) return context.skip();
    const pipe = async (path: string): Promise<void> => {
      await rm(path);
      execFileSync(mkfifo, [path]);
    };
    expect(await each(pipe)).toEqual(all('TIEUP_E_UNSAFE_PATH', PACK));
  });

  test.each(['metadata', 'targets', 'packs'])('is refused when its folder %s is a link', async (folder) => {
    const shop = await ready.copy();
    const elsewhere = await temporaryFolder();
    await rename(shop.path(`exchange/inbox/${folder}`), join(elsewhere, folder));
    await symlink(join(elsewhere, folder), shop.path(`exchange/inbox/${folder}`));
    expect((await refusedAccept(shop)).code).toBe('TIEUP_E_UNSAFE_PATH');
  });

  test('is not confused by files that nobody signed', async () => {
    const shop = await ready.copy();
    for (const folder of ['', 'metadata/', 'targets/', 'packs/', 'objects/', 'with-main/']) {
      await shop.write(`exchange/inbox/${folder}evil.html`, '<script>evil</script>');
    }
    await shop.write(`exchange/inbox/objects/${sha256('evil')}`, 'evil');
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
    expect(JSON.stringify(await shop.live())).not.toContain('evil');
    const objects = await readdir(shop.path('state/objects'), { recursive: true });
    expect(objects.some((name) => name.endsWith(sha256('evil')))).toBe(false);
  });

  test('is refused when it is filled with packs', async () => {
    const shop = await ready.copy();
    const folder = await mkdtemp(join(tmpdir(), 'tieup-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    for (let number = 0; number <= 1000; number += 1)
      await writeFile(shop.path(`exchange/inbox/packs/${number}.pack`), '');
    expect(await refusedAccept(shop)).toMatchObject({
      code: 'TIEUP_E_VERIFY',
      error: { message: expect.stringContaining('packs') },
    });
  });
});
