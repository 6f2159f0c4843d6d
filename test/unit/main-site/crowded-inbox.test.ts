/** An inbox that a partner, or who has its login, fills with what costs its reader more than it costs them. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { assetsOf } from '../../../src/main-site/assets.ts';
import { listInbox, lookIntoInbox } from '../../../src/main-site/inbox-content.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { loadPartnership } from '../../../src/main-site/partnerships.ts';
import type { PlannedFile } from '../../../src/main-site/plan-release.ts';
import { uploadObjects } from '../../../src/main-site/upload.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { packObjectCount } from '../../../src/protocol/pack.ts';
import { mainFixture, partnership, type MainFixture } from '../../support/partnership-fixture.ts';

/** A valid pack of `count` empty objects. */
function packOfNames(count: number): Buffer {
  const pack = Buffer.alloc(16 + 17 + count * 52);
  pack.write('TIEUPPK1', 0, 'latin1');
  pack.writeUInt32BE(1, 8);
  pack.writeUInt32BE(count, 12);
  for (let index = 0, at = 33; index < count; index += 1, at += 52) pack.writeUInt32BE(index + 1, at);
  return pack;
}

/** The exchange of a partner whose first release lies in its inbox, beside `packs` that sort before it. */
async function crowded(packs: readonly Buffer[]) {
  const { main, shop } = await partnership();
  for (const [index, pack] of packs.entries())
    writeFileSync(shop.path(`exchange/inbox/packs/${String(index).padStart(64, '0')}.pack`), pack);
  const read = { bytes: 0 };
  const counting = (tree: FileTree): FileTree => ({
    ...tree,
    stream: async function* streamCounted(path, maxLength) {
      for await (const chunk of tree.stream(path, maxLength)) {
        read.bytes += chunk.length;
        yield chunk;
      }
    },
  });
  const connect: MainSite['connect'] = async (partner) => counting(await main.site.connect(partner));
  return { main, shop, read, site: { ...main.site, connect } };
}

/** Digests of the release that are found in the inbox, and how many there are. */
async function found({ main, site }: { readonly main: MainFixture; readonly site: MainSite }) {
  const exchange = await site.connect(await loadPartnership(main.site, 'harbour'));
  const { release, ...pushed } = await main.pushedBefore();
  const base = { ...pushed, release, active: null, releaseJson: '' };
  const versions = { targets: 1, snapshot: 1, timestamp: 1 };
  const { objects } = await lookIntoInbox(exchange, await listInbox(exchange), base, versions);
  return { found: objects.size, of: new Set(release.files.map(({ digest }) => digest)).size };
}

describe('packs that are nothing but names', () => {
  test('and more of them than any pack of ours has are not read, and what lies beside them is found', async () => {
    const scene = await crowded(Array.from({ length: 3 }, () => packOfNames(2 ** 20)));
    const { found: there, of } = await found(scene);
    expect(there).toBe(of);
    expect(of).toBeGreaterThan(3);
    expect(scene.read.bytes).toBeLessThan(2 * 1024 * 1024);
    expect(await scene.main.push({}, scene.site)).toMatchObject([{ kind: 'unchanged' }]);
  });

  test('of no more than a pack of ours has are read up to a bound in all', async () => {
    const pack = packOfNames(2 ** 16);
    const scene = await crowded(Array.from({ length: 8 }, () => pack));
    await found(scene);
    expect(scene.read.bytes).toBeLessThan(5 * pack.length);
    // What could not be looked at counts as not there: it is sent again, and what is published is the same.
    const [result] = await scene.main.push({}, scene.site);
    expect(['repaired', 'unchanged']).toContain(result?.kind);
    expect(await scene.shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('that say another length of a file are not taken for it', async () => {
    const { main, shop, site } = await crowded([]);
    const folder = shop.path('exchange/inbox/packs');
    const [name = ''] = readdirSync(folder);
    const { release } = await main.pushedBefore();
    const digests = [...new Set(release.files.map(({ digest }) => digest))].toSorted();
    const pack = packOfNames(digests.length);
    for (const [index, digest] of digests.entries()) pack.write(digest, 33 + index * 52, 'hex');
    writeFileSync(join(folder, name), pack);
    expect((await found({ main, site })).found).toBe(0);
    expect(await main.push({}, site)).toMatchObject([{ kind: 'repaired' }]);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });
});

test('a release of very many small files travels in packs that its reader takes', async () => {
  const objects = Array.from({ length: 2 ** 16 + 1 }, (_, index): PlannedFile => {
    const bytes = Buffer.from(String(index));
    const file = { path: `${index}.txt`, digest: sha256(bytes), length: bytes.length, since: 1 };
    return { file, content: { kind: 'bytes', render: () => bytes } };
  });
  const tree = memoryTree();
  const none = { leftovers: async () => [], onSent: () => {}, again: false, compress: false };
  await uploadObjects(tree, {
    objects,
    assets: assetsOf((await mainFixture()).site),
    ...none,
  });
  const counts: number[] = [];
  for (const { name } of await tree.list('inbox/packs'))
    counts.push(packObjectCount(await tree.read(`inbox/packs/${name}`, 2 ** 26)));
  expect(counts.toSorted((a, b) => a - b)).toEqual([1, 2 ** 16]);
});

test('a server that makes something fail which nobody foresaw fails its own partner alone', async () => {
  const main = await mainFixture();
  for (const id of ['alpha', 'beta', 'gamma']) await main.join(id);
  const connect: MainSite['connect'] = async (partner) => {
    const tree = await main.site.connect(partner);
    if (partner.id !== 'beta') return tree;
    const list: FileTree['list'] = async () => {
      throw new RangeError('Set maximum size exceeded');
    };
    return { ...tree, list };
  };
  const results = await main.push({}, { ...main.site, connect });
  expect(results).toMatchObject([
    { partner: 'alpha', kind: 'pushed' },
    { partner: 'beta', kind: 'failed', error: { code: 'TIEUP_E_FAILED' } },
    { partner: 'gamma', kind: 'pushed' },
  ]);
});

test('what is kept of one partner and is damaged fails that partner alone', async () => {
  const main = await mainFixture();
  for (const id of ['alpha', 'beta']) await main.join(id);
  await main.push();
  await main.write('.tieup/partners/alpha/record.json', '{');
  await main.write('pages/more.md', '---\ntitle: More\n---\n\n# More\n');
  expect(await main.push()).toMatchObject([
    { partner: 'alpha', kind: 'failed', error: { code: 'TIEUP_E_FAILED' } },
    { partner: 'beta', kind: 'pushed' },
  ]);
});
