/** A partner changes its own keys, and the main site learns of it. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { TieupError, isTieupError } from '../../../src/errors.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { pendingKeys, trustKeys } from '../../../src/main-site/partner-key-change.ts';
import { loadPartnership } from '../../../src/main-site/partnerships.ts';
import { refresh } from '../../../src/main-site/refresh.ts';
import { status } from '../../../src/main-site/status.ts';
import { accept } from '../../../src/partner-site/accept.ts';
import { rotateOwnKey } from '../../../src/partner-site/keys-rotate.ts';
import { lastDecision } from '../../../src/partner-site/decide.ts';
import { signPolicy } from '../../../src/partner-site/policy.ts';
import { status as siteStatus } from '../../../src/partner-site/status.ts';
import { renderKeys } from '../../../src/protocol/keys-note.ts';
import { noteSigner, signNote } from '../../../src/protocol/note.ts';
import { renderVkey } from '../../../src/protocol/vkey.ts';
import { lockedKeys, seededKey } from '../../support/memory-keys.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import { refusalOf } from '../../support/refusal.ts';

const edit = (main: MainFixture, text: string): Promise<void> =>
  main.write('pages/story.md', `---\ntitle: ${text}\n---\n\n${text}\n`);

const stateOf = async (main: MainFixture) => (await status(main.site, [], 1))[0];

async function refusal(work: Promise<unknown>): Promise<TieupError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isTieupError(error)) throw error ?? new Error('it was not refused');
  return error;
}

/** A key of somebody else under the partner's name. */
const vkeyOf = (role: string): string =>
  renderVkey(`harbour/${role}`, noteSigner('x', seededKey('a stranger', role)).publicKey);

describe('a new site key', () => {
  test('is taken in by the main site by itself, and signs the receipts from then on', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    const before = await loadPartnership(main.site, 'harbour');
    expect(await rotateOwnKey(await shop.open(), 'site')).toMatchObject({ name: 'site-2', seq: 1, words: null });
    expect(await stateOf(main)).toMatchObject({ state: 'live', warnings: [] });
    const after = await loadPartnership(main.site, 'harbour');
    expect(after.keys?.site).not.toBe(before.keys?.site);
    expect(after).toMatchObject({ keysSeq: 1, keys: { accept: before.keys?.accept, log: before.keys?.log } });
    await edit(main, 'Autumn');
    await main.pushed();
    await shop.accept();
    expect(await stateOf(main)).toMatchObject({ state: 'live', live: 2 });
  });

  test('needs the accept key: without it nothing is made', async () => {
    const { shop } = await partnership();
    const { code } = await refusalOf(shop, async () =>
      rotateOwnKey(await shop.open({ keys: lockedKeys(shop.keys, ['accept']) }), 'site'),
    );
    expect(code).toBe('TIEUP_E_PASSWORD');
    expect(await shop.keys.has('site-2')).toBe(false);
  });

  test('keeps decisions by policy valid', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    const config = { auto: { allow: 'content' } } as const;
    await signPolicy(await shop.open({ config }));
    await rotateOwnKey(await shop.open(), 'site');
    await edit(main, 'Autumn');
    await main.pushed();
    const site = await shop.open({ config });
    const result = await accept(site, { answering: { kind: 'policy', show: async () => {} }, choices: {} });
    expect(result).toMatchObject({ kind: 'live', decision: { by: 'policy' } });
    expect(await stateOf(main)).toMatchObject({ state: 'live', live: 2 });
    // And the other way round: what was decided before stays readable after the next rotation.
    await rotateOwnKey(await shop.open(), 'site');
    expect((await lastDecision(await shop.open()))?.decision.seq).toBe(2);
    expect(await stateOf(main)).toMatchObject({ state: 'live', live: 2 });
  });
});

describe('a new accept key', () => {
  test('counts once the operator has compared the words, and nothing is lost in between', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    const rotated = await rotateOwnKey(await shop.open(), 'accept');
    expect(rotated).toMatchObject({ name: 'accept-2', seq: 1 });
    expect(await stateOf(main)).toMatchObject({
      state: 'live',
      warnings: ['it has a new accept key, which answers nothing until you trust it: tieup keys trust harbour'],
    });
    const pending = await pendingKeys(main.site, 'harbour');
    expect(pending?.words).toEqual(rotated.words);
    if (pending === undefined) throw new Error('no key waits');
    await trustKeys(main.site, pending);
    expect(await pendingKeys(main.site, 'harbour')).toBeUndefined();
    expect(await stateOf(main)).toMatchObject({ state: 'live', warnings: [] });
    await edit(main, 'Winter');
    await main.pushed();
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
    expect(await stateOf(main)).toMatchObject({ state: 'live', live: 2 });
    expect(await siteStatus(await shop.open())).toMatchObject({ inbox: { kind: 'live' } });
  });

  test('that nobody trusts yet decides nothing at the main site', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await rotateOwnKey(await shop.open(), 'accept');
    await edit(main, 'Winter');
    await main.pushed();
    await shop.accept();
    // What is live by the last word that could be trusted, not by the new key's.
    expect(await stateOf(main)).toMatchObject({ state: 'failed', pushed: 2, live: 1 });
  });
});

describe('a rotation that was interrupted', () => {
  test.each(['accept', 'site'] as const)(
    'of the %s key is finished by the next, and no note is spoilt',
    async (role) => {
      const { main, shop } = await partnership();
      await shop.accept();
      const config = { auto: { allow: 'content' } } as const;
      await signPolicy(await shop.open({ config }));
      const byPolicy = async () =>
        accept(await shop.open({ config }), { answering: { kind: 'policy', show: async () => {} }, choices: {} });
      await edit(main, 'Autumn');
      await main.pushed();
      await byPolicy();
      const site = await shop.open();
      const full: FileTree = {
        ...site.state,
        write: async (path, ...rest) => {
          if (path === 'keys/rotated.json') throw new TieupError('TIEUP_E_STORAGE', 'the disk is full');
          return site.state.write(path, ...rest);
        },
      };
      for (let times = 0; times < 2; times += 1)
        expect((await refusal(rotateOwnKey({ ...site, state: full }, role))).code).toBe('TIEUP_E_STORAGE');
      expect(await stateOf(main)).toMatchObject({ state: 'live', warnings: [] });

      expect(await rotateOwnKey(site, role)).toMatchObject({ name: `${role}-2`, seq: 1 });
      const pending = await pendingKeys(main.site, 'harbour');
      if (pending !== undefined) await trustKeys(main.site, pending);
      expect((await lastDecision(await shop.open()))?.decision.seq).toBe(2);
      expect(await stateOf(main)).toMatchObject({ state: 'live', warnings: [] });
      await edit(main, 'Winter');
      await main.pushed();
      expect(await byPolicy()).toMatchObject({ kind: 'live', decision: { by: 'policy' } });
      expect(await stateOf(main)).toMatchObject({ state: 'live', live: 3 });
    },
  );
});

describe('a statement of keys', () => {
  test('of somebody without the accept key is refused, and the keys stay', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    const before = await loadPartnership(main.site, 'harbour');
    const keys = { accept: before.keys?.accept ?? '', site: vkeyOf('site'), log: before.keys?.log ?? '' };
    const text = renderKeys({ partner: 'harbour', seq: 1, ...keys, time: '2026-11-23T12:00:00Z' });
    const thief = noteSigner('harbour/accept', seededKey('a stranger', 'accept'));
    await shop.write('exchange/outbox/keys.note', signNote(text, [thief]));
    expect(await stateOf(main)).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('none of the known keys'),
    });
    expect(await loadPartnership(main.site, 'harbour')).toEqual(before);
    expect((await refusal(pendingKeys(main.site, 'harbour'))).code).toBe('TIEUP_E_VERIFY');
  });

  test('that was there before is no way back to a key that was replaced', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await rotateOwnKey(await shop.open(), 'site');
    const first = await readFile(shop.path('exchange/outbox/keys.note'));
    await stateOf(main);
    await rotateOwnKey(await shop.open(), 'site');
    await stateOf(main);
    const known = await loadPartnership(main.site, 'harbour');
    await shop.write('exchange/outbox/keys.note', first);
    expect(await stateOf(main)).toMatchObject({
      state: 'failed',
      detail: 'the statement of keys of harbour cannot be trusted: it is number 1, but 2 was seen before',
    });
    expect(await loadPartnership(main.site, 'harbour')).toEqual(known);
  });
});

describe('half of a lifetime', () => {
  test('is said on both sides', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    main.clock.passDays(8);
    const words = 'is past half of its life, it expires on 2026-12-07';
    expect((await stateOf(main))?.warnings).toEqual([
      `its timestamp ${words}: tieup refresh harbour, which belongs into cron, daily`,
    ]);
    expect((await siteStatus(await shop.open())).warnings).toEqual([
      `the main site's word that nothing is newer ${words}: ask it whether tieup refresh runs daily; live pages stay`,
    ]);
    main.clock.passDays(91 - 8);
    await refresh(main.site, [], 1);
    expect((await stateOf(main))?.warnings).toEqual([
      'release 1 is past half of its life, it expires on 2027-05-22: tieup push --full harbour',
    ]);
    expect((await siteStatus(await shop.open())).warnings).toEqual([
      'the release is past half of its life, it expires on 2027-05-22: ask the main site to sign it anew; live pages stay',
    ]);
    main.clock.passDays(365 - 91 + 1);
    await refresh(main.site, [], 1);
    expect((await stateOf(main))?.warnings).toEqual([
      'its root is past half of its life, it expires on 2028-11-22: tieup keys renew harbour, then tieup push harbour',
      'release 1 expired on 2027-05-22: tieup push --full harbour',
    ]);
  });
});
