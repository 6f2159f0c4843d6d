import { appendFileSync, renameSync, rmSync, writeFileSync, copyFileSync, truncateSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commitLogs } from '../../../src/partner-site/commit-logs.ts';
import type { LineCounts } from '../../../src/logs/scanner.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { partnership } from '../../support/partnership-fixture.ts';
import { refusalOf } from '../../support/refusal.ts';
import { hit, serve, withLogs } from '../../support/shop-logs.ts';

const commit = async (shop: PartnerFixture, files: readonly string[], acceptGap = false): Promise<LineCounts> => {
  const config = withLogs({ sources: files.map((each) => ({ files: each })) });
  return (await commitLogs(await shop.open({ config }), { acceptGap })).added;
};

/** A log and one that was rotated, three lines in all, which were read. */
async function read(files: readonly string[] = ['log/access.log*']) {
  const { shop } = await partnership();
  await shop.accept(await shop.open({ config: withLogs() }));
  serve(shop, hit('/old.html'));
  await commit(shop, files);
  renameSync(shop.path('log/access.log'), shop.path('log/access.log.1'));
  serve(shop, hit('/with-main/'), hit('/own.html'));
  expect(await commit(shop, files)).toMatchObject({ lines: 2 });
  return shop;
}

describe('a log that tieup.yaml names otherwise than before', () => {
  test.each([
    ['with a dot', ['./log/access.log*']],
    ['with another pattern', ['log/access*']],
    ['in a roundabout way', ['log/../log/access.log*']],
    ['split in two', ['log/access.log', 'log/access.log.1']],
    ['split in two, the older one first', ['log/access.log.?', 'log/access.log']],
  ])('is not read again: %s', async (_, files) => {
    const shop = await read();
    expect(await commit(shop, files)).toMatchObject({ lines: 0, S: 0 });
    serve(shop, hit('/own/two.html'));
    expect(await commit(shop, files)).toMatchObject({ lines: 1, O: 1 });
    // And back.
    expect(await commit(shop, ['log/access.log*'])).toMatchObject({ lines: 0 });
    serve(shop, hit('/own/three.html'));
    expect(await commit(shop, ['log/access.log*'])).toMatchObject({ lines: 1 });
    expect(await commit(shop, files)).toMatchObject({ lines: 0 });
  });

  test('is not read again by its absolute path, nor where two were joined', async () => {
    const shop = await read();
    expect(await commit(shop, [shop.path('log/access.log*')])).toMatchObject({ lines: 0 });
    const split = await read();
    await commit(split, ['log/access.log', 'log/access.log.1']);
    expect(await commit(split, ['log/access.log*'])).toMatchObject({ lines: 0 });
  });

  test('gives what was written since, also when it was rotated or copied at that time', async () => {
    const shop = await read();
    appendFileSync(shop.path('log/access.log'), hit('/own/two.html'));
    renameSync(shop.path('log/access.log'), shop.path('log/access.log.2'));
    serve(shop, hit('/own/three.html'));
    expect(await commit(shop, ['./log/access.log*'])).toMatchObject({ lines: 2 });
    appendFileSync(shop.path('log/access.log'), hit('/own/four.html'));
    copyFileSync(shop.path('log/access.log'), shop.path('log/access.log.3'));
    truncateSync(shop.path('log/access.log'));
    serve(shop, hit('/own/five.html'));
    expect(await commit(shop, ['log/access.log*'])).toMatchObject({ lines: 2 });
  });

  test('is told of when it is gone, whatever it is called now', async () => {
    const shop = await read();
    rmSync(shop.path('log/access.log'));
    const { error } = await refusalOf(shop, () => commit(shop, ['./log/access.log*']));
    expect(error).toMatchObject({ code: 'TIEUP_E_DRIFT', message: expect.stringContaining('log/access.log') });
    expect(await commit(shop, ['./log/access.log*'], true)).toMatchObject({ lines: 0, G: 1 });
    expect(await commit(shop, ['./log/access.log*'])).toMatchObject({ lines: 0, G: 0 });
  });

  test('is read as a new one when it is a new one, though it begins like another', async () => {
    const shop = await read();
    const line = hit('/own/alike.html');
    serve(shop, line);
    await commit(shop, ['log/access.log*']);
    writeFileSync(shop.path('log/second.log'), line);
    expect(await commit(shop, ['log/access.log*', 'log/second.log'])).toMatchObject({ lines: 1 });
  });

  test('is refused when two sources name it', async () => {
    const shop = await read();
    const { error } = await refusalOf(shop, () => commit(shop, ['log/access.log*', './log/access.log']));
    expect(error).toMatchObject({
      code: 'TIEUP_E_CONFIG',
      message: expect.stringContaining('is named by two sources'),
    });
    serve(shop, hit('/own/two.html'));
    expect(await commit(shop, ['log/access.log*'])).toMatchObject({ lines: 1 });
  });

  test('goes on where it was left when it was taken out and put in again', async () => {
    const shop = await read();
    writeFileSync(shop.path('log/second.log'), hit('/'));
    expect(await commit(shop, ['log/second.log'])).toMatchObject({ lines: 1 });
    serve(shop, hit('/own/two.html'));
    expect(await commit(shop, ['log/second.log', './log/access.log*'])).toMatchObject({ lines: 1 });
  });
});
