/** The SSH key of the main site is replaced while partners take their time. */
import { describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { invite } from '../../../src/main-site/invite.ts';
import { end } from '../../../src/main-site/partner-admin.ts';
import { rotateSsh, sshKeyFindings } from '../../../src/main-site/ssh-rotate.ts';
import { loadPartnerships } from '../../../src/main-site/partnerships.ts';
import { seededSshKey } from '../../support/embedded-sftp.ts';
import { type MainFixture, mainFixture } from '../../support/partnership-fixture.ts';

/** Which keys each partner's server lets in. */
type Doors = Record<string, readonly number[]>;

const portsFor = (doors: Doors) => ({
  letsIn: async ({ id }: { readonly id: string }, generation: number) => {
    const open = doors[id];
    if (open === undefined) throw new TieupError('TIEUP_E_CONNECTION', 'nothing listens there');
    return open.includes(generation);
  },
  makeKey: async () => seededSshKey('new'),
});

async function begun(...partners: readonly string[]): Promise<MainFixture> {
  const main = await mainFixture();
  for (const id of partners) await main.join(id);
  await rotateSsh(main.site, portsFor({}));
  return main;
}

const generations = (main: MainFixture) => main.site.sshKeys.generations();

describe('a new SSH key', () => {
  test('is made beside the old one, and its line is what every partner has to add', async () => {
    const main = await mainFixture();
    await main.join('harbour');
    expect(await rotateSsh(main.site, portsFor({}))).toEqual({
      kind: 'begun',
      line: `restrict,command="internal-sftp" ${seededSshKey('new').publicKey}`,
      partners: [{ partner: 'harbour', state: 'old', detail: null }],
    });
    expect(await generations(main)).toEqual([2, 1]);
  });

  test('leaves the old one in place as long as one partner needs it, or cannot be asked', async () => {
    const main = await begun('harbour', 'moor', 'bay');
    for (const doors of [
      { harbour: [1, 2], moor: [1], bay: [2] },
      { harbour: [1, 2], moor: [], bay: [2] },
      { harbour: [1, 2], bay: [2] },
    ]) {
      const rotation = await rotateSsh(main.site, portsFor(doors));
      expect(rotation.kind).toBe('waiting');
      expect(Object.fromEntries(rotation.partners.map(({ partner, state }) => [partner, state]))).toEqual({
        harbour: 'both',
        moor: !('moor' in doors) ? 'unreachable' : doors.moor.length > 0 ? 'old' : 'neither',
        bay: 'new',
      });
      expect(await generations(main)).toEqual([2, 1]);
    }
  });

  test('alone remains once every partner lets it in; one whose contract ended is not asked', async () => {
    const main = await begun('harbour', 'moor');
    await end(main.site, 'moor', 'moor');
    expect(await rotateSsh(main.site, portsFor({ harbour: [2] }))).toMatchObject({
      kind: 'done',
      partners: [{ partner: 'harbour', state: 'new' }],
    });
    expect(await generations(main)).toEqual([2]);
    expect(await rotateSsh(main.site, portsFor({}))).toMatchObject({ kind: 'begun' });
    expect(await generations(main)).toEqual([3, 2]);
  });

  test('waits for a partner whose invitation names the old one', async () => {
    const main = await mainFixture();
    const terms = 'mount: /with-main/\nperiod:\n  from: "2026-01-01"\n';
    for (const id of ['moor', 'bay'])
      await main.write(`partners/${id}.yaml`, `id: ${id}\nname: ${id}\nurl: https://${id}.example/\n${terms}`);
    await invite(main.site, { partner: 'moor', hours: 1 });
    await rotateSsh(main.site, portsFor({}));
    expect(await rotateSsh(main.site, portsFor({}))).toMatchObject({
      kind: 'waiting',
      partners: [{ partner: 'moor', state: 'invited' }],
    });
  });

  test('is what the next invitation carries', async () => {
    const main = await begun();
    const terms = 'mount: /with-main/\nperiod:\n  from: "2026-01-01"\n';
    await main.write('partners/bay.yaml', `id: bay\nname: bay\nurl: https://bay.example/\n${terms}`);
    const { bytes } = await invite(main.site, { partner: 'bay', hours: 1 });
    expect(new TextDecoder().decode(bytes)).toContain(seededSshKey('new').publicKey.split(' ')[1] ?? 'nothing');
  });

  test('is refused where no file is the SSH key', async () => {
    const main = await mainFixture();
    await main.remove('keys/ssh.pub');
    await expect(rotateSsh(main.site, portsFor({}))).rejects.toMatchObject({ code: 'TIEUP_E_KEY' });
    expect(await generations(main)).toEqual([]);
  });

  test.each([
    [[1], 'warning', 'does not let the new SSH key in yet'],
    [[1, 2], 'warning', 'lets the old SSH key in as well'],
    [[2], 'ok', 'lets the new SSH key in, and the old one no more'],
    [[], 'warning', 'lets none of the SSH keys'],
  ])('is spoken of by doctor when a partner lets in %j', async (doors, state, message) => {
    const main = await begun('harbour');
    const [harbour] = await loadPartnerships(main.site);
    if (harbour === undefined) throw new Error('there is no partner');
    const { letsIn } = portsFor({ harbour: doors });
    expect(await sshKeyFindings(main.site, harbour, letsIn)).toMatchObject([
      { state, message: expect.stringContaining(message) },
    ]);
    await main.site.sshKeys.remove(2);
    expect(await sshKeyFindings(main.site, harbour, letsIn)).toEqual([]);
  });
});
