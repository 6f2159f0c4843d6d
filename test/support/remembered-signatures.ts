/**
 * For every test file: tweetnacl remembers what it was asked. Signing and verifying are pure, take it milliseconds, and
 * tests with seeded keys and a standing clock ask for the same signatures hundreds of times, a site that is killed at each
 * of its steps most of all. Whatever differs by a bit is a new question, which the engine answers.
 */
import { hash } from 'node:crypto';
import nacl from 'tweetnacl';

const { detached, keyPair } = nacl.sign;

const signatures = new Map<string, Uint8Array>();
const verdicts = new Map<string, boolean>();
const pairs = new Map<string, nacl.SignKeyPair>();

/** Lengths are part of the question, so that no two of them are alike. */
function question(...parts: readonly Uint8Array[]): string {
  return hash('sha256', Buffer.concat(parts)) + parts.map(({ length }) => ` ${length}`).join('');
}

/** The answer to a question that was put before, or that of `ask`; what it throws is not remembered. */
function remembered<T>(answers: Map<string, T>, asked: string, ask: () => T): T {
  const answer = answers.get(asked) ?? ask();
  answers.set(asked, answer);
  return answer;
}

nacl.sign.detached = Object.assign(
  (message: Uint8Array, secretKey: Uint8Array) =>
    remembered(signatures, question(message, secretKey), () => detached(message, secretKey)).slice(),
  {
    verify: (message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array) =>
      remembered(verdicts, question(message, signature, publicKey), () =>
        detached.verify(message, signature, publicKey),
      ),
  },
);
nacl.sign.keyPair = Object.assign(() => keyPair(), {
  fromSecretKey: (secretKey: Uint8Array) => keyPair.fromSecretKey(secretKey),
  fromSeed: (seed: Uint8Array) => {
    const { publicKey, secretKey } = remembered(pairs, question(seed), () => keyPair.fromSeed(seed));
    return { publicKey: publicKey.slice(), secretKey: secretKey.slice() };
  },
});
