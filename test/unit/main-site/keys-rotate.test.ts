/** Keys of the main site over years, tried with a partner that verifies with a real TUF client. */
import { describe, expect, test } from 'vitest';
import type { TieupError } from '../../../src/errors.ts';
import { isTieupError } from '../../../src/errors.ts';
import { parseMainSite } from '../../../src/config/main-site.ts';
import { isKeyName } from '../../../src/io/keys.ts';
import { invite } from '../../../src/main-site/invite.ts';
import { renewRoots, rotateMaster, rotateRoot, type Rotation } from '../../../src/main-site/keys-rotate.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { refresh } from '../../../src/main-site/refresh.ts';
import { addHolderKeys, applyRoots, isSettled, signHere } from '../../../src/main-site/root-ceremony.ts';
import { loadPartnerships } from '../../../src/main-site/partnerships.ts';
import { newestRoot, rootVersions } from '../../../src/main-site/root-store.ts';
import {
  parseRootRequest,
  renderRootRequest,
  requestDigest,
  type RootRequest,
} from '../../../src/protocol/root-request.ts';
import { parseRoot } from '../../../src/protocol/tuf-metadata.ts';
import { lockedKeys, memoryKeys, seededKey } from '../../support/memory-keys.ts';
import { mainFixture, type MainFixture, PAGES, partnership } from '../../support/partnership-fixture.ts';
import { refusedAccept } from '../../support/refusal.ts';
import { partnerSeeds, rootOf } from '../../support/signed-inbox.ts';
import { snapshotOf } from '../../support/snapshot.ts';

/** The main site as the next command sees it, after tieup.yaml may have changed. */
async function reopened(main: MainFixture): Promise<MainSite> {
  const text = new TextDecoder().decode(await main.site.files.read('tieup.yaml', 1e6));
  return { ...main.site, config: parseMainSite(text, 'tieup.yaml') };
}

async function refusal(work: Promise<unknown>): Promise<TieupError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isTieupError(error)) throw error ?? new Error('it was not refused');
  return error;
}

function requestOf(rotation: Rotation): RootRequest {
  if (rotation.kind !== 'needs-holders') throw new Error('nobody else need sign');
  return rotation.request;
}

const edit = (main: MainFixture, text: string): Promise<void> =>
  main.write('pages/story.md', `---\ntitle: ${text}\n---\n\n${text}\n`);

describe('a new online master', () => {
  test('is taken by the partner with the next push, which asks the manager nothing', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    const before = await newestRoot(main.site, 'harbour');
    expect(await rotateMaster(main.site, 'online')).toEqual({
      kind: 'done',
      made: 'online-2',
      roots: [{ partner: 'harbour', version: 2 }],
    });
    const after = await newestRoot(main.site, 'harbour');
    expect(after.keyIds.timestamp).not.toEqual(before.keyIds.timestamp);
    expect(after.keyIds.snapshot).toEqual(after.keyIds.timestamp);
    expect([after.keyIds.root, after.keyIds.targets]).toEqual([before.keyIds.root, before.keyIds.targets]);
    expect(await main.push()).toMatchObject([{ kind: 'unchanged', release: 1 }]);
    expect(await shop.accept()).toMatchObject({ kind: 'nothing-new', release: 1 });
    await edit(main, 'Autumn');
    await main.pushed();
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('is taken with a refresh as well, for which the release key need not be there', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await rotateMaster(main.site, 'online');
    const cron = { ...main.site, keys: lockedKeys(main.site.keys, ['root', 'release']) };
    expect(await refresh(cron, [], 1)).toMatchObject([{ kind: 'refreshed', release: 1 }]);
    expect(await shop.accept()).toMatchObject({ kind: 'nothing-new', release: 1 });
  });

  test('is missed at once by a machine that still has the old one alone, and nothing is signed there', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await rotateMaster(main.site, 'online');
    await main.push();
    await shop.accept();
    const behind = { ...main.site, keys: memoryKeys('main', ['online']) };
    const inbox = await snapshotOf(shop.path('exchange/inbox'));
    const error = await refusal(
      refresh(behind, [], 1).then(([result]) => (result?.kind === 'failed' ? Promise.reject(result.error) : result)),
    );
    expect(error.code).toBe('TIEUP_E_KEY');
    expect(error.message).toBe('root 2 of harbour names another online key: online here is not it');
    expect(await snapshotOf(shop.path('exchange/inbox'))).toEqual(inbox);
  });

  test('can be brought to CI under the name of the first', async () => {
    const { main } = await partnership();
    await rotateMaster(main.site, 'online');
    const newest = await main.site.keys.load('online-2');
    const ci = memoryKeys('ci');
    await ci.create('online', newest, undefined);
    expect(await refresh({ ...main.site, keys: ci }, [], 1)).toMatchObject([{ kind: 'refreshed' }]);
  });
});

describe('a new release master', () => {
  test('signs the same pages as a new release, which the manager confirms', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    expect(await rotateMaster(main.site, 'release')).toMatchObject({ made: 'release-2' });
    expect(await refresh(main.site, [], 1)).toMatchObject([
      { kind: 'failed', error: { message: 'the release key was replaced since release 1 of harbour was pushed' } },
    ]);
    expect(await main.push()).toMatchObject([{ kind: 'pushed', release: 2, sentObjects: 0 }]);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('is made although the rotation of another key is not finished', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await rotateMaster(main.site, 'online');
    await main.remove('partners/harbour/2.root.json');
    expect(await rotateMaster(main.site, 'release')).toMatchObject({ kind: 'done', made: 'release-2' });
    const rolesOf = async (version: number) =>
      parseRoot(await main.site.files.read(`partners/harbour/${version}.root.json`, 1e6)).signed.roles;
    const [before, after] = [await rolesOf(1), await rolesOf(2)];
    for (const role of ['targets', 'timestamp']) expect(after[role]?.keyIDs).not.toEqual(before[role]?.keyIDs);
    expect(await main.push()).toMatchObject([{ kind: 'pushed', release: 2 }]);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('is not made twice when the first rotation was interrupted before all roots were signed', async () => {
    const { main } = await partnership();
    await main.join('moor');
    await rotateMaster(main.site, 'release');
    await main.remove('partners/moor/2.root.json');
    expect(await rotateMaster(main.site, 'release')).toEqual({
      kind: 'done',
      made: null,
      roots: [{ partner: 'moor', version: 2 }],
    });
    expect(await rotateMaster(main.site, 'release')).toMatchObject({ made: 'release-3' });
  });
});

describe('a new root master', () => {
  test('is named in tieup.yaml, signed by the old and the new one, and taken by the partner', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    expect(await rotateRoot(main.site, { holder: undefined, by: undefined })).toEqual({
      kind: 'done',
      made: 'root-main-2',
      roots: [{ partner: 'harbour', version: 2 }],
    });
    const site = await reopened(main);
    expect(site.config.roots).toEqual({ threshold: 1, holders: ['main-2'] });
    await edit(main, 'Winter');
    expect(await main.push({}, site)).toMatchObject([{ kind: 'pushed' }]);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
    // The old master signs nothing any more.
    const old = { ...site, keys: memoryKeys('main', ['root', 'release', 'online']) };
    expect(await renewRoots(old, [])).toMatchObject({ kind: 'needs-holders' });
  });

  test('a partner that slept through three rotations walks from root to root', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await rotateMaster(main.site, 'online');
    await main.push();
    await rotateRoot(main.site, { holder: undefined, by: undefined });
    const site = await reopened(main);
    await main.push({}, site);
    await rotateMaster(site, 'release');
    await rotateMaster(site, 'online');
    await edit(main, 'Spring');
    await main.push({}, site);
    expect(await rootVersions(site, 'harbour')).toEqual([1, 2, 3, 4, 5]);
    main.clock.passDays(1);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
    expect((await shop.live())['with-main/story.html']).toContain('Spring');
  });

  test('a partner that joined with the first root and never looked does so too', async () => {
    const main = await mainFixture();
    const shop = await main.join();
    await rotateMaster(main.site, 'online');
    await rotateRoot(main.site, { holder: undefined, by: undefined });
    await main.push({}, await reopened(main));
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('a root that the old master did not sign is refused by the partner, whose pages stay', async () => {
    const { shop } = await partnership();
    await shop.accept();
    const live = await shop.live();
    // Whoever writes into the inbox, with a root and keys of its own.
    await shop.write('exchange/inbox/metadata/2.root.json', rootOf(partnerSeeds('harbour'), 2));
    const { error } = await refusedAccept(shop);
    expect(error.message).toMatch(/^2\.root\.json /);
    expect(await shop.live()).toEqual(live);
  });
});

describe('two root keys, of which the spare is kept elsewhere', () => {
  /** Joined while both keys were here; afterwards one of them is not. */
  async function without(name: 'root' | 'root-spare') {
    const main = await mainFixture(PAGES, ['main', 'spare']);
    const shop = await main.join();
    await main.pushed();
    await shop.accept();
    const left = ['root', 'root-spare'].filter((each) => each !== name).filter(isKeyName);
    const keys = memoryKeys('main', [...left, 'release', 'online', 'document']);
    return { main, shop, site: { ...main.site, keys } };
  }

  /** A change reaches the partner's visitors. */
  async function expectBusiness({ main, shop, site }: Awaited<ReturnType<typeof without>>, text: string) {
    await edit(main, text);
    expect(await main.push({ full: true }, { ...(await reopened(main)), keys: site.keys })).toMatchObject([
      { kind: 'pushed' },
    ]);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  }

  test.each(['root', 'root-spare'] as const)(
    'without %s the other one signs alone, and both stay named',
    async (gone) => {
      const { main, shop, site } = await without(gone);
      const before = await newestRoot(site, 'harbour');
      expect(before).toMatchObject({ threshold: 1, keyIds: { root: [expect.any(String), expect.any(String)] } });
      expect(await rotateMaster(site, 'online')).toMatchObject({ kind: 'done', made: 'online-2' });
      expect((await newestRoot(site, 'harbour')).keyIds.root).toEqual(before.keyIds.root);
      await expectBusiness({ main, shop, site }, `Without ${gone}`);
    },
  );

  test.each([
    ['root', 'main', 'main-2', ['main-2', 'spare']],
    ['root-spare', 'spare', 'spare-2', ['main', 'spare-2']],
  ] as const)(
    'a lost %s is replaced with the other one, and the partner notices nothing',
    async (lost, holder, by, holders) => {
      const { main, shop, site } = await without(lost);
      const before = await newestRoot(site, 'harbour');
      expect(await rotateRoot(site, { holder, by: undefined })).toEqual({
        kind: 'done',
        made: `root-${by}`,
        roots: [{ partner: 'harbour', version: 2 }],
      });
      expect((await reopened(main)).config.roots).toEqual({ threshold: 1, holders });
      const after = await newestRoot(site, 'harbour');
      expect(after.keyIds.root.filter((id) => before.keyIds.root.includes(id))).toHaveLength(1);
      await expectBusiness({ main, shop, site }, 'After the loss');
      // Found again, or stolen: the lost key signs nothing any more.
      const thief = { ...(await reopened(main)), keys: memoryKeys('main', [lost, 'release', 'online']) };
      const versions = await rootVersions(site, 'harbour');
      const request = requestOf(await renewRoots(thief, []));
      const partnerships = await loadPartnerships(thief);
      expect((await refusal(applyRoots(thief, request, partnerships))).code).toBe('TIEUP_E_KEY');
      expect(await rootVersions(site, 'harbour')).toEqual(versions);
    },
  );

  test('a new partner needs the spare for a moment, or nothing is made', async () => {
    const { main, site } = await without('root-spare');
    await main.write(
      'partners/moor.yaml',
      'id: moor\nname: Moor\nurl: https://moor.example/\nmount: /with-main/\nperiod:\n  from: "2026-01-01"\n',
    );
    expect(await refusal(invite(site, { partner: 'moor', hours: 1 }))).toMatchObject({
      code: 'TIEUP_E_KEY',
      message: 'the first root of moor names every root key, and root-spare.key is not here',
      hint: 'bring it for a moment: tieup invite moor --root-keys <its folder>',
    });
    expect(await rootVersions(site, 'moor')).toEqual([]);
    expect((await invite(main.site, { partner: 'moor', hours: 1 })).words).toHaveLength(6);
  });

  test('a file of names can bring in no key that the root does not name', async () => {
    const { main, shop, site } = await without('root-spare');
    const before = await newestRoot(site, 'harbour');
    const evil = Buffer.from(seededKey('mallory', 'root')).toString('hex');
    await main.write('partners/harbour/holders.json', JSON.stringify({ spare: evil }));
    expect(await rotateMaster(site, 'online')).toMatchObject({ kind: 'needs-holders' });
    await main.write('partners/harbour/holders.json', '{');
    expect((await refusal(renewRoots(site, []))).message).toBe('partners/harbour/holders.json is damaged');
    expect(await newestRoot(site, 'harbour')).toEqual(before);
    expect(await shop.accept()).toMatchObject({ kind: 'nothing-new' });
  });
});

describe('renewing roots', () => {
  test('makes them last longer with the same keys', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    const before = await newestRoot(main.site, 'harbour');
    main.clock.passDays(400);
    expect(await renewRoots(main.site, [])).toEqual({
      kind: 'done',
      made: null,
      roots: [{ partner: 'harbour', version: 2 }],
    });
    const after = await newestRoot(main.site, 'harbour');
    expect(after.keyIds).toEqual(before.keyIds);
    expect(after.expires > before.expires).toBe(true);
    await main.push({ full: true });
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });
});

describe('two of three root holders', () => {
  const CONFIG =
    'role: main\nsite:\n  name: Northwind Coffee\n  url: https://northwind.example/\nroots:\n  threshold: 2\n  holders: [alice, bob, carol]\n';
  const holder = (name: string) => memoryKeys(name, [`root-${name}`]);
  const [alice, bob, carol, dave] = ['alice', 'bob', 'carol', 'dave'].map(holder);

  /** The file as the next holder gets it. */
  const travel = (request: RootRequest): RootRequest => parseRootRequest(renderRootRequest(request));

  async function throughHands(
    request: RootRequest,
    hands: readonly (ReturnType<typeof holder> | undefined)[],
  ): Promise<RootRequest> {
    let current = request;
    for (const keys of hands) if (keys !== undefined) current = travel(await signHere(keys, travel(current)));
    return current;
  }

  async function withThree(): Promise<{
    main: MainFixture;
    site: MainSite;
    shop: Awaited<ReturnType<MainFixture['join']>>;
  }> {
    const { main, shop } = await partnership();
    await shop.accept();
    await main.write('tieup.yaml', CONFIG);
    const site = await reopened(main);
    const request = requestOf(await renewRoots(site, []));
    // Every holder adds public keys first; the old lone holder signs as well, because the old root asks for it.
    const complete = await throughHands(request, [alice, bob, carol, main.keys, alice, bob]);
    expect(isSettled(complete)).toBe(true);
    await applyRoots(site, complete, await loadPartnerships(site));
    return { main, site, shop };
  }

  test('take over from the lone holder, and the partner follows', async () => {
    const { main, site, shop } = await withThree();
    const root = await newestRoot(site, 'harbour');
    expect([root.threshold, root.keyIds.root.length]).toEqual([2, 3]);
    await edit(main, 'Three');
    await main.push({}, site);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('can lose one and replace it, as long as two sign', async () => {
    const { main, site, shop } = await withThree();
    const rotation = await rotateRoot(site, { holder: 'carol', by: 'dave' });
    const next = await reopened(main);
    expect(next.config.roots).toEqual({ threshold: 2, holders: ['alice', 'bob', 'dave'] });
    const complete = await throughHands(requestOf(rotation), [dave, alice, bob, alice]);
    expect(isSettled(complete)).toBe(true);
    await applyRoots(next, complete, await loadPartnerships(next));
    await edit(main, 'Dave');
    await main.push({}, next);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('one alone is not enough, and nothing is written', async () => {
    const { site } = await withThree();
    const request = requestOf(await rotateMaster(site, 'online'));
    const half = await throughHands(request, [alice, bob, carol]);
    const onlyCarol = { ...half, partners: half.partners.map((each) => ({ ...each, signatures: {} })) };
    const partnerships = await loadPartnerships(site);
    const one = await throughHands(onlyCarol, [carol]);
    const error = await refusal(applyRoots(site, one, partnerships));
    expect(error.code).toBe('TIEUP_E_KEY');
    expect(error.message).toBe('the root of harbour has 1 of 2 signatures of its new holders');
    expect(await rootVersions(site, 'harbour')).toEqual([1, 2]);
  });

  test('a file that was changed on its way is noticed by the holder whose key it changes', async () => {
    const { site } = await withThree();
    const request = requestOf(await rotateMaster(site, 'online'));
    const known = await throughHands(request, [alice, bob]);
    const forged = await addHolderKeys(memoryKeys('mallory', ['root-mallory']), {
      ...known,
      partners: known.partners.map((each) => ({
        ...each,
        rootKeys: { ...each.rootKeys, carol: each.rootKeys['bob'] ?? '' },
      })),
    });
    const error = await refusal(signHere(carol ?? holder('carol'), travel(forged)));
    expect(error.code).toBe('TIEUP_E_VERIFY');
    expect(error.message).toContain('gives carol a key for harbour which is not carol’s');
  });

  test('a request with another release key has other words, and the main site refuses it', async () => {
    const { site } = await withThree();
    const complete = await throughHands(requestOf(await renewRoots(site, [])), [alice, bob, carol]);
    const stripped = {
      ...complete,
      partners: complete.partners.map((each) => ({ ...each, targets: each.online, signatures: {} })),
    };
    expect(requestDigest(stripped)).not.toBe(requestDigest(complete));
    const signed = await throughHands(stripped, [alice, bob]);
    const error = await refusal(applyRoots(site, signed, await loadPartnerships(site)));
    expect(error.message).toContain('names keys for harbour which are not this main site’s');
    expect(await rootVersions(site, 'harbour')).toEqual([1, 2]);
  });

  test('a request that was applied cannot be applied again', async () => {
    const { site } = await withThree();
    const complete = await throughHands(requestOf(await renewRoots(site, [])), [alice, bob, carol, alice]);
    const partnerships = await loadPartnerships(site);
    await applyRoots(site, complete, partnerships);
    expect((await refusal(applyRoots(site, complete, partnerships))).code).toBe('TIEUP_E_DRIFT');
  });

  test('a new partner can be invited once they have signed its first root', async () => {
    const { main, site } = await withThree();
    await main.write(
      'partners/moor.yaml',
      'id: moor\nname: Moor\nurl: https://moor.example/\nmount: /with-main/\nperiod:\n  from: "2026-01-01"\n',
    );
    const error = await refusal(invite(site, { partner: 'moor', hours: 1 }));
    expect(error).toMatchObject({ code: 'TIEUP_E_KEY', hint: 'ask them to sign it first: tieup keys renew moor' });
    const request = requestOf(await renewRoots(site, ['moor']));
    await applyRoots(site, await throughHands(request, [alice, bob, carol, alice]), await loadPartnerships(site));
    expect((await invite(site, { partner: 'moor', hours: 1 })).words).toHaveLength(6);
  });
});
