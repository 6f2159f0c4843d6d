/** The manager's key in an ssh-agent, from the answer to the invitation on; with OpenSSH's own agent. */
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestIn, PASSWORD, startPartnership, type CliPartnership } from '../support/cli-partnership.ts';
import { realPart } from '../support/real-parts.ts';
import { call, type Ended } from '../support/script.ts';
import { contentsOf } from '../support/temporary-folder.ts';
import { type SshAgent, startSshAgent } from '../support/ssh-agent.ts';

const hasAgent = realPart('ssh-agent') !== undefined && realPart('ssh-add') !== undefined;

describe.skipIf(!hasAgent)('an accept key that an ssh-agent holds', { shuffle: false }, () => {
  const ends: (() => void)[] = [];
  let home: string;
  let agent: SshAgent;
  let sites: CliPartnership;
  let fingerprint: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'tieup-agent-'));
    const started = await startSshAgent(join(home, 'socket'), (end) => ends.push(end));
    if (started === undefined) throw new Error('there is no ssh-agent');
    agent = started;
    fingerprint = agent.add(join(home, 'manager'));
    sites = await startPartnership(['--key', `agent://${fingerprint}`], { SSH_AUTH_SOCK: agent.socket });
  }, 120_000);

  afterAll(async () => {
    for (const end of ends) end();
    await sites.dispose();
    await rm(home, { recursive: true, force: true });
  });

  /** At the partner, where nobody knows a password. */
  const shop = (words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    call(words, sites.shop, {
      HOME: dirname(sites.shop),
      PATH: process.env['PATH'] ?? '',
      SSH_AUTH_SOCK: agent.socket,
      ...environment,
    });

  async function waiting(title: string): Promise<string> {
    writeFileSync(join(sites.main, 'pages/news.md'), `---\ntitle: ${title}\n---\n\n# ${title}\n`);
    await sites.tieup(sites.main, 'push');
    return digestIn((await shop(['status'])).stdout);
  }

  const live = (): string => readFileSync(join(sites.shop, 'public/with-northwind-coffee/news.html'), 'utf8');

  async function stateAtMain(): Promise<unknown> {
    const document: unknown = JSON.parse(await sites.tieup(sites.main, 'status', '--json'));
    return document;
  }

  /** Ends with 4 and these words, and leaves the partner's whole folder as it was. */
  async function expectRefused(
    why: string,
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const before = await contentsOf(sites.shop);
    const { exitCode, stderr } = await shop(words, environment);
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining(why)]);
    expect(await contentsOf(sites.shop)).toEqual(before);
  }

  test('joins and accepts without a password, and the main site sees its signature', async () => {
    const file = join(sites.shop, 'keys/accept.key');
    expect(readFileSync(file, 'utf8')).toBe(`agent://${fingerprint}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse((await shop(['keys', '--json'])).stdout)).toMatchObject({
      keys: [{ role: 'accept', state: 'agent', here: true }, { role: 'site' }, { role: 'log' }],
    });
    const digest = await waiting('Signed by an agent');
    expect((await shop(['accept', '--yes', digest])).exitCode).toBe(0);
    expect(live()).toContain('Signed by an agent');
    expect(await stateAtMain()).toMatchObject({ partners: [{ state: 'live', decision: { by: 'manager' } }] });
  });

  test('refuses in plain words, and changes nothing, when the agent is gone, empty, or says no', async () => {
    const digest = await waiting('Refused');
    const accept = ['accept', '--yes', digest];
    await expectRefused('SSH_AUTH_SOCK is not set', accept, { SSH_AUTH_SOCK: '' });
    await expectRefused('does not answer', accept, { SSH_AUTH_SOCK: join(home, 'nowhere') });
    agent.remove(join(home, 'manager'));
    await expectRefused(`does not hold the key ${fingerprint}`, accept);
    agent.load(join(home, 'manager'));
    const other = agent.add(join(home, 'other'));
    await expectRefused('is not the accept key of this site', [...accept, '--key', `agent://${other}`]);
    await expectRefused('is not of the form', [...accept, '--key', 'keys/accept.key']);
    const asked = agent.add(join(home, 'asked'), { confirm: true });
    const rotate = ['keys', 'rotate', 'accept', '--confirm', 'harbour', '--key'];
    await expectRefused('refused to sign', [...rotate, `agent://${asked}`]);
    expect(live()).toContain('Signed by an agent');
    expect((await shop(accept)).exitCode).toBe(0);
    expect(live()).toContain('Refused');
  });

  test('is of the type Ed25519, or refused', async () => {
    const ecdsa = agent.add(join(home, 'ecdsa'), { type: 'ecdsa' });
    const rotate = ['keys', 'rotate', 'accept', '--confirm', 'harbour', '--key', `agent://${ecdsa}`];
    await expectRefused('is of the type "ecdsa-sha2-nistp256", not ssh-ed25519', rotate);
    expect(readdirSync(join(sites.shop, 'keys')).toSorted()).toEqual(['accept.key', 'log.key', 'site.key']);
  });

  test('may be named by the environment instead of a file, and by the command line', async () => {
    const digest = await waiting('Named elsewhere');
    const file = join(sites.shop, 'keys/accept.key');
    renameSync(file, join(home, 'accept.key'));
    await expectRefused('there is no key "accept"', ['accept', '--yes', digest]);
    expect((await shop(['reject', '--reason', 'later', '--key', `agent://${fingerprint}`])).exitCode).toBe(0);
    const environment = { TIEUP_KEY_ACCEPT: `agent://${fingerprint}` };
    expect((await shop(['accept', '--yes', digest], environment)).exitCode).toBe(0);
    expect(live()).toContain('Named elsewhere');
    renameSync(join(home, 'accept.key'), file);
  });

  test('is rotated to another key of the agent, and to a file, after words were compared', async () => {
    const next = agent.add(join(home, 'next'));
    for (const place of [['--key', `agent://${next}`], []]) {
      const rotated = await shop(['keys', 'rotate', 'accept', '--confirm', 'harbour', ...place, '--json'], {
        TIEUP_PASSWORD: PASSWORD,
      });
      const { words } = JSON.parse(rotated.stdout);
      await sites.tieup(sites.main, 'keys', 'trust', 'harbour', '--yes', words.join(' '));
      const digest = await waiting(`Under a key of ${place.length} words`);
      const accepted = await shop(['accept', '--yes', digest], place.length > 0 ? {} : { TIEUP_PASSWORD: PASSWORD });
      expect(accepted.exitCode).toBe(0);
      expect(await stateAtMain()).toMatchObject({ partners: [{ state: 'live' }] });
    }
    expect(readFileSync(join(sites.shop, 'keys/accept-2.key'), 'utf8')).toBe(`agent://${next}\n`);
    expect(readFileSync(join(sites.shop, 'keys/accept-3.key'), 'utf8')).toContain('ENCRYPTED');
  });
});
