/** What the main site takes for the release that a partner has. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { learnRemote, type RemoteState } from '../../../src/main-site/learn-remote.ts';
import { loadPartnership } from '../../../src/main-site/partnerships.ts';
import { refresh } from '../../../src/main-site/refresh.ts';
import { recallRelease } from '../../../src/main-site/sent-releases.ts';
import { renderRelease } from '../../../src/protocol/release.ts';
import { status } from '../../../src/main-site/status.ts';
import { mainFixture, type MainFixture, partnership } from '../../support/partnership-fixture.ts';

const page = (text: string): string => `---\ntitle: Our coffee\n---\n\n# ${text}\n`;

/** What is learnt now, and what was read from the inbox for it. */
async function learn(main: MainFixture): Promise<{ readonly remote: RemoteState; readonly read: readonly string[] }> {
  const partner = await loadPartnership(main.site, 'harbour');
  const exchange = await main.site.connect(partner);
  const read: string[] = [];
  const watched: FileTree = {
    ...exchange,
    read: (path, maxLength) => (read.push(path), exchange.read(path, maxLength)),
  };
  return { remote: await learnRemote(main.site, partner, watched), read };
}

/** What a checkout in CI has: everything that is in version control. */
function freshCheckout(main: MainFixture): void {
  rmSync(join(main.folder, '.tieup'), { recursive: true });
}

const digestOf = (remote: RemoteState): string | undefined => remote.base?.releaseDigest;

describe('before the first push', () => {
  test('there is nothing', async () => {
    const main = await mainFixture();
    await main.join();
    const { remote } = await learn(main);
    expect(remote).toEqual({
      versions: { targets: 0, snapshot: 0, timestamp: 0 },
      base: undefined,
      hasObjects: false,
      isRekeyed: false,
    });
  });
});

describe('after a push from this machine', () => {
  test('one small read is enough', async () => {
    const { main } = await partnership();
    const { remote, read } = await learn(main);
    expect(read).toEqual(['inbox/metadata/timestamp.json']);
    expect(remote).toMatchObject({ versions: { targets: 1, snapshot: 1, timestamp: 1 }, hasObjects: true });
    expect(digestOf(remote)).toBe((await main.pushedBefore()).releaseDigest);
  });

  test.each([
    ['cut short', '{"timestampDigest":'],
    ['of another version of tieup', '{"version":9}'],
  ])('a memory that was %s is worth nothing: the inbox tells the same', async (_what, text) => {
    const { main } = await partnership();
    const known = await learn(main);
    writeFileSync(join(main.folder, '.tieup/partners/harbour/pushed.json'), text);
    const { remote, read } = await learn(main);
    expect(read.length).toBeGreaterThan(1);
    expect(digestOf(remote)).toBe(digestOf(known.remote));
    expect(remote.hasObjects).toBe(true);
  });

  test('an inbox that was emptied gets everything again, under a number that has not been used', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await shop.remove('exchange/inbox');
    expect((await learn(main)).remote).toMatchObject({ versions: { targets: 1 }, hasObjects: false });
    expect(await main.pushed()).toMatchObject({ release: 2, sentObjects: 4 });
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('an inbox that was set back is no reason to go back: the next release is above all that were signed', async () => {
    const { main, shop } = await partnership();
    const backup = `${shop.folder}-backup`;
    cpSync(shop.path('exchange/inbox'), backup, { recursive: true });
    await main.write('pages/index.md', page('Second'));
    await main.pushed();
    await shop.accept();
    await learn(main);
    rmSync(shop.path('exchange/inbox'), { recursive: true });
    cpSync(backup, shop.path('exchange/inbox'), { recursive: true });
    const { remote } = await learn(main);
    expect(remote).toMatchObject({ versions: { targets: 2 }, hasObjects: false });
    expect(await main.pushed()).toMatchObject({ release: 3, sentObjects: 4 });
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
    expect((await shop.live())['with-main/index.html']).toContain('Second');
  });

  test('metadata that somebody damaged is not believed, and the next push mends it', async () => {
    const { main, shop } = await partnership();
    const path = shop.path('exchange/inbox/metadata/timestamp.json');
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace('"version": 1', '"version": 9').replace('"version":1', '"version":9'),
    );
    const { remote } = await learn(main);
    expect(remote).toMatchObject({ versions: { targets: 1, timestamp: 1 }, hasObjects: false });
    expect(await main.pushed()).toMatchObject({ release: 2 });
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });
});

describe('in a fresh checkout', () => {
  test('the inbox is verified like a partner would, and an unchanged site needs no push', async () => {
    const { main, shop } = await partnership();
    const { releaseDigest } = await main.pushedBefore();
    freshCheckout(main);
    const before = await shop.snapshot();
    expect(await main.push()).toEqual([
      { kind: 'unchanged', partner: 'harbour', release: 1, releaseDigest, troubles: [] },
    ]);
    expect(await shop.snapshot()).toEqual(before);
    expect((await learn(main)).read).toEqual(['inbox/metadata/timestamp.json']);
  });

  test('a change is pushed as a change', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    freshCheckout(main);
    await main.write('pages/index.md', page('Second'));
    expect(await main.pushed()).toMatchObject({ release: 2, sentObjects: 1 });
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('status knows the release that another machine pushed', async () => {
    const { main, shop } = await partnership();
    freshCheckout(main);
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'pending', pushed: 1 }]);
    await shop.accept();
    freshCheckout(main);
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'live', pushed: 1, live: 1 }]);
  });

  test('an inbox that was signed by somebody else is refused, and left as it is', async () => {
    const { main } = await partnership();
    const stranger = await mainFixture();
    await stranger.join();
    const partner = await loadPartnership(main.site, 'harbour');
    const root = join(main.folder, 'partners/harbour/1.root.json');
    // The main site's own root is what counts, whatever lies in the inbox.
    const exchange = await main.site.connect(partner);
    await exchange.write('inbox/metadata/1.root.json', Buffer.from('{}'));
    freshCheckout(main);
    expect((await learn(main)).remote.hasObjects).toBe(true);
    const edited = readFileSync(root, 'utf8').replace(
      /"sig": ?"[0-9a-f]{8}/,
      (found) => `${found.slice(0, -8)}00000000`,
    );
    writeFileSync(root, edited);
    freshCheckout(main);
    await expect(learn(main)).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY', exitCode: 5 });
  });

  describe('of a partner that is live at a later release than the inbox shows', () => {
    const said = (main: MainFixture) => main.push({ partners: ['harbour'], full: true });

    /** Release 2 is live; what `damage` does to the inbox follows, and nobody here remembers anything. */
    async function setBack(damage: (inbox: string, backup: string) => void) {
      const { main, shop } = await partnership();
      const inbox = shop.path('exchange/inbox');
      const backup = `${shop.folder}-backup`;
      cpSync(inbox, backup, { recursive: true });
      for (const text of ['Second', 'Third']) {
        await main.write('pages/index.md', page(text));
        await main.pushed();
        await shop.accept();
      }
      await main.push();
      damage(inbox, backup);
      freshCheckout(main);
      await main.write('pages/index.md', page('Fourth'));
      return { main, shop, before: await shop.snapshot() };
    }

    test.each<[string, Parameters<typeof setBack>[0]]>([
      ['its head is gone', (inbox) => rmSync(join(inbox, 'metadata/timestamp.json'))],
      [
        'an older inbox was put back',
        (inbox, backup) => {
          rmSync(inbox, { recursive: true });
          cpSync(backup, inbox, { recursive: true });
        },
      ],
      [
        'an older head was put back',
        (inbox, backup) => {
          cpSync(backup, inbox, { recursive: true });
        },
      ],
      [
        'everything there is gone',
        (inbox) => {
          for (const folder of ['metadata', 'targets', 'packs'])
            rmSync(join(inbox, folder), { recursive: true, force: true });
        },
      ],
    ])('nothing is signed where %s, unless the manager says so, and then no number twice', async (_what, damage) => {
      const { main, shop, before } = await setBack(damage);
      const refused = { kind: 'failed', error: { code: 'TIEUP_E_VERIFY', hint: expect.stringContaining('--full') } };
      for (let time = 0; time < 2; time += 1) {
        expect(await main.push()).toMatchObject([refused]);
        expect(await refresh(main.site, [], 1)).toMatchObject([
          { ...refused, kind: expect.stringMatching(/failed|skipped/) },
        ]);
        expect(await shop.snapshot()).toEqual(before);
      }
      expect(await said(main)).toMatchObject([{ kind: 'pushed', release: 4 }]);
      expect(await shop.accept()).toMatchObject({ kind: 'live' });
      expect((await shop.live())['with-main/index.html']).toContain('Fourth');
      expect(await main.push()).toMatchObject([{ kind: 'unchanged', release: 4 }]);
    });

    test('what anybody could have put there under a higher number is no trace of a release', async () => {
      const { main, shop } = await partnership();
      for (const [name, text] of Object.entries({ 7: '{}', 8: 'junk', 4294967296: '{"signed":{}}' }))
        writeFileSync(shop.path(`exchange/inbox/metadata/${name}.targets.json`), text);
      freshCheckout(main);
      await main.write('pages/index.md', page('Second'));
      expect(await main.pushed()).toMatchObject({ release: 2 });
    });

    test('one release more than the head says, to which nobody has answered, is a push that died at its end', async () => {
      const { main, shop } = await partnership();
      const head = shop.path('exchange/inbox/metadata/timestamp.json');
      const bytes = readFileSync(head);
      await main.write('pages/index.md', page('Second'));
      await main.pushed();
      writeFileSync(head, bytes);
      freshCheckout(main);
      main.clock.passDays(1);
      expect(await main.pushed()).toMatchObject({ release: 3 });
      expect(await shop.accept()).toMatchObject({ kind: 'live' });
    });

    test('a first push that died at its end is done again without a person', async () => {
      const { main, shop } = await partnership();
      rmSync(shop.path('exchange/inbox/metadata/timestamp.json'));
      freshCheckout(main);
      main.clock.passDays(1);
      expect(await main.pushed()).toMatchObject({ release: 2 });
      expect(await shop.accept()).toMatchObject({ kind: 'live' });
    });
  });

  test('metadata whose time is over still tells the versions, and the next release is above them', async () => {
    const { main, shop } = await partnership();
    freshCheckout(main);
    main.clock.passDays(200);
    await expect(shop.accept()).rejects.toMatchObject({ code: 'TIEUP_E_EXPIRED' });
    await main.write('pages/index.md', page('Second'));
    expect(await main.pushed()).toMatchObject({ release: 2, sentObjects: 1 });
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });
});

test('a release is kept for good in a fraction of its length, and what an older version of tieup kept is read as well', async () => {
  const { main } = await partnership();
  const { release, releaseDigest } = await main.pushedBefore();
  const folder = join(main.folder, '.tieup/partners/harbour/releases');
  const plain = renderRelease(release);
  expect(readFileSync(join(folder, `${releaseDigest}.json.gz`)).length).toBeLessThan(plain.length / 1.5);
  expect(await recallRelease(main.site, 'harbour', releaseDigest)).toEqual(release);
  writeFileSync(join(folder, `${releaseDigest}.json.gz`), 'damaged');
  await expect(recallRelease(main.site, 'harbour', releaseDigest)).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
  rmSync(join(folder, `${releaseDigest}.json.gz`));
  writeFileSync(join(folder, `${releaseDigest}.json`), plain);
  expect(await recallRelease(main.site, 'harbour', releaseDigest)).toEqual(release);
});
