/** What the thief of the main site's login can do to the logs of a partner: it can write the inbox, and nothing else. */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exportLogs } from '../../../src/partner-site/export-logs.ts';
import { pull } from '../../support/cosigning.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { partnership } from '../../support/partnership-fixture.ts';
import { exported, hit, serve, withLogs } from '../../support/shop-logs.ts';

const COSIGNED = 'exchange/inbox/logs/T.cosigned';
const exportAll = async (shop: PartnerFixture, more = {}) =>
  exportLogs(await shop.open({ config: withLogs(more) }), { acceptGap: false, disclose: {} });

/** Exported, cosigned and seen, twice. */
async function seen() {
  const { main, shop } = await partnership();
  await shop.accept(await shop.open({ config: withLogs() }));
  serve(shop, hit('/with-main/'), hit('/own.html'));
  await exportAll(shop);
  await pull(main);
  const older = readFileSync(shop.path(COSIGNED));
  serve(shop, hit('/with-main/story.html'), hit('/own/two.html'));
  await exportAll(shop);
  await pull(main);
  const newer = readFileSync(shop.path(COSIGNED));
  serve(shop, hit('/with-main/visit.html'));
  await exportAll(shop);
  expect((await exported(shop)).T).toMatchObject({ from: 3, size: 4 });
  serve(shop, hit('/with-main/'));
  return { main, shop, older, newer };
}

describe('the thief of a login', () => {
  test.each<[string, (path: string, older: Buffer, newer: Buffer) => void]>([
    ['puts an old cosignature back', (path, older) => writeFileSync(path, older)],
    ['takes the cosignature away', (path) => rmSync(path)],
    ['writes rubbish in its place', (path) => writeFileSync(path, 'rubbish')],
    ['writes more than can be read', (path) => writeFileSync(path, Buffer.alloc(1024 * 1024))],
    ['makes a folder of it', (path) => (rmSync(path), mkdirSync(path))],
    ['links it elsewhere', (path) => (rmSync(path), symlinkSync('/etc/passwd', path))],
    [
      'puts the cosignature of the other log there',
      (path) => writeFileSync(path, readFileSync(path.replace('T.', 'O.'))),
    ],
    ['cuts the cosignature off', (path, _, newer) => writeFileSync(path, newer.subarray(0, newer.lastIndexOf('—')))],
  ])('%s: the export goes on from where it was', async (_, attack) => {
    const { main, shop, older, newer } = await seen();
    attack(shop.path(COSIGNED), older, newer);
    await exportAll(shop);
    expect((await exported(shop)).T).toMatchObject({ from: 3, size: 5 });
    rmSync(shop.path(COSIGNED), { recursive: true, force: true });
    expect(await pull(main)).toMatchObject({ kind: 'pulled', added: { T: 2 } });
  });

  test('writes a demand that nobody signed: it is passed over, and said', async () => {
    const { shop } = await seen();
    writeFileSync(shop.path('exchange/inbox/logs/demand.note'), 'tieup-log-demand/1\n');
    const { answer, statement } = await exportAll(shop);
    expect(answer).toMatchObject({ kind: 'refused', why: expect.stringContaining('is not answered') });
    expect(statement?.lines.T).toBe(4);
  });
});

describe('a partner that changes its mind about privacy', () => {
  test('may do so in the middle of an epoch, and the next statement says that something changed', async () => {
    const { main, shop } = await seen();
    await exportAll(shop);
    const before = await exported(shop);
    const { statement } = await exportAll(shop, { privacy: { address: 'drop', visitor: 'none' } });
    expect(statement).toMatchObject({ seq: before.seq + 1, epoch: 1, T: { size: before.T.size } });
    expect(Buffer.from(statement?.T.root ?? []).equals(before.T.root)).toBe(true);
    expect(statement?.settings).not.toBe(before.settings);
    expect(await pull(main)).toMatchObject({ kind: 'pulled' });
    expect((await exportAll(shop, { privacy: { address: 'drop', visitor: 'none' } })).statement?.settings).toBe(
      statement?.settings,
    );
  });
});

test('one pattern that names two logs is refused: which line met which release would be guessed', async () => {
  const { shop } = await partnership();
  await shop.accept(await shop.open({ config: withLogs() }));
  serve(shop, hit('/with-main/'));
  writeFileSync(shop.path('log/other.log'), hit('/own.html'));
  await expect(exportAll(shop, { sources: [{ files: 'log/*.log' }] })).rejects.toMatchObject({
    code: 'TIEUP_E_CONFIG',
    message: '"log/*.log" names 2 logs: "access.log", "other.log"',
  });
  const both = { sources: [{ files: 'log/access.log*' }, { files: 'log/other.log*' }] };
  expect((await exportAll(shop, both)).statement?.lines).toMatchObject({ T: 1, O: 1 });
});
