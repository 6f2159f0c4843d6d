/**
 * Attacks on what the two sites tell each other in files: invitations and answers on their way, and old answers that are
 * put back into an outbox. What the main site refuses leaves what it knows of the partner as it was. The single notes are
 * in test/unit/main-site/read-outbox.test.ts.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isTieupError, TieupError } from '../../src/errors.ts';
import { memoryTree } from '../../src/io/memory-tree.ts';
import { enroll, openAnswer } from '../../src/main-site/enroll.ts';
import { invite } from '../../src/main-site/invite.ts';
import { status } from '../../src/main-site/status.ts';
import { join as joinPartnership, type Joined, openInvitation } from '../../src/partner-site/join.ts';
import { publicKeyOf } from '../../src/protocol/ed25519.ts';
import { noteSigner, signNote } from '../../src/protocol/note.ts';
import { renderVkey } from '../../src/protocol/vkey.ts';
import { seededSshKey } from '../support/embedded-sftp.ts';
import { memoryKeys, seededKey, seededRandom } from '../support/memory-keys.ts';
import { type MainFixture, mainFixture, partnership } from '../support/partnership-fixture.ts';
import { FOLDERS, type PartnerFixture } from '../support/partner-fixture.ts';
import { snapshotOf } from '../support/snapshot.ts';

const HOUR_MS = 3600 * 1000;

async function invited(): Promise<{ main: MainFixture; bytes: Uint8Array }> {
  const main = await mainFixture();
  await main.write(
    'partners/harbour.yaml',
    'id: harbour\nname: Harbour Books\nurl: https://harbour.example/\nmount: /with-main/\nperiod:\n  from: "2026-01-01"\n',
  );
  return { main, bytes: (await invite(main.site, { partner: 'harbour', hours: 48 })).bytes };
}

/** What a partner in `files` answers to an invitation. */
function answerIn(files = memoryTree('shop')): (main: MainFixture, bytes: Uint8Array) => Promise<Joined> {
  const keys = memoryKeys('harbour');
  return (main, bytes) =>
    joinPartnership(
      {
        files,
        base: '/shop',
        exchange: memoryTree('exchange'),
        state: memoryTree('state'),
        keys,
        clock: main.clock,
        random: seededRandom('harbour'),
      },
      {
        opened: openInvitation(bytes, main.clock.now()),
        sftp: { url: 'sftp://main@harbour.example/exchange', hostKeys: [seededSshKey('harbour').publicKey] },
        url: 'https://harbour.example/',
        publish: 'link',
        folders: FOLDERS,
        schema: '{}',
        password: undefined,
      },
    );
}

/** The refusal of `work`, which must leave everything in `folder` as it is. */
async function refusalIn(folder: string, work: () => Promise<unknown>): Promise<{ code: string; message: string }> {
  const before = await snapshotOf(folder);
  const error: unknown = await work().then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  if (!isTieupError(error)) throw error ?? new Error('it was not refused');
  expect(await snapshotOf(folder)).toEqual(before);
  return { code: error.code, message: error.message };
}

/** Every bit of a hundred bytes all over the file turned, one after the other. */
function* altered(bytes: Uint8Array): Generator<Uint8Array> {
  for (let step = 0; step < 100; step++) {
    const copy = Uint8Array.from(bytes);
    const at = Math.floor((step * bytes.length) / 100);
    copy[at] = (copy[at] ?? 0) ^ (1 << (step % 8));
    yield copy;
  }
}

describe('an invitation', () => {
  test('that was altered anywhere is refused', async () => {
    const { main, bytes } = await invited();
    for (const wrong of altered(bytes)) {
      expect(() => openInvitation(wrong, main.clock.now())).toThrow(TieupError);
    }
    for (const wrong of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.from('\n')])]) {
      expect(() => openInvitation(wrong, main.clock.now())).toThrow(/refused|not/);
    }
  });

  test('that somebody else signed with another key has other words', async () => {
    const { main, bytes } = await invited();
    const { body, words } = openInvitation(bytes, main.clock.now());
    const evil = seededKey('a stranger', 'document');
    const forged = body.replace(/northwind\.example\/document\+[0-9a-f]{8}\+[^"\s]+/, () =>
      renderVkey('northwind.example/document', publicKeyOf(evil)),
    );
    expect(forged).not.toBe(body);
    const note = signNote(forged, [noteSigner('northwind.example/document', evil)]);
    const opened = openInvitation(note, main.clock.now());
    expect(opened.words).toHaveLength(6);
    expect(opened.words).not.toEqual(words);
  });

  test('is good for as long as it says, and no longer: neither side takes it up later', async () => {
    const { main, bytes } = await invited();
    const { answer } = await answerIn()(main, bytes);
    main.clock.set(new Date(main.clock.now().getTime() + 48 * HOUR_MS + 1000));
    expect(() => openInvitation(bytes, main.clock.now())).toThrow(/was good until/);
    expect(await refusalIn(main.folder, () => openAnswer(main.site, answer))).toEqual({
      code: 'TIEUP_E_VERIFY',
      message: expect.stringContaining('was good until'),
    });
  });

  test('makes one partner of one folder', async () => {
    const { main, bytes } = await invited();
    const answer = answerIn();
    await answer(main, bytes);
    await expect(answer(main, bytes)).rejects.toMatchObject({ code: 'TIEUP_E_EXISTS' });
  });

  test('is of no use once a newer one was sent', async () => {
    const { main, bytes } = await invited();
    const { answer } = await answerIn()(main, bytes);
    await invite(main.site, { partner: 'harbour', hours: 48 });
    expect((await refusalIn(main.folder, () => openAnswer(main.site, answer))).message).toContain('sent last');
  });
});

describe('an answer to an invitation', () => {
  test('is taken once', async () => {
    const { main, bytes } = await invited();
    const { answer } = await answerIn()(main, bytes);
    await enroll(main.site, await openAnswer(main.site, answer));
    expect((await refusalIn(main.folder, () => openAnswer(main.site, answer))).message).toContain('answered already');
  });

  test('that was altered anywhere is refused', async () => {
    const { main, bytes } = await invited();
    const { answer } = await answerIn()(main, bytes);
    const before = await snapshotOf(main.folder);
    for (const wrong of altered(answer)) await expect(openAnswer(main.site, wrong)).rejects.toThrow(TieupError);
    expect(await snapshotOf(main.folder)).toEqual(before);
  });
});

describe('an old answer that is put back into the outbox', () => {
  /** Release 1 and 2 are accepted and live; the answers to 1 lie in `old`. */
  async function twoAnswers(): Promise<{ main: MainFixture; shop: PartnerFixture; old: Record<string, Uint8Array> }> {
    const { main, shop } = await partnership();
    await shop.accept();
    await status(main.site, [], 1);
    const old: Record<string, Uint8Array> = {};
    for (const name of ['decision.note', 'receipt.note']) {
      old[name] = await readFile(join(shop.folder, 'exchange/outbox', name));
    }
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNew roast\n');
    await main.pushed();
    return { main, shop, old };
  }
  const put = (shop: PartnerFixture, name: string, bytes: Uint8Array | undefined): Promise<void> =>
    writeFile(join(shop.folder, 'exchange/outbox', name), bytes ?? '');
  const stateOf = async (main: MainFixture) => {
    const [row] = await status(main.site, [], 1);
    return { state: row?.state, detail: row?.detail };
  };

  test('says nothing about a release that it does not name', async () => {
    const { main } = await twoAnswers();
    expect(await stateOf(main)).toEqual({ state: 'pending', detail: null });
  });

  test('is noticed when it is a decision, and what was known stays known', async () => {
    const { main, shop, old } = await twoAnswers();
    await shop.accept();
    expect(await stateOf(main)).toEqual({ state: 'live', detail: null });
    const newest = await readFile(join(shop.folder, 'exchange/outbox/decision.note'));
    await put(shop, 'decision.note', old['decision.note']);
    expect(await stateOf(main)).toEqual({
      state: 'failed',
      detail: 'the outbox of harbour went back in time: it holds decision 1, but 2 was seen before',
    });
    await put(shop, 'decision.note', newest);
    expect(await stateOf(main)).toEqual({ state: 'live', detail: null });
  });

  test('is no receipt for a newer decision', async () => {
    const { main, shop, old } = await twoAnswers();
    await shop.accept();
    await put(shop, 'receipt.note', old['receipt.note']);
    expect(await stateOf(main)).toEqual({ state: 'accepted', detail: 'confirmed, not yet published' });
  });

  test('counts for no other partner', async () => {
    const { main, shop, old } = await twoAnswers();
    const other = await main.join('lighthouse');
    await main.pushed('lighthouse');
    for (const name of ['decision.note', 'receipt.note']) {
      await put(other, name, old[name]);
      const rows = await status(main.site, ['lighthouse'], 1);
      expect(rows.map(({ state, detail }) => [state, detail])).toEqual([
        ['failed', expect.stringContaining('none of the known keys')],
      ]);
    }
    expect(shop.id).toBe('harbour');
  });
});
