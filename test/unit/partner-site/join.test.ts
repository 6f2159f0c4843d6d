/** `join` as a whole: what it refuses, and that whatever is refused or fails leaves the folder as it was. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { isTieupError, TieupError } from '../../../src/errors.ts';
import type { BeforeStep } from '../../../src/io/folder-access.ts';
import { folderTree } from '../../../src/io/folder-tree.ts';
import { folderKeyStore } from '../../../src/io/keys.ts';
import { newFolders } from '../../../src/io/new-folders.ts';
import { openAnswer } from '../../../src/main-site/enroll.ts';
import { invite } from '../../../src/main-site/invite.ts';
import { join, type JoinPorts, type JoinRequest, openInvitation } from '../../../src/partner-site/join.ts';
import { openKitOf } from '../../../src/partner-site/kit.ts';
import { seededSshKey } from '../../support/embedded-sftp.ts';
import { seededRandom } from '../../support/memory-keys.ts';
import { FOLDERS, writeAll } from '../../support/partner-fixture.ts';
import { mainFixture, type MainFixture } from '../../support/partnership-fixture.ts';
import { snapshotOf } from '../../support/snapshot.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let main: MainFixture;
let shop: string;
let request: JoinRequest;

beforeEach(async () => {
  main = await mainFixture();
  await writeAll(main.folder, {
    'kit/pages/sample.html': '<title>Sample</title>\n',
    'partners/harbour.yaml':
      'id: harbour\nname: Harbour\nurl: https://harbour.example/\nmount: /with-main/\nperiod:\n  from: "2026-01-01"\n',
  });
  shop = joinPath(await temporaryFolder(), 'shop');
  await writeAll(shop, { 'original/index.html': '<title>Ours</title>\n' });
  const { bytes, kit } = await invite(main.site, { partner: 'harbour', hours: 72 });
  const opened = openInvitation(bytes, main.clock.now());
  request = {
    opened,
    sftp: { url: 'sftp://main@harbour.example/exchange', hostKeys: [seededSshKey('harbour').publicKey] },
    url: 'https://harbour.example/',
    publish: 'link',
    folders: FOLDERS,
    kit: openKitOf(opened.invitation, kit?.bytes ?? new Uint8Array()),
    schema: '{}',
    password: undefined,
  };
});

/** The adapters of the command line. */
function ports(folders = FOLDERS, beforeStep: BeforeStep = () => {}): JoinPorts {
  const at = (path: string): string => joinPath(shop, path);
  const tree = (path: string) => folderTree(at(path), { beforeStep });
  const made = newFolders([folders.exchange, folders.state, folders.keys, 'sent'].map(at));
  return {
    files: tree('.'),
    base: shop,
    exchange: tree(folders.exchange),
    state: tree(folders.state),
    makePrivateState: () => made.makePrivate(at(folders.state)),
    takeBackFolders: () => made.takeBack(),
    answer: { tree: tree('sent'), path: 'harbour.answer' },
    keys: folderKeyStore({
      folder: at(folders.keys),
      environment: {},
      askPassword: undefined,
      random: seededRandom('harbour'),
    }),
    keyFolder: tree(folders.keys),
    clock: main.clock,
    random: seededRandom('harbour'),
  };
}

/** @returns why it was refused; the folder is what it was */
async function refused(given: Partial<JoinRequest>): Promise<string> {
  const before = await snapshotOf(shop);
  const asked = { ...request, ...given };
  const error: unknown = await join(ports(asked.folders), asked).catch((reason: unknown) => reason);
  expect(await snapshotOf(shop)).toEqual(before);
  if (!isTieupError(error)) throw error;
  return [error.code, error.message, ...error.problems.map(({ message }) => message)].join('\n');
}

describe('joining', () => {
  test.each<[string, Partial<JoinRequest>, RegExp]>([
    ['an address without a scheme', { url: 'harbour.example' }, /^TIEUP_E_CONFIG\n[^]*`url`/],
    ['an address with a query', { url: 'https://harbour.example/?a=1' }, /^TIEUP_E_CONFIG\n[^]*`url`/],
    ['an address without the slash at its end', { url: 'https://harbour.example' }, /^TIEUP_E_CONFIG\n[^]*slash/],
    [
      'an SFTP address with a password',
      { sftp: { url: 'sftp://main:secret@harbour.example/', hostKeys: [seededSshKey('harbour').publicKey] } },
      /^TIEUP_E_CONFIG\n(?![^]*secret)[^]*password/,
    ],
    [
      'a host key that is none',
      { sftp: { url: 'sftp://main@harbour.example/', hostKeys: ['ssh-ed25519 AAAA'] } },
      /^TIEUP_E_CONFIG\n[^]*host key/,
    ],
    ['an exchange in the web root', { folders: { ...FOLDERS, exchange: 'public/exchange' } }, /unconfirmed pages/],
    ['a web root that is this folder', { folders: { ...FOLDERS, public: '.' } }, /must not hold tieup.yaml itself/],
    ['pages in place without overwriting', { folders: { ...FOLDERS, original: 'in-place' } }, /must be overwrite/],
  ])('with %s is refused before anything is made', async (_what, given, why) => {
    expect(await refused(given)).toMatch(why);
  });

  test('in a folder that is a site already is refused', async () => {
    await writeFile(joinPath(shop, 'tieup.yaml'), 'role: partner\n');
    expect(await refused({})).toContain('TIEUP_E_EXISTS');
  });

  test.each([
    ['a file where the exchange should be', () => writeFile(joinPath(shop, 'exchange'), 'x')],
    ['a link where the state should be written', () => linked('state/keys')],
    ['a link where the schema should be written', () => linked('schemas')],
    ['a folder where the answer should be', () => mkdir(joinPath(shop, 'sent/harbour.answer'), { recursive: true })],
  ])('that meets %s takes everything back', async (_what, prepare) => {
    await prepare();
    expect(await refused({})).toMatch(/^TIEUP_E_/);
  });

  test('that fails at any step leaves nothing, neither key nor folder, and can be repeated', async () => {
    const before = await snapshotOf(shop);
    const failures: unknown[] = [];
    /** @returns whether it came to its end before step `failAt` */
    const attempt = async (failAt: number): Promise<boolean> => {
      let steps = 0;
      const full = (): void => {
        steps += 1;
        if (steps === failAt) throw new TieupError('TIEUP_E_STORAGE', `the disk is full at step ${failAt}`);
      };
      try {
        await join(ports(FOLDERS, full), request);
        return true;
      } catch (error) {
        failures.push(error);
        return false;
      }
    };
    let step = 1;
    while (!(await attempt(step))) {
      expect(await snapshotOf(shop), `after step ${step}`).toEqual(before);
      step += 1;
    }
    expect(failures.length).toBeGreaterThan(40);
    expect(failures.every((error) => isTieupError(error, 'TIEUP_E_STORAGE'))).toBe(true);
    const answer = await folderTree(joinPath(shop, 'sent')).read('harbour.answer', 1e6);
    expect((await openAnswer(main.site, answer)).partnership.id).toBe('harbour');
  });
});

async function linked(path: string): Promise<void> {
  const elsewhere = await temporaryFolder();
  await mkdir(joinPath(shop, path, '..'), { recursive: true });
  await symlink(elsewhere, joinPath(shop, path));
}
