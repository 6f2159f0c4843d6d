import { mkdir, symlink } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { isTieupError } from '../../../src/errors.ts';
import { folderTree } from '../../../src/io/folder-tree.ts';
import { enroll, openAnswer } from '../../../src/main-site/enroll.ts';
import { invite } from '../../../src/main-site/invite.ts';
import { join, openInvitation } from '../../../src/partner-site/join.ts';
import { openKitOf, type OpenedKit } from '../../../src/partner-site/kit.ts';
import { seededSshKey } from '../../support/embedded-sftp.ts';
import { lastingFolder } from '../../support/lasting-folder.ts';
import { memoryKeys, seededRandom } from '../../support/memory-keys.ts';
import { FOLDERS, writeAll } from '../../support/partner-fixture.ts';
import { type MainFixture, mainFixture } from '../../support/partnership-fixture.ts';
import { dump } from '../../support/site-fixture.ts';
import { snapshotOf } from '../../support/snapshot.ts';

const KIT = {
  'kit/guidance.md': 'Write short.\n',
  'kit/pages/sample.html': '<!doctype html><title>Sample</title>\n',
  'kit/logo.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
};
const PARTNERSHIP =
  'id: harbour\nname: Harbour\nurl: https://harbour.example/\nmount: /with-main/\nperiod:\n  from: "2026-01-01"\n';

let main: MainFixture;
let shop: string;

beforeEach(async () => {
  main = await mainFixture();
  await writeAll(main.folder, { ...KIT, 'partners/harbour.yaml': PARTNERSHIP });
  shop = joinPath(await lastingFolder(), 'shop');
  await mkdir(shop);
});

async function invited(hours = 48) {
  const { bytes, kit } = await invite(main.site, { partner: 'harbour', hours });
  return { invitation: openInvitation(bytes, main.clock.now()), kit };
}

/** What {@link invited} gives when the main site has a kit. */
async function invitedWithKit() {
  const { invitation, kit } = await invited();
  if (kit === undefined) throw new Error('there is no kit');
  return { invitation, kit };
}

function joinWith(opened: ReturnType<typeof openInvitation>, kit: OpenedKit | undefined) {
  return join(
    {
      files: folderTree(shop),
      base: shop,
      exchange: folderTree(joinPath(shop, 'exchange')),
      state: folderTree(joinPath(shop, 'state')),
      keys: memoryKeys('harbour'),
      clock: main.clock,
      random: seededRandom('harbour'),
    },
    {
      opened,
      sftp: { url: 'sftp://main@harbour.example/exchange', hostKeys: [seededSshKey('harbour').publicKey] },
      url: 'https://harbour.example/',
      publish: 'link',
      folders: FOLDERS,
      schema: '{}',
      kit,
      password: undefined,
    },
  );
}

async function refusal(work: () => Promise<unknown>) {
  const before = await snapshotOf(shop);
  const error: unknown = await work().then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!isTieupError(error)) throw error ?? new Error('it was not refused');
  expect(await snapshotOf(shop)).toEqual(before);
  return error;
}

describe('the kit of a main site', () => {
  test('comes out at the new partner file by file, beside its own pages', async () => {
    const { invitation, kit } = await invitedWithKit();
    expect(kit.files).toBe(3);
    const { answer } = await joinWith(invitation, openKitOf(invitation.invitation, kit.bytes));
    const files = await dump(folderTree(shop), 'kit');
    expect(Object.fromEntries(Object.entries(files).map(([path, text]) => [`kit/${path}`, text]))).toEqual(KIT);
    await enroll(main.site, await openAnswer(main.site, answer));
  });

  test('leaves out names that start with a dot, and is none when nothing else is there', async () => {
    await main.write('kit/.DS_Store', 'x');
    expect((await invitedWithKit()).kit.files).toBe(3);
    await main.remove('kit/guidance.md');
    await main.remove('kit/pages/sample.html');
    await main.remove('kit/logo.svg');
    const { invitation, kit } = await invited();
    expect(kit).toBeUndefined();
    expect(invitation.invitation.kit).toBeUndefined();
    await joinWith(invitation, undefined);
    expect(Object.keys(await dump(folderTree(shop), 'kit'))).toEqual([]);
  });

  test.each([
    ['a program of the server', async () => main.write('kit/shell.php', '<?php'), 'TIEUP_E_CONTENT'],
    ['a link out of it', async () => symlink('/etc/passwd', joinPath(main.folder, 'kit/passwd')), 'TIEUP_E_CONTENT'],
  ] as const)('cannot hold %s, and then nobody is invited', async (_what, spoil, code) => {
    await spoil();
    const before = await snapshotOf(main.folder);
    await expect(invited()).rejects.toMatchObject({ code });
    // The root of a new partner is made before, and stays for the next try.
    const after = Object.entries(await snapshotOf(main.folder)).filter(
      ([path]) => !/^partners\/harbour\b(?!\.yaml)/.test(path),
    );
    expect(Object.fromEntries(after)).toEqual(
      Object.fromEntries(Object.entries(before).filter(([path]) => !/^partners\/harbour\b(?!\.yaml)/.test(path))),
    );
  });
});

describe('a kit on its way', () => {
  test('is refused when it was altered, cut short or lengthened', async () => {
    const { invitation, kit } = await invitedWithKit();
    const flipped = kit.bytes.map((byte, index) => (index === kit.bytes.length - 3 ? byte ^ 1 : byte));
    for (const bytes of [flipped, kit.bytes.subarray(0, -1), Buffer.concat([kit.bytes, Buffer.from('x')])]) {
      const error = await refusal(async () => openKitOf(invitation.invitation, bytes));
      expect([error.code, error.message]).toEqual([
        'TIEUP_E_VERIFY',
        'the kit is not the one that the invitation names',
      ]);
    }
  });

  test('is refused when it belongs to an older invitation, or to none', async () => {
    const { kit } = await invitedWithKit();
    await main.write('kit/guidance.md', 'Write shorter.\n');
    const { invitation } = await invitedWithKit();
    expect((await refusal(async () => openKitOf(invitation.invitation, kit.bytes))).code).toBe('TIEUP_E_VERIFY');
    const { kit: _, ...without } = invitation.invitation;
    expect((await refusal(async () => openKitOf(without, kit.bytes))).message).toContain('names no kit');
  });

  test('never overwrites a file of the partner: all that are in the way are named, and nothing is made', async () => {
    await writeAll(shop, { 'kit/guidance.md': 'mine\n', 'kit/logo.svg': 'mine too\n', 'kit/notes.txt': 'mine\n' });
    const { invitation, kit } = await invitedWithKit();
    const error = await refusal(() => joinWith(invitation, openKitOf(invitation.invitation, kit.bytes)));
    expect(error.code).toBe('TIEUP_E_EXISTS');
    expect(error.problems.map(({ file }) => file)).toEqual(['kit/guidance.md', 'kit/logo.svg']);
  });

  test('takes for done what an interrupted join laid out', async () => {
    await writeAll(shop, { 'kit/guidance.md': KIT['kit/guidance.md'] });
    const { invitation, kit } = await invitedWithKit();
    await joinWith(invitation, openKitOf(invitation.invitation, kit.bytes));
    expect(Object.keys(await dump(folderTree(shop), 'kit'))).toEqual(['guidance.md', 'logo.svg', 'pages/sample.html']);
  });

  test('is not unpacked through a link', async () => {
    const elsewhere = await lastingFolder();
    await symlink(elsewhere, joinPath(shop, 'kit'));
    const { invitation, kit } = await invitedWithKit();
    const error = await refusal(() => joinWith(invitation, openKitOf(invitation.invitation, kit.bytes)));
    expect(error.code).toBe('TIEUP_E_UNSAFE_PATH');
    expect(await snapshotOf(elsewhere)).toEqual({});
  });
});
