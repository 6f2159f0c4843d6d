/** `tieup doctor` on both sides of a partnership over OpenSSH's sshd. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startStaticServer } from '../../src/io/static-server.ts';
import { seededSshKey } from '../support/embedded-sftp.ts';
import { filesBelow, type JoinedSites, joinedSites, type SiteFolder } from '../support/joined-sites.ts';
import { realPart } from '../support/real-parts.ts';

interface Finding {
  readonly check: string;
  readonly state: string;
  readonly message: string;
  readonly fix: string | null;
}

function isFinding(value: unknown): value is Finding {
  return typeof value === 'object' && value !== null && 'check' in value && 'state' in value && 'fix' in value;
}

/** Every finding of a JSON document, those of partners too. */
function findingsIn(value: unknown): readonly Finding[] {
  if (isFinding(value)) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(findingsIn);
}

async function examined(site: SiteFolder, words: readonly string[] = [], exitCode = 0): Promise<readonly Finding[]> {
  return findingsIn(await site.json('doctor', ['doctor', ...words], exitCode));
}

function stateOf(findings: readonly Finding[], check: string): readonly string[] {
  return findings.filter((each) => each.check === check).map(({ state }) => state);
}

describe.skipIf(realPart('sshd') === undefined)('tieup doctor', () => {
  let sites: JoinedSites;
  beforeAll(async () => {
    const joined = await joinedSites();
    if (joined === undefined) throw new Error('there is no sshd');
    sites = joined;
  });
  afterAll(() => sites.dispose());

  test('at the main site sees the server, its clock and its space, and leaves nothing behind', async () => {
    const { main, shop, chrooted } = sites;
    await main.done(['push']);
    const before = filesBelow(shop.folder);
    const findings = await examined(main);
    expect(findings.filter(({ state }) => state === 'problem')).toEqual([]);
    for (const check of ['login', 'inbox-writable', 'clock', 'posix-rename', 'fsync', 'space', 'timestamp-expiry']) {
      expect([check, stateOf(findings, check)]).toEqual([check, ['ok']]);
    }
    expect(findings.find(({ check }) => check === 'login')?.message).toContain('OpenSSH');
    expect(findings.find(({ check }) => check === 'space')?.message).toMatch(/^[\d,]+ MB are free/);
    // A login of its own is confined; one that is shared is named for what it is.
    expect(stateOf(findings, 'confined')).toEqual([chrooted ? 'ok' : 'warning']);
    expect(filesBelow(shop.folder)).toEqual(before);

    const { exitCode, stdout } = await main.run(['doctor', 'harbour']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^✓ ok +login: sftp:/m);
    expect(stdout).toMatch(/^! warning cron: .*\n +to mend it: add with crontab -e: .*tieup refresh/m);
  });

  test('at the main site ends with 1 when the host key is another one, and when a key file is open to all', async () => {
    const main = sites.copyOfMain();
    const pinned = /ssh-ed25519 [A-Za-z0-9+/=]+/.exec(main.read('partners/harbour.yaml'))?.[0] ?? '';
    main.edit('partners/harbour.yaml', pinned, seededSshKey('somebody else').publicKey);
    chmodSync(main.path('keys/release.key'), 0o644);
    const findings = await examined(main, [], 1);
    expect(findings.filter(({ state }) => state === 'problem')).toMatchObject([
      { check: 'key-files', fix: expect.stringContaining('chmod 600') },
      { check: 'login', message: expect.stringContaining('host key') },
    ]);
  });

  test('at the partner sees owners, web root, trust and dates', async () => {
    const { shop, chrooted } = sites;
    const findings = await examined(shop, ['--offline']);
    expect(findings.filter(({ state }) => state === 'problem')).toEqual([]);
    expect(stateOf(findings, 'inbox-owner')).toEqual([chrooted ? 'ok' : 'warning']);
    for (const check of ['node', 'owners', 'web-root', 'root-expiry', 'contract', 'key-files']) {
      expect([check, stateOf(findings, check)]).toEqual([check, ['ok']]);
    }
    expect(stateOf(findings, 'exposed')).toEqual([]);
  });

  test('at the partner ends with 1 when the web server gives the exchange away, and says what mends it', async () => {
    const { shop } = sites;
    const careless = await startStaticServer(shop.folder);
    try {
      const config = shop.read('tieup.yaml');
      shop.edit('tieup.yaml', 'https://harbour.example/', `http://127.0.0.1:${careless.port}/`);
      const findings = await examined(shop, [], 1);
      const exposed = findings.filter(({ check }) => check === 'exposed');
      expect(exposed.length).toBeGreaterThan(0);
      expect(exposed.every(({ state }) => state === 'problem')).toBe(true);
      expect(exposed[0]?.fix).toContain('serve the web root alone');
      shop.write('tieup.yaml', config);
    } finally {
      await careless.close();
    }
  });

  test('at the partner ends with 1 when everybody can write into the state, or the web root is a folder', async () => {
    const { shop } = sites;
    chmodSync(shop.path('state'), 0o777);
    mkdirSync(shop.path('public'));
    const findings = await examined(shop, ['--offline'], 1);
    chmodSync(shop.path('state'), 0o700);
    rmSync(shop.path('public'), { recursive: true });
    expect(findings.filter(({ state }) => state === 'problem')).toMatchObject([
      { check: 'owners', fix: 'chmod o-w state' },
      { check: 'web-root', message: expect.stringContaining('real folder') },
    ]);
  });
});
