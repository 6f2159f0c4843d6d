/** Where the main site publishes and writes the records: what `verify` and receipts take from nobody but the partner's own side. */
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { merge } from '../../../src/partner-site/merge.ts';
import { reject } from '../../../src/partner-site/reject.ts';
import { status } from '../../../src/partner-site/status.ts';
import { verify } from '../../../src/partner-site/verify.ts';
import { answersOf } from '../../support/outbox.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { mainFixture, type MainFixture } from '../../support/partnership-fixture.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

interface Sites {
  readonly main: MainFixture;
  readonly shop: PartnerFixture;
}

/** Release 1 is live by the main site; with copies of original pages. */
async function live(publish: 'link' | 'overwrite' = 'overwrite'): Promise<Sites> {
  const main = await mainFixture();
  const shop = await main.join('harbour', {
    publish,
    partnership: `publisher: main\nsite: { public: ../public, original: ../original, publish: ${publish} }\n`,
  });
  await shop.write('slots/visit/hours.md', 'From ten to six.\n');
  await main.pushed();
  await shop.accept();
  await main.push();
  return { main, shop };
}

async function accepted(sites: Sites): Promise<Sites> {
  const { main, shop } = sites;
  await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\n# Changed\n');
  await main.pushed();
  await shop.accept();
  return sites;
}

/** Changes a live file, and every record of it that the main site can write. */
async function alter(shop: PartnerFixture, path: string, text: string, publication = 1): Promise<void> {
  await writeFile(shop.path(`public/${path}`), text);
  const ledger = shop.path(`exchange/ledger/published/${publication}.ledger`);
  const sums = shop.path(`exchange/ledger/published/${publication}.SHA256SUMS`);
  const before = await readFile(ledger, 'utf8');
  const escaped = path.replaceAll('/', '(?:/|%2F)');
  const line = new RegExp(`^([0-9a-f]{64}) \\d+ (\\d+) (${escaped})$`, 'm');
  const old = line.exec(before)?.[1];
  if (old === undefined) throw new Error(`the ledger has no ${path}`);
  await writeFile(ledger, before.replace(line, `${sha256(text)} ${Buffer.byteLength(text)} $2 $3`));
  const altered = (await readFile(sums, 'utf8')).replace(`${old}  ${path}`, `${sha256(text)}  ${path}`);
  await writeFile(sums, altered);
  await editRecord(shop, { sums: sha256(altered) }, publication);
}

async function editRecord(shop: PartnerFixture, changes: object, publication = 1): Promise<void> {
  const path = shop.path(`exchange/ledger/publications/${publication}.json`);
  await writeFile(path, `${JSON.stringify({ ...(await readRecord(shop, publication)), ...changes })}\n`);
}

async function readRecord(shop: PartnerFixture, publication: number): Promise<object> {
  const record: unknown = JSON.parse(
    await readFile(shop.path(`exchange/ledger/publications/${publication}.json`), 'utf8'),
  );
  if (typeof record !== 'object' || record === null) throw new Error('it is no record');
  return record;
}

const verified = async (shop: PartnerFixture) => verify(await shop.open());

describe('verify, where the main site publishes, finds', () => {
  test.each(['link', 'overwrite'] as const)(
    'a copy of a page of the partner’s own that was altered, by %s',
    async (how) => {
      const { shop } = await live(how);
      expect(await verified(shop)).toMatchObject({ differences: [], undecided: undefined });
      await alter(shop, 'index.html', '<title>Harbour Books</title>buy elsewhere');
      expect((await verified(shop)).differences).toEqual([{ kind: 'unlike-original', path: 'index.html' }]);
    },
  );

  test('a copy that is older than the page; once it is published all is well', async () => {
    const { main, shop } = await live();
    await shop.write('original/index.html', 'new home\n');
    expect((await verified(shop)).differences).toEqual([{ kind: 'unlike-original', path: 'index.html' }]);
    // It is nothing that a receipt says, which is about what was decided on.
    await status(await shop.open());
    expect((await answersOf(shop)).receipt).toMatchObject({ state: 'live', release: 1 });
    await merge(await shop.open());
    await shop.write('slots/visit/hours.md', 'Closed.\n');
    await merge(await shop.open());
    await main.push();
    expect((await verified(shop)).differences).toEqual([]);
  });

  test('that a release is said to be live which nobody has accepted', async () => {
    const { shop } = await live();
    const other = { number: 7, digest: sha256('another') };
    await editRecord(shop, { release: other });
    expect(await verified(shop)).toMatchObject({ undecided: { release: other } });
    await editRecord(shop, { release: other, decision: null });
    expect(await verified(shop)).toMatchObject({ undecided: { release: other } });
  });

  test('that nothing is said to be live any more', async () => {
    const { shop } = await live();
    await status(await shop.open());
    await rm(shop.path('exchange/ledger/live.json'));
    expect(await verified(shop)).toMatchObject({ undecided: { release: null } });
  });

  test('that an earlier decision was carried out after a later one', async () => {
    const { main, shop } = await accepted(await live());
    const first = await readRecord(shop, 1);
    await main.push();
    await status(await shop.open());
    expect(await verified(shop)).toMatchObject({ undecided: undefined, differences: [] });
    await editRecord(shop, { ...first, number: 2 }, 2);
    expect(await verified(shop)).toMatchObject({ undecided: { release: { number: 1 } } });
  });

  test('nothing while a later decision waits for the main site, unless a page of the one before was altered', async () => {
    const { shop } = await accepted(await live());
    expect(await verified(shop)).toMatchObject({ undecided: undefined, differences: [] });
    await alter(shop, 'with-main/story.html', '<title>altered</title>');
    expect((await verified(shop)).differences).toEqual([{ kind: 'changed', path: 'with-main/story.html' }]);
  });
});

test('a receipt counts the pages that are live, whatever the record of the main site says', async () => {
  const { shop } = await live();
  await editRecord(shop, { pages: { tieUp: 300, original: 0 } });
  await status(await shop.open());
  const { receipt } = await answersOf(shop);
  expect(receipt).toMatchObject({ state: 'live', pages: { tieUp: 3, original: 2 } });
  // Nor does a later word of it change what was signed.
  await editRecord(shop, { pages: { tieUp: 1, original: 1 } });
  await status(await shop.open());
  expect((await answersOf(shop)).receipt).toEqual(receipt);
});

describe('no receipt is signed', () => {
  test('that the partner has left, by a record that the main site forged under a "no"', async () => {
    const { main, shop } = await live();
    await status(await shop.open());
    const before = await answersOf(shop);
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\n# Changed\n');
    await main.pushed();
    await reject(await shop.open(), 'not this one');
    const { digest } = await answersOf(shop);
    await editRecord(shop, { release: null, decision: digest });
    await status(await shop.open());
    expect((await answersOf(shop)).receipt).toEqual(before.receipt);
    expect(before.receipt?.state).toBe('live');
  });

  test('that an earlier release is held, by a file that the main site wrote', async () => {
    const { shop } = await live();
    await shop.write('exchange/ledger/held.json', '{"publication":1,"since":"2026-11-23T12:00:00Z"}\n');
    await status(await shop.open());
    expect((await answersOf(shop)).receipt).toBeUndefined();
  });
});
