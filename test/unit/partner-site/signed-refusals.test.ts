import { beforeAll, describe, expect, test } from 'vitest';
import { gzipSync } from 'node:zlib';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { status } from '../../../src/partner-site/status.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { buildPack } from '../../../src/protocol/pack.ts';
import type { Release } from '../../../src/protocol/release.ts';
import { HARMLESS, layHostile, type Hostile } from '../../support/hostile-release.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { refusedAccept } from '../../support/refusal.ts';

describe('a release that is signed with the right keys is refused all the same', () => {
  let main: MainFixture;
  let ready: PartnerFixture;

  // Release 1 is live; every test works on a copy.
  beforeAll(async () => {
    ({ main, shop: ready } = await partnership());
    await ready.accept();
  });

  const refusal = async (hostile: Hostile) => {
    const shop = await ready.copy();
    await layHostile(main, shop, hostile);
    const refused = await refusedAccept(shop);
    const { inbox } = await status(await shop.open());
    expect(inbox).toMatchObject({ kind: 'refused', error: { code: refused.code } });
    return refused;
  };

  test('unless nothing is wrong with it', async () => {
    const shop = await ready.copy();
    await layHostile(main, shop, { files: HARMLESS });
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test.each([
    ['climbs out', 'with-main/../../evil.html'],
    ['climbs out at once', '../evil.html'],
    ['is absolute', '/etc/evil.html'],
    ['has a backslash', 'with-main\\evil.html'],
    ['has a NUL', 'with-main/ev\0il.html'],
    ['is a device of Windows', 'with-main/con.html'],
    ['ends with a dot', 'with-main/page.html.'],
    ['ends with a blank', 'with-main/page.html '],
    ['is not in the normal form', 'with-main/cafe\u0301.html'],
    ['changes the direction of the text', 'with-main/\u202elmth.html'],
    ['lies outside the mount', 'index.html'],
    ['only looks like the mount', 'with-mainly/page.html'],
    ['is a dotfile', 'with-main/.htaccess'],
    ['lies in a dot folder', 'with-main/.well-known/x.html'],
    ['controls a server', 'with-main/web.config'],
    ['is a program', 'with-main/shell.php'],
    ['is a program to some servers', 'with-main/shell.php.html'],
    ['is a program in capitals', 'with-main/SHELL.PHP5'],
    ['has an empty component', 'with-main//page.html'],
  ])('with a path that %s', async (_, path) => {
    const { error } = await refusal({ files: { [path]: 'x' } });
    expect(error).toMatchObject({ code: 'TIEUP_E_UNSAFE_PATH', exitCode: 5 });
  });

  test.each([
    ['differ only in case', ['with-main/Page.html', 'with-main/page.html']],
    ['are one in the compatible form of Unicode', ['with-main/ﬁne.html', 'with-main/fine.html']],
    ['are a file and a folder', ['with-main/page', 'with-main/page/index.html']],
  ])('with paths that %s', async (_, paths) => {
    const { code, problems } = await refusal({ files: Object.fromEntries(paths.map((path) => [path, 'x'])) });
    expect(code).toBe('TIEUP_E_UNSAFE_PATH');
    expect(problems).toHaveLength(1);
  });

  test.each([
    ['an inline script', '<script>alert(1)</script>'],
    ['a handler', '<p onclick="alert(1)">x</p>'],
    ['a script address', '<a href="javascript:alert(1)">x</a>'],
    ['a remote script', '<script src="https://evil.example/x.js"></script>'],
    ['a service worker', '<script>navigator.serviceWorker.register("/sw.js")</script>'],
    ['a frame', '<iframe src="https://evil.example/"></iframe>'],
    ['a picture from elsewhere', '<img src="https://evil.example/pixel.png">'],
    ['a form that leads elsewhere', '<form action="https://evil.example/"><input name=p></form>'],
    ['a refresh', '<meta http-equiv="refresh" content="0;url=https://evil.example/">'],
  ])('with %s that the terms do not allow', async (_, body) => {
    const { code, problems } = await refusal({
      files: { 'with-main/page.html': `<!doctype html><title>x</title>${body}` },
    });
    expect(code).toBe('TIEUP_E_VERIFY');
    expect(problems.length).toBeGreaterThan(0);
  });

  test('with a remote script without subresource integrity, whatever the terms allow', async () => {
    const { problems } = await refusal({
      files: { 'with-main/page.html': '<!doctype html><script src="https://cdn.example/x.js"></script>' },
      terms: (terms) => ({
        ...terms,
        policy: { ...terms.policy, scripts: 'remote', remoteOrigins: ['https://cdn.example'] },
      }),
    });
    expect(problems).toEqual([expect.stringContaining('subresource integrity')]);
  });

  test('with a script that the terms before allowed and the new ones do not, though it is live already', async () => {
    const shop = await ready.copy();
    const files = { 'with-main/page.html': '<!doctype html><title>x</title><script>1</script>' };
    const allowing: Pick<Hostile, 'terms'> = {
      terms: (terms) => ({ ...terms, policy: { ...terms.policy, scripts: 'own' } }),
    };
    await layHostile(main, shop, { files, ...allowing });
    await shop.accept();
    await layHostile(main, shop, { files, ...allowing, version: 11 });
    expect((await shop.accept()).kind).toBe('live');
    await layHostile(main, shop, { files, version: 12 });
    expect((await refusedAccept(shop)).problems).toEqual(['an inline script: the terms allow no scripts']);
  });

  const inRelease = (change: Partial<Release>) => ({ release: (release: Release) => ({ ...release, ...change }) });

  test.each<[string, Omit<Hostile, 'files'>]>([
    ['it names another partner', inRelease({ partner: 'lighthouse' })],
    ['its terms name another partner', { terms: (terms) => ({ ...terms, partner: 'lighthouse' }) }],
    ['it comes from another main site', inRelease({ site: 'https://evil.example/' })],
    [
      'SHA256SUMS lists a file more',
      { sums: (lines) => [...lines, { path: 'with-main/z.html', digest: sha256('z') }] },
    ],
    ['SHA256SUMS lists a file less', { sums: () => [] }],
    ['SHA256SUMS lists another digest', { sums: (lines) => lines.map((line) => ({ ...line, digest: sha256('z') })) }],
    [
      'SHA256SUMS lists another path',
      { sums: (lines) => lines.map((line) => ({ ...line, path: 'with-main/z.html' })) },
    ],
    ['SHA256SUMS is no list', { bytes: { sums: Buffer.from('nothing\n') } }],
    ['release.json is no JSON', { bytes: { release: Buffer.from('{') } }],
    ['release.json is something else', { bytes: { release: Buffer.from('{"type":"tieup-release/2"}') } }],
    ['partnership.json is no JSON', { bytes: { terms: Buffer.from([0xff, 0xfe]) } }],
    ['there is a fourth document', { targets: { 'evil.html': Buffer.from('<script>') } }],
    [
      'a file claims another length',
      {
        release: (release) => ({
          ...release,
          files: release.files.map((file) => ({ ...file, length: file.length - 1 })),
        }),
      },
    ],
    ['its number is not the one that was signed', inRelease({ release: 11 })],
  ])('because %s', async (_, hostile) => {
    const { error } = await refusal({ files: HARMLESS, ...hostile });
    expect(error).toMatchObject({ code: 'TIEUP_E_VERIFY', exitCode: 5 });
  });

  test('because its contract is over: exit 11', async () => {
    const { error } = await refusal({
      files: HARMLESS,
      terms: (terms) => ({ ...terms, period: { ...terms.period, until: '2026-11-01T23:59:59Z' } }),
    });
    expect(error).toMatchObject({ code: 'TIEUP_E_CONTRACT', exitCode: 11 });
  });

  test('because its contract has not begun: exit 11, and the day on which it does', async () => {
    const { error } = await refusal({
      files: HARMLESS,
      terms: (terms) => ({ ...terms, period: { ...terms.period, from: '2026-11-24T00:00:00Z' } }),
    });
    expect(error).toMatchObject({ code: 'TIEUP_E_CONTRACT', exitCode: 11 });
    expect(error.message).toBe('the contract begins on 2026-11-24, not before');
  });

  test('because its time is over: exit 10, and other words than for a forgery', async () => {
    const { error } = await refusal({ files: HARMLESS, now: new Date('2026-11-01T00:00:00Z') });
    expect(error).toMatchObject({ code: 'TIEUP_E_EXPIRED', exitCode: 10 });
    const campaign = await refusal({ files: HARMLESS, targetsExpire: new Date('2026-11-20T00:00:00Z') });
    expect(campaign.code).toBe('TIEUP_E_EXPIRED');
  });

  test('because the keys are those of another partner', async () => {
    expect((await refusal({ files: HARMLESS, keysOf: 'lighthouse' })).code).toBe('TIEUP_E_VERIFY');
  });

  test('because it is older than the one that was seen', async () => {
    const shop = await ready.copy();
    const inbox = shop.path('exchange/inbox');
    const old = shop.path('old');
    await rename(inbox, old);
    await mkdir(inbox);
    await layHostile(main, shop, { files: HARMLESS });
    await shop.accept();
    await rm(inbox, { recursive: true });
    await rename(old, inbox);
    const { error } = await refusedAccept(shop);
    expect(error).toMatchObject({ code: 'TIEUP_E_ROLLBACK', exitCode: 5 });
    expect((await shop.live())['with-main/page.html']).toContain('hello');
  });

  test('with a pack that is hostile in any way', async () => {
    const page = Buffer.from('hello '.repeat(100));
    const digest = sha256(page);
    const honest = Buffer.from(await buildPack([{ digest, bytes: page }]));
    const changed = (change: (pack: Buffer) => void): Buffer => {
      const pack = Buffer.from(honest);
      change(pack);
      return pack;
    };
    const CHUNK = 16;
    const ENTRY = CHUNK + 17;
    const bomb = packOf(gzipSync(Buffer.alloc(30 * 1024 * 1024)), page.length, digest, page.length);
    const packs: Record<string, Buffer> = {
      'another magic': changed((pack) => pack.write('EVILPACK')),
      'truncated in the index': honest.subarray(0, 40),
      'truncated in the content': honest.subarray(0, -1),
      'a byte too long': Buffer.concat([honest, Buffer.alloc(1)]),
      'four billion objects': changed((pack) => pack.writeUInt32BE(0xffffffff, 12)),
      'four billion chunks': changed((pack) => pack.writeUInt32BE(0xffffffff, 8)),
      'an unknown codec': changed((pack) => pack.writeUInt8(9, CHUNK)),
      'a chunk that claims an exabyte': changed((pack) => pack.writeBigUInt64BE(2n ** 60n, CHUNK + 9)),
      'a chunk that claims less than it holds': changed((pack) => pack.writeBigUInt64BE(10n, CHUNK + 9)),
      'a chunk that is longer than the file': changed((pack) => pack.writeBigUInt64BE(2n ** 40n, CHUNK + 1)),
      'an object in a chunk that is not there': changed((pack) => pack.writeUInt32BE(7, ENTRY + 32)),
      'an object that reaches over its chunk': changed((pack) => pack.writeBigUInt64BE(2n ** 33n, ENTRY + 44)),
      'an object that starts in the middle': changed((pack) => pack.writeBigUInt64BE(1n, ENTRY + 36)),
      'overlapping objects': overlapping(page, digest),
      'a bomb': bomb,
      'content that is none': changed((pack) => pack.fill(0, ENTRY + 52)),
      'other content': Buffer.from(await buildPack([{ digest, bytes: Buffer.from('evil  '.repeat(100)) }])),
      'nothing at all': Buffer.alloc(0),
    };
    for (const [name, pack] of Object.entries(packs)) {
      const shop = await ready.copy();
      await layHostile(main, shop, { files: { 'with-main/page.html': page }, pack });
      const { code, error } = await refusedAccept(shop);
      expect([name, code, error.message]).toEqual([
        name,
        'TIEUP_E_VERIFY',
        expect.stringContaining('content of one file'),
      ]);
      expect(await readdir(shop.path('state/objects')).then((names) => names.includes(digest.slice(0, 2)))).toBe(false);
      // One rotten pack does no harm where an honest one lies beside it.
      await writeFile(shop.path('exchange/inbox/packs/honest.pack'), honest);
      expect([name, (await shop.accept()).kind]).toEqual([name, 'live']);
    }
  });
});

/** A pack with one gzip chunk and one object. */
function packOf(stored: Uint8Array, raw: number, digest: string, length: number): Buffer {
  const head = Buffer.alloc(16 + 17 + 52);
  head.write('TIEUPPK1');
  head.writeUInt32BE(1, 8);
  head.writeUInt32BE(1, 12);
  head.writeUInt8(1, 16);
  head.writeBigUInt64BE(BigInt(stored.length), 17);
  head.writeBigUInt64BE(BigInt(raw), 25);
  head.write(digest, 33, 'hex');
  head.writeBigUInt64BE(BigInt(length), 33 + 44);
  return Buffer.concat([head, stored]);
}

/** The same bytes of one stored chunk given out under two digests. */
function overlapping(page: Buffer, digest: string): Buffer {
  const other = 'f'.repeat(64);
  const head = Buffer.alloc(16 + 17 + 2 * 52);
  head.write('TIEUPPK1');
  head.writeUInt32BE(1, 8);
  head.writeUInt32BE(2, 12);
  head.writeBigUInt64BE(BigInt(page.length), 17);
  head.writeBigUInt64BE(BigInt(page.length), 25);
  for (const [index, each] of [digest, other].toSorted().entries()) {
    const at = 33 + index * 52;
    head.write(each, at, 'hex');
    head.writeBigUInt64BE(BigInt(page.length), at + 44);
  }
  return Buffer.concat([head, page]);
}
