/** What an agent may answer: everything. A real one is tried in test/e2e/accept-agent.test.ts. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isTieupError } from '../../../src/errors.ts';
import { sshFingerprint } from '../../../src/io/host-key.ts';
import { agentKey } from '../../../src/io/ssh-agent.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const field = (content: Uint8Array | string): Buffer => {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const RAW = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
const BLOB = Buffer.concat([field('ssh-ed25519'), field(RAW)]);
const REFERENCE = `agent://${sshFingerprint(BLOB)}`;
const IDENTITIES = Buffer.concat([Buffer.of(12, 0, 0, 0, 1), field(BLOB), field('a comment')]);
const MESSAGE = Buffer.from('tieup-decision/1\nwhat the manager says\n');

const signatureAnswer = (signature: Uint8Array, type = 'ssh-ed25519'): Buffer =>
  Buffer.concat([Buffer.of(14), field(Buffer.concat([field(type), field(signature)]))]);
const GOOD = signatureAnswer(sign(null, MESSAGE, privateKey));

/** Answers every request with what `answers` has for its type, in two pieces; the length before it unless `raw`. */
async function fakeAgent(answers: Readonly<Record<number, Buffer>>, raw = false): Promise<string> {
  const socket = join(await temporaryFolder(), 'agent');
  const server = createServer((connection) => {
    connection.on('error', () => {});
    connection.once('data', (request) => {
      const answer = answers[request[4] ?? 0] ?? Buffer.of(5);
      const bytes = raw ? answer : field(answer);
      connection.write(bytes.subarray(0, 3));
      connection.end(bytes.subarray(3));
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => void server.close());
  return socket;
}

async function refusal(work: Promise<unknown>): Promise<{ readonly message: string; readonly hint: string }> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isTieupError(error, 'TIEUP_E_KEY')) throw error ?? new Error('it was not refused');
  return { message: error.message, hint: error.hint ?? '' };
}

describe('a key in an agent', () => {
  test('signs, and its signature is verified before it is used', async () => {
    const key = await agentKey(`${REFERENCE}\n`, await fakeAgent({ 11: IDENTITIES, 13: GOOD }));
    expect(Buffer.from(key.publicKey)).toEqual(RAW);
    expect(Buffer.from(await key.sign(MESSAGE))).toEqual(sign(null, MESSAGE, privateKey));
  });

  test.each([
    ['refuses', Buffer.of(5), 'refused to sign with the key SHA256:'],
    [
      'signs something else',
      signatureAnswer(sign(null, Buffer.from('pay 100'), privateKey)),
      'returned a signature that is not of the key',
    ],
    ['returns zeros', signatureAnswer(Buffer.alloc(64)), 'returned a signature that is not of the key'],
    ['returns a signature of another type', signatureAnswer(Buffer.alloc(64), 'ssh-rsa'), 'is not an ssh-agent'],
    ['returns a short signature', signatureAnswer(Buffer.alloc(63)), 'is not an ssh-agent'],
    ['adds bytes', Buffer.concat([GOOD, Buffer.of(0)]), 'is not an ssh-agent'],
    ['answers another question', IDENTITIES, 'is not an ssh-agent'],
  ])('is not believed when the agent %s', async (_, answer, why) => {
    const key = await agentKey(REFERENCE, await fakeAgent({ 11: IDENTITIES, 13: answer }));
    expect((await refusal(Promise.resolve(key.sign(MESSAGE)))).message).toContain(why);
  });

  test('is refused when the agent does not hold it, and the refusal says what it holds', async () => {
    const socket = await fakeAgent({ 11: IDENTITIES });
    const other = `agent://SHA256:${'A'.repeat(43)}`;
    expect(await refusal(agentKey(other, socket))).toEqual({
      message: `the ssh-agent does not hold the key SHA256:${'A'.repeat(43)}`,
      hint: `load it with ssh-add; the agent holds ${sshFingerprint(BLOB)}`,
    });
    const empty = await fakeAgent({ 11: Buffer.of(12, 0, 0, 0, 0) });
    expect((await refusal(agentKey(REFERENCE, empty))).hint).toContain('the agent holds no key');
  });

  test.each([
    ['ssh-rsa', field('ssh-rsa'), 'is of the type "ssh-rsa", not ssh-ed25519'],
    ['sk-ssh-ed25519@openssh.com', field('sk-ssh-ed25519@openssh.com'), 'is of the type "sk-ssh-ed25519@openssh.com"'],
    ['a short key', Buffer.concat([field('ssh-ed25519'), field('short')]), 'has 5 bytes, not 32'],
    ['a weak key', Buffer.concat([field('ssh-ed25519'), field(Buffer.alloc(32))]), 'is a point of small order'],
    ['a key with more behind it', Buffer.concat([BLOB, Buffer.of(0)]), 'is malformed'],
  ])('is refused when it is %s', async (_, blob, why) => {
    const identities = Buffer.concat([Buffer.of(12, 0, 0, 0, 1), field(blob), field('')]);
    const error = await refusal(agentKey(`agent://${sshFingerprint(blob)}`, await fakeAgent({ 11: identities })));
    expect(error.message).toContain(why);
  });

  test.each([
    ['agent://', 'is not of the form agent://SHA256:…'],
    ['agent://MD5:00', 'is not of the form agent://SHA256:…'],
  ])('is not found by %s', async (reference, why) => {
    expect((await refusal(agentKey(reference, '/nowhere'))).message).toContain(why);
  });

  test('is refused without an agent, before anything is asked', async () => {
    for (const none of [undefined, '']) {
      expect((await refusal(agentKey(REFERENCE, none))).message).toContain('SSH_AUTH_SOCK is not set');
    }
    const gone = join(await temporaryFolder(), 'gone');
    expect((await refusal(agentKey(REFERENCE, gone))).message).toContain('does not answer');
  });

  test('is refused, and never waited for, whatever bytes come', async () => {
    const lengths = [Buffer.alloc(4), Buffer.of(0xff, 0xff, 0xff, 0xff), Buffer.of(0, 0), Buffer.of(0, 0, 0, 9, 12)];
    for (const bytes of lengths) {
      const { message } = await refusal(agentKey(REFERENCE, await fakeAgent({ 11: bytes }, true)));
      expect(message).toMatch(/is not an ssh-agent|does not answer/);
    }
    await fc.assert(
      fc.asyncProperty(fc.nat(IDENTITIES.length - 1), fc.nat(254), async (index, change) => {
        const bytes = Uint8Array.from(IDENTITIES);
        bytes[index] = ((bytes[index] ?? 0) + change + 1) & 0xff;
        const socket = await fakeAgent({ 11: Buffer.from(bytes) });
        // A changed comment is nobody's business; every other change names another key or none.
        if (index >= IDENTITIES.length - 'a comment'.length) await agentKey(REFERENCE, socket);
        else await refusal(agentKey(REFERENCE, socket));
      }),
      { numRuns: 60, seed: 11 },
    );
  });
});
