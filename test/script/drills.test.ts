/**
 * Compromise drills: what docs/keys.md tells people to do, done. The thief of each drill is given everything that the story
 * grants, and tries; then the cure is applied and the work goes on.
 */
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseMainSite } from '../../src/config/main-site.ts';
import { editYaml } from '../../src/config/document.ts';
import { isTieupError, type TieupError } from '../../src/errors.ts';
import { invite } from '../../src/main-site/invite.ts';
import { renewRoots, rotateMaster, rotateRoot, type Rotation } from '../../src/main-site/keys-rotate.ts';
import { loadPartnerships } from '../../src/main-site/partnerships.ts';
import { pendingKeys } from '../../src/main-site/partner-key-change.ts';
import { refresh } from '../../src/main-site/refresh.ts';
import { applyRoots, isSettled, signHere } from '../../src/main-site/root-ceremony.ts';
import { newestRoot, rootVersions } from '../../src/main-site/root-store.ts';
import { status } from '../../src/main-site/status.ts';
import { signFreshness } from '../../src/protocol/tuf-repository.ts';
import { releaseSeeds } from '../../src/main-site/partner-keys.ts';
import type { MainSite } from '../../src/main-site/main-site.ts';
import type { RootRequest } from '../../src/protocol/root-request.ts';
import { accept } from '../../src/partner-site/accept.ts';
import { rotateOwnKey } from '../../src/partner-site/keys-rotate.ts';
import { signPolicy } from '../../src/partner-site/policy.ts';
import { reject } from '../../src/partner-site/reject.ts';
import { HARMLESS, layHostile } from '../support/hostile-release.ts';
import { lockedKeys, memoryKeys, type MemoryKeys } from '../support/memory-keys.ts';
import type { OpenOptions, PartnerFixture } from '../support/partner-fixture.ts';
import { type MainFixture, partnership } from '../support/partnership-fixture.ts';

const edit = (main: MainFixture, text: string): Promise<void> =>
  main.write('pages/story.md', `---\ntitle: ${text}\n---\n\n${text}\n`);

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

/** The refusal of an `accept`; what visitors see stays. */
async function refusedLive(shop: PartnerFixture, options: OpenOptions = {}): Promise<TieupError> {
  const live = await shop.live();
  const error = await refusal(shop.open(options).then((site) => shop.accept(site)));
  expect(await shop.live()).toEqual(live);
  return error;
}

/** The work goes on: a change reaches visitors. */
async function expectBusiness(main: MainFixture, shop: PartnerFixture, text: string, site = main.site): Promise<void> {
  await edit(main, text);
  expect(await main.push({ full: true }, site)).toMatchObject([{ kind: 'pushed' }]);
  expect(await shop.accept()).toMatchObject({ kind: 'live' });
  expect((await shop.live())['with-main/story.html']).toContain(text);
}

async function started(): Promise<{ readonly main: MainFixture; readonly shop: PartnerFixture }> {
  const made = await partnership();
  await made.shop.accept();
  return made;
}

describe('the online key is stolen', () => {
  test('the thief can hold back news or confuse, never change a page; a new online key ends it', async () => {
    const { main, shop } = await started();
    const live = await shop.live();
    // The thief has the inbox, the online key, and signs the highest numbers there are over the release that is there.
    const { online } = await releaseSeeds(main.site, { partner: 'harbour', epoch: 1 });
    const targets = await readFile(shop.path('exchange/inbox/metadata/1.targets.json'));
    const highest = Number.MAX_SAFE_INTEGER;
    const forged = signFreshness({
      online,
      versions: { snapshot: highest, timestamp: highest },
      now: main.clock.now(),
      targets: { version: 1, bytes: targets },
    });
    for (const { name, bytes } of [forged.snapshot, forged.timestamp])
      await shop.write(`exchange/inbox/metadata/${name}`, bytes);
    // Nothing is new for the partner, which has now seen a number that none can follow.
    expect(await shop.accept()).toMatchObject({ kind: 'nothing-new' });
    expect(await shop.live()).toEqual(live);
    // An attempt at another release fails: the targets are not the release key's.
    const evil = signFreshness({
      online,
      versions: { snapshot: highest, timestamp: highest },
      now: main.clock.now(),
      targets: { version: 2, bytes: Buffer.from(targets.toString().replace('"version": 1', '"version": 2')) },
    });
    const before = await readFile(shop.path('exchange/inbox/metadata/timestamp.json'));
    await shop.write('exchange/inbox/metadata/timestamp.json', evil.timestamp.bytes);
    expect((await refusedLive(shop)).code).toBe('TIEUP_E_VERIFY');
    await shop.write('exchange/inbox/metadata/timestamp.json', before);

    await rotateMaster(main.site, 'online');
    // In CI, which remembers nothing of what was pushed.
    rmSync(join(main.folder, '.tieup'), { recursive: true });
    await expectBusiness(main, shop, 'After the theft');
    // What the thief signs from now on is not believed.
    const later = await readFile(shop.path('exchange/inbox/metadata/timestamp.json'));
    await shop.write('exchange/inbox/metadata/timestamp.json', forged.timestamp.bytes);
    expect((await refusedLive(shop)).code).toBe('TIEUP_E_VERIFY');
    await shop.write('exchange/inbox/metadata/timestamp.json', later);
    expect(await shop.accept()).toMatchObject({ kind: 'nothing-new' });
  });
});

describe('the release key is stolen', () => {
  test('alone it reaches nobody, and the manager still has the last word; a new release key ends it', async () => {
    const { main, shop } = await started();
    // Without the online key and the inbox a signed release is a file that nobody looks at.
    const alone = { ...main.site, keys: lockedKeys(memoryKeys('main', ['release', 'online']), ['online']) };
    expect(await main.push({ full: true }, alone)).toMatchObject([
      { kind: 'failed', error: { code: 'TIEUP_E_PASSWORD' } },
    ]);
    await rotateMaster(main.site, 'release');
    await expectBusiness(main, shop, 'After the theft');
    // With the stolen release key, and even with today's online key, there is no release any more.
    const thief = memoryKeys('main', ['release', 'online']);
    await edit(main, 'Evil');
    const [pushed] = await main.push({ full: true }, { ...main.site, keys: thief });
    expect(pushed).toMatchObject({ kind: 'failed', error: { code: 'TIEUP_E_KEY' } });
    expect((await shop.live())['with-main/story.html']).toContain('After the theft');
  });
});

describe('the release key and the online key are stolen', () => {
  test.each([
    ['was seen and rejected', 'remembers what it pushed', Number.MAX_SAFE_INTEGER],
    ['was accepted', 'remembers what it pushed', Number.MAX_SAFE_INTEGER],
    ['was seen and rejected', 'remembers nothing', Number.MAX_SAFE_INTEGER],
    ['was accepted', 'remembers nothing', 1000],
  ])('a false release %s, the main site %s: new keys end it (release %i)', async (answer, memory, version) => {
    const { main, shop } = await started();
    const masters = ['release', 'online'] as const;
    await layHostile(main, shop, { files: HARMLESS, version });
    if (answer === 'was accepted') await shop.accept();
    else await reject(await shop.open(), 'not expected');
    expect('with-main/page.html' in (await shop.live())).toBe(answer === 'was accepted');
    for (const master of masters) await rotateMaster(main.site, master);
    if (memory === 'remembers nothing') rmSync(join(main.folder, '.tieup'), { recursive: true });
    await expectBusiness(main, shop, 'After the theft');
    expect(Object.keys(await shop.live())).not.toContain('with-main/page.html');
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'live' }]);
    await expectBusiness(main, shop, 'And again');
  });
});

describe('the SFTP account is stolen', () => {
  test('the thief can delete, replay and litter, and no visitor sees any of it; a push mends the inbox', async () => {
    const { main, shop } = await started();
    const inbox = shop.path('exchange/inbox');
    const old = `${shop.folder}-old`;
    cpSync(inbox, old, { recursive: true });
    await edit(main, 'Second');
    await main.pushed();
    await shop.accept();
    const live = await shop.live();
    // Replay.
    rmSync(inbox, { recursive: true });
    cpSync(old, inbox, { recursive: true });
    expect((await refusedLive(shop)).code).toBe('TIEUP_E_ROLLBACK');
    // Litter.
    await shop.write('exchange/inbox/metadata/2.root.json', '{"signed":{}}');
    expect((await refusedLive(shop)).code).toBe('TIEUP_E_VERIFY');
    // Deletion.
    rmSync(inbox, { recursive: true });
    mkdirSync(inbox);
    expect((await refusedLive(shop)).code).toBe('TIEUP_E_NOT_FOUND');
    expect(await shop.live()).toEqual(live);
    // With another SSH key for the account, the next push puts everything back.
    await expectBusiness(main, shop, 'Third');
  });
});

describe("the partner's server is wiped", () => {
  test('state and keys from a backup, and one push, bring everything back', async () => {
    const { main, shop } = await started();
    const backup = `${shop.folder}-backup`;
    for (const name of ['tieup.yaml', 'state', 'keys', 'original'])
      await cp(shop.path(name), join(backup, name), { recursive: true, force: true }).catch(() => undefined);
    await edit(main, 'Newer than the backup');
    await main.pushed();
    await shop.accept();
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'live', live: 2 }]);
    for (const name of readdirSync(shop.folder)) rmSync(shop.path(name), { recursive: true, force: true });
    cpSync(backup, shop.folder, { recursive: true });
    mkdirSync(shop.path('exchange/inbox'), { recursive: true });
    mkdirSync(shop.path('exchange/outbox/decisions'), { recursive: true });
    expect(await shop.live()).toEqual({});
    // The backup remembers one decision fewer than the main site has seen; the next one closes the gap for good.
    expect(await main.push({ full: true })).toMatchObject([{ kind: 'pushed', release: 3 }]);
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
    expect((await shop.live())['with-main/story.html']).toContain('Newer than the backup');
    const [row] = await status(main.site, [], 1);
    // Honest: two different decisions with the number 2 exist, and the main site says so until its operator has asked.
    expect(row).toMatchObject({ state: 'failed', detail: expect.stringContaining('went back in time') });
    rmSync(join(main.folder, '.tieup/partners/harbour/record.json'));
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'live', live: 3 }]);
  });
});

describe('the manager leaves', () => {
  test('and hands over: the accept key is rotated, words are compared, decisions go on', async () => {
    const { main, shop } = await started();
    const { words } = await rotateOwnKey(await shop.open(), 'accept');
    const pending = await pendingKeys(main.site, 'harbour');
    expect(pending?.words).toEqual(words);
  });

  test('without handing over: nothing can be accepted, nothing is lost, and a new invitation starts anew', async () => {
    const { main, shop } = await started();
    const config = { auto: { allow: 'content' } } as const;
    await signPolicy(await shop.open({ config }));
    await edit(main, 'Waiting');
    await main.pushed();
    const live = await shop.live();
    const without = lockedKeys(shop.keys, ['accept']);
    expect((await refusedLive(shop, { keys: without })).code).toBe('TIEUP_E_PASSWORD');
    expect((await refusal(shop.open({ keys: without }).then((site) => rotateOwnKey(site, 'accept')))).code).toBe(
      'TIEUP_E_PASSWORD',
    );
    expect(await shop.live()).toEqual(live);
    // The steps of docs/keys.md: the ledger of the live pages stays, trust and decisions begin anew.
    const known = ['state/tuf', 'state/keys', 'state/decisions', 'state/policy.note'];
    for (const path of ['tieup.yaml', ...known, 'exchange/outbox']) rmSync(shop.path(path), { recursive: true });
    rmSync(join(main.folder, '.tieup/partners/harbour/record.json'));
    const again = await main.join();
    await expectBusiness(main, again, 'Under a new manager');
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'live', live: 3 }]);
    // What the manager before allowed is allowed no more.
    await edit(main, 'By nobody');
    await main.pushed();
    const byPolicy = { answering: { kind: 'policy', show: async () => {} }, choices: {} } as const;
    expect(await accept(await again.open({ config }), byPolicy)).toMatchObject({ kind: 'left-to-the-manager' });
  });
});

describe('a root key is lost', () => {
  const holder = (name: string): MemoryKeys => memoryKeys(name, [`root-${name}`]);

  async function throughHands(request: RootRequest, hands: readonly MemoryKeys[]): Promise<RootRequest> {
    let current = request;
    for (const keys of hands) current = await signHere(keys, current);
    return current;
  }

  const requestOf = (rotation: Rotation): RootRequest => {
    if (rotation.kind !== 'needs-holders') throw new Error('nobody else need sign');
    return rotation.request;
  };

  async function withThree() {
    const { main, shop } = await started();
    const text = new TextDecoder().decode(await main.site.files.read('tieup.yaml', 1e6));
    const roots = { threshold: 2, holders: ['alice', 'bob', 'carol'] };
    await main.write('tieup.yaml', editYaml(text, 'tieup.yaml', [{ path: ['roots'], value: roots }]));
    const site = await reopened(main);
    const [alice, bob, carol] = [holder('alice'), holder('bob'), holder('carol')];
    const request = await throughHands(requestOf(await renewRoots(site, [])), [alice, bob, carol, main.keys, alice]);
    await applyRoots(site, request, await loadPartnerships(site));
    await expectBusiness(main, shop, 'Three holders', site);
    return { main, shop, alice, bob, carol };
  }

  test('with the threshold still met: the others replace it, and the partner notices nothing', async () => {
    const { main, shop, alice, bob } = await withThree();
    const dave = holder('dave');
    const rotation = await rotateRoot(await reopened(main), { holder: 'carol', by: 'dave' });
    const site = await reopened(main);
    const request = await throughHands(requestOf(rotation), [dave, alice, bob, alice]);
    expect(isSettled(request)).toBe(true);
    await applyRoots(site, request, await loadPartnerships(site));
    await expectBusiness(main, shop, 'Dave for Carol', site);
  });

  test('with the threshold not met: no root can follow, live pages stay, and the way out is a new invitation', async () => {
    const { main, shop, alice } = await withThree();
    const [dave, erin] = [holder('dave'), holder('erin')];
    await rotateRoot(await reopened(main), { holder: 'carol', by: 'dave' });
    const rotation = await rotateRoot(await reopened(main), { holder: 'bob', by: 'erin' });
    const site = await reopened(main);
    const request = await throughHands(requestOf(rotation), [dave, erin, alice, dave, erin]);
    const versions = await rootVersions(site, 'harbour');
    const error = await refusal(applyRoots(site, request, await loadPartnerships(site)));
    expect(error.message).toBe('the root of harbour has 1 of 2 signatures of its present holders');
    expect(await rootVersions(site, 'harbour')).toEqual(versions);
    // Until the root expires everything goes on with the keys that it names.
    await expectBusiness(main, shop, 'Still at work', site);
    // The way out: a first root of the new holders, which the partner trusts because words were compared.
    const live = await shop.live();
    rmSync(join(main.folder, 'partners/harbour'), { recursive: true });
    await startAnew(main);
    const first = await throughHands(requestOf(await renewRoots(site, ['harbour'])), [alice, dave, erin, alice]);
    await applyRoots(site, first, await loadPartnerships(site));
    expect((await newestRoot(site, 'harbour')).version).toBe(1);
    expect((await invite(site, { partner: 'harbour', hours: 72 })).words).toHaveLength(6);
    expect(await shop.live()).toEqual(live);
    expect(await refresh(site, ['harbour'], 1)).toMatchObject([{ kind: 'skipped' }]);
  });
});

/** What the operator does before a new invitation. */
async function startAnew(main: MainFixture): Promise<void> {
  const path = 'partners/harbour.yaml';
  const text = new TextDecoder().decode(await main.site.files.read(path, 1e6));
  const edits = [
    { path: ['status'], value: 'invited' },
    { path: ['keys'], value: null },
  ];
  await main.write(path, editYaml(text, path, edits));
}
