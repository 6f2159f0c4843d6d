/** How two sites become partners: invitation, answer, enrolment, and what is refused on the way. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folderTree } from '../../../src/io/folder-tree.ts';
import { enroll, openAnswer } from '../../../src/main-site/enroll.ts';
import { invite } from '../../../src/main-site/invite.ts';
import { whyNotInForce } from '../../../src/main-site/in-force.ts';
import { loadPartnership } from '../../../src/main-site/partnerships.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { publicKeyOf } from '../../../src/protocol/ed25519.ts';
import {
  answerKey,
  answerSigner,
  renderAnswer,
  renderInvitation,
  type Answer,
} from '../../../src/protocol/invitation.ts';
import { noteSigner, signNote } from '../../../src/protocol/note.ts';
import { parseVkey, renderVkey } from '../../../src/protocol/vkey.ts';
import { join as joinPartnership, type Joined, openInvitation } from '../../../src/partner-site/join.ts';
import { seededSshKey } from '../../support/embedded-sftp.ts';
import { memoryKeys, seededKey, seededRandom } from '../../support/memory-keys.ts';
import { FOLDERS } from '../../support/partner-fixture.ts';
import { mainFixture, type MainFixture } from '../../support/partnership-fixture.ts';
import { contentsOf, temporaryFolder } from '../../support/temporary-folder.ts';

const PARTNERSHIP = `# what we agreed with Ada
id: harbour
name: Harbour Books
url: https://harbour.example/
mount: /with-main/
period:
  from: "2026-01-01"
`;
const FILE = 'partners/harbour.yaml';

async function readyToInvite(): Promise<MainFixture> {
  const main = await mainFixture();
  await main.write(FILE, PARTNERSHIP);
  return main;
}

const send = (main: MainFixture, hours = 48) => invite(main.site, { partner: 'harbour', hours });

/** What a partner does with the invitation, other than it should. */
interface Otherwise {
  readonly secret?: string;
}

/** A partner with keys of its own joins; `owner` tells one partner from another. */
async function answerTo(
  main: MainFixture,
  bytes: Uint8Array,
  owner = 'harbour',
  { secret }: Otherwise = {},
): Promise<Joined> {
  const opened = openInvitation(bytes, main.clock.now());
  const invitation = secret === undefined ? opened.invitation : { ...opened.invitation, secret };
  const folder = await temporaryFolder();
  return joinPartnership(
    {
      files: folderTree(folder),
      base: folder,
      exchange: folderTree(join(folder, 'exchange')),
      state: folderTree(join(folder, 'state')),
      keys: memoryKeys(owner),
      clock: main.clock,
      random: seededRandom(owner),
    },
    {
      opened: { ...opened, invitation },
      sftp: { url: 'sftp://main@harbour.example/exchange', hostKeys: [seededSshKey(owner).publicKey] },
      url: 'https://harbour.example/',
      publish: 'link',
      folders: FOLDERS,
      schema: '{}',
      password: undefined,
    },
  );
}

/** Replaces one text in signed bytes. */
function altered(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  if (!text.includes(from)) throw new Error(`there is no ${from}`);
  return Buffer.from(text.replace(from, to));
}

describe('an invitation', () => {
  test('and its answer make partners, who have read the same words to each other', async () => {
    const main = await readyToInvite();
    const invited = await send(main);
    expect(openInvitation(invited.bytes, main.clock.now()).words).toEqual(invited.words);
    const { answer, words } = await answerTo(main, invited.bytes);
    const enrolment = await openAnswer(main.site, answer);
    expect(enrolment.words).toEqual(words);
    expect(words).not.toEqual(invited.words);
    await enroll(main.site, enrolment);
    expect(await loadPartnership(main.site, 'harbour')).toMatchObject({
      status: 'active',
      invitation: null,
      sftp: { url: 'sftp://main@harbour.example/exchange' },
    });
    const file = new TextDecoder().decode(await main.site.files.read(FILE, 1e6));
    expect(file).toContain('# what we agreed with Ada');
  });

  test('leaves neither its secret nor anything that could answer it at the main site', async () => {
    const main = await readyToInvite();
    const { invitation } = openInvitation((await send(main)).bytes, main.clock.now());
    const kept = Object.values(await contentsOf(main.folder)).join();
    const asKept = (text: string) => Buffer.from(text).toString('hex');
    expect(kept).toContain(asKept(answerKey(invitation)));
    expect(kept).not.toContain(asKept(invitation.secret));
    expect(kept).not.toContain(asKept(sha256(invitation.secret)));
  });

  test.each([
    ['the mount', '/with-main/', '/with-mine/'],
    ['the name', 'Northwind', 'Southwind'],
  ])('with %s altered on its way is refused', async (_what, from, to) => {
    const main = await readyToInvite();
    const { bytes } = await send(main);
    expect(() => openInvitation(altered(bytes, from, to), main.clock.now())).toThrow(
      expect.objectContaining({ code: 'TIEUP_E_VERIFY', exitCode: 5 }),
    );
  });

  test.each([
    ['cut short', (bytes: Uint8Array) => bytes.slice(0, -20)],
    ['empty', () => new Uint8Array()],
    ['no invitation', () => Buffer.from('hello\n\n')],
    ['with something behind it', (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.from('x')])],
  ])('that is %s is refused', async (_what, change) => {
    const main = await readyToInvite();
    const { bytes } = await send(main);
    expect(() => openInvitation(change(bytes), main.clock.now())).toThrow(
      expect.objectContaining({ code: 'TIEUP_E_VERIFY' }),
    );
  });

  test.each([
    ['is of no kind', () => '{}', 'malformed'],
    ['nobody signed', (root: string) => root.replace(/"sig": "[0-9a-f]/g, '"sig": "x'), 'not signed'],
    ['was altered', (root: string) => root.replace('"threshold": 1', '"threshold": 2'), 'not signed'],
    [
      'has a weak key',
      (root: string) => root.replace(/"public": "[0-9a-f]{64}"/, `"public": "${'00'.repeat(32)}"`),
      'the root metadata is malformed',
    ],
  ])('with a root that %s is refused, whoever signed the invitation', async (_what, alter, why) => {
    const main = await readyToInvite();
    const { invitation } = openInvitation((await send(main)).bytes, main.clock.now());
    const root = Buffer.from(alter(Buffer.from(invitation.root).toString()));
    expect(root).not.toEqual(Buffer.from(invitation.root));
    const { name } = parseVkey(invitation.documentKey);
    const signer = noteSigner(name, await main.site.keys.load('document'));
    const note = signNote(renderInvitation({ ...invitation, root }), [signer]);
    expect(() => openInvitation(note, main.clock.now())).toThrow(
      expect.objectContaining({ code: 'TIEUP_E_VERIFY', message: expect.stringContaining(why) }),
    );
  });

  test('shows other words when somebody else signed it in the name of the main site', async () => {
    const [main, thief] = [await readyToInvite(), await readyToInvite()];
    const genuine = await send(main);
    const forged = await invite(
      { ...thief.site, keys: memoryKeys('thief', ['root', 'release', 'online', 'document']) },
      { partner: 'harbour', hours: 48 },
    );
    expect(openInvitation(forged.bytes, main.clock.now()).words).not.toEqual(genuine.words);
  });

  test('is good until its last second', async () => {
    const main = await readyToInvite();
    const { bytes, until } = await send(main, 1);
    expect(until).toBe('2026-11-23T13:00:00Z');
    expect(openInvitation(bytes, new Date(until)).invitation.until).toBe(until);
    expect(() => openInvitation(bytes, new Date('2026-11-23T13:00:01Z'))).toThrow(
      expect.objectContaining({ code: 'TIEUP_E_EXPIRED', exitCode: 10 }),
    );
  });

  test('is not written for a contract that is over, and nothing changes', async () => {
    const main = await readyToInvite();
    await main.write(FILE, `${PARTNERSHIP}  until: "2026-11-22"\n`);
    const before = await contentsOf(main.folder);
    await expect(send(main)).rejects.toMatchObject({
      code: 'TIEUP_E_CONTRACT',
      exitCode: 11,
      message: expect.stringContaining('2026-11-22'),
    });
    expect(await contentsOf(main.folder)).toEqual(before);
  });

  test('that is open is named until when by doctor and push, and a newer one takes its place', async () => {
    const main = await readyToInvite();
    const says = async () => whyNotInForce(await loadPartnership(main.site, 'harbour'), main.clock.now())?.message;
    expect(await says()).toBe('harbour has not joined yet');
    const { until } = await send(main, 24);
    expect(await says()).toBe(`harbour has not joined yet; its invitation is good until ${until}`);
    main.clock.passDays(2);
    expect(await says()).toBe(`harbour has not joined yet, and its invitation was good until ${until}`);
  });

  test('is not written for a partner that has joined, or that nobody knows', async () => {
    const main = await readyToInvite();
    await enroll(main.site, await openAnswer(main.site, (await answerTo(main, (await send(main)).bytes)).answer));
    const before = await contentsOf(main.folder);
    await expect(send(main)).rejects.toMatchObject({ code: 'TIEUP_E_CONTRACT' });
    await expect(invite(main.site, { partner: 'harbor', hours: 1 })).rejects.toMatchObject({
      code: 'TIEUP_E_USAGE',
      hint: 'did you mean "harbour"?',
    });
    expect(await contentsOf(main.folder)).toEqual(before);
  });
});

const lyingKey = (role: 'accept' | 'site' | 'log') =>
  renderVkey(`harbour/${role}`, publicKeyOf(seededKey('liar', role)));
const lyingKeys = { accept: lyingKey('accept'), site: lyingKey('site'), log: lyingKey('log') };

describe('an answer is refused, and nothing is recorded,', () => {
  /** @returns the main site's refusal; its folder must be what it was. */
  async function refused(main: MainFixture, answer: Uint8Array): Promise<string> {
    const before = await contentsOf(main.folder);
    const error: unknown = await openAnswer(main.site, answer).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'TIEUP_E_VERIFY', exitCode: 5 });
    expect(await contentsOf(main.folder)).toEqual(before);
    return error instanceof Error ? error.message : '';
  }

  test('when it was altered on its way', async () => {
    const main = await readyToInvite();
    const { answer } = await answerTo(main, (await send(main)).bytes);
    const redirected = altered(answer, 'sftp://main@harbour.example', 'sftp://main@thief.example');
    await expect(refused(main, redirected)).resolves.toBeTypeOf('string');
  });

  test('when it comes a second time', async () => {
    const main = await readyToInvite();
    const { answer } = await answerTo(main, (await send(main)).bytes);
    await enroll(main.site, await openAnswer(main.site, answer));
    expect(await refused(main, answer)).toContain('answered already');
  });

  test('when it comes too late', async () => {
    const main = await readyToInvite();
    const { answer } = await answerTo(main, (await send(main, 1)).bytes);
    main.clock.passDays(1);
    expect(await refused(main, answer)).toContain('2026-11-23T13:00:00Z');
  });

  test('when it answers an invitation that was replaced by a newer one', async () => {
    const main = await readyToInvite();
    const { answer } = await answerTo(main, (await send(main)).bytes);
    await send(main);
    expect(await refused(main, answer)).toContain('does not know the secret');
  });

  test('when two people take in two answers at the same time: the first one counts', async () => {
    const main = await readyToInvite();
    const { bytes } = await send(main);
    const [first, second] = [await answerTo(main, bytes), await answerTo(main, bytes, 'somebody else')];
    const [one, other] = [await openAnswer(main.site, first.answer), await openAnswer(main.site, second.answer)];
    await enroll(main.site, one);
    const before = await contentsOf(main.folder);
    await expect(enroll(main.site, other)).rejects.toMatchObject({ code: 'TIEUP_E_VERIFY' });
    expect(await contentsOf(main.folder)).toEqual(before);
  });

  test('when a reader of the main site’s records made it, who knows all but the secret', async () => {
    const main = await readyToInvite();
    const { bytes } = await send(main);
    const { invitation: kept } = await loadPartnership(main.site, 'harbour');
    const { answer } = await answerTo(main, bytes, 'thief', { secret: kept?.digest ?? '' });
    expect(await refused(main, answer)).toContain('does not know the secret');
  });

  test.each<[string, Partial<Answer>]>([
    ['an SFTP address', { sftp: { url: 'sftp://main@no host/', hostKeys: [seededSshKey('harbour').publicKey] } }],
    ['a host key', { sftp: { url: 'sftp://main@harbour.example/', hostKeys: ['ssh-ed25519 AAAA'] } }],
    ['an address', { url: 'https://harbour.example/?page=1' }],
    ['a log key', { keys: { ...lyingKeys, log: lyingKeys.site } }],
  ])('when a partner that writes its own answers gives %s that no later command could use', async (_what, wrong) => {
    const main = await readyToInvite();
    const { bytes } = await send(main);
    const { body, invitation } = openInvitation(bytes, main.clock.now());
    const right: Answer = {
      partner: 'harbour',
      invitation: sha256(body),
      keys: lyingKeys,
      sftp: { url: 'sftp://main@harbour.example', hostKeys: [seededSshKey('harbour').publicKey] },
      url: 'https://harbour.example/',
      created: '2026-11-23T12:00:00Z',
    };
    const signers = [noteSigner('harbour/accept', seededKey('liar', 'accept')), answerSigner(invitation)];
    const signed = (answer: Answer) => signNote(renderAnswer(answer), signers);
    expect(await refused(main, signed({ ...right, ...wrong }))).toContain('the answer of harbour is refused');
    await openAnswer(main.site, signed(right));
  });

  test('when it was made without the secret, whoever signed it', async () => {
    const main = await readyToInvite();
    const { bytes } = await send(main);
    const { answer } = await answerTo(main, bytes);
    const digests = new Set(new TextDecoder().decode(answer).match(/[0-9a-f]{64}/g));
    expect(digests.size).toBeGreaterThan(0);
    for (const found of digests) {
      const other = found.replaceAll(/./g, (digit) => (digit === '0' ? '1' : '0'));
      await refused(main, altered(answer, found, other));
    }
  });

  test('or at least shows other words, when somebody who read both files answers in the place of the partner', async () => {
    const main = await readyToInvite();
    const { bytes } = await send(main);
    const genuine = await answerTo(main, bytes);
    const thief = await answerTo(main, bytes, 'thief');
    const enrolment = await openAnswer(main.site, thief.answer);
    expect(enrolment.words).toEqual(thief.words);
    expect(enrolment.words).not.toEqual(genuine.words);
  });
});
