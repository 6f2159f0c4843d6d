/** OpenSSH's ssh-agent, started by a test and ended with it. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { realPart } from './real-parts.ts';

export interface SshAgent {
  /** For SSH_AUTH_SOCK. */
  readonly socket: string;
  /** Makes a key of this type at `path`, loads it, and says its fingerprint: `SHA256:…`. */
  add(path: string, options?: { readonly type?: 'ed25519' | 'ecdsa'; readonly confirm?: boolean }): string;
  /** Loads a key that is there already. */
  load(path: string): string;
  /** The agent forgets the key whose public half is at `path`.pub. */
  remove(path: string): void;
}

/** Undefined, after a notice, where OpenSSH is not installed. @param end when it ends; with the test unless given */
export async function startSshAgent(
  socket: string,
  end: (stop: () => void) => void = onTestFinished,
): Promise<SshAgent | undefined> {
  const [agent, add, keygen] = [realPart('ssh-agent'), realPart('ssh-add'), realPart('ssh-keygen')];
  if (agent === undefined || add === undefined || keygen === undefined) return undefined;
  // Whoever is asked to confirm a signature says no.
  const environment = { SSH_ASKPASS: '/bin/false', SSH_ASKPASS_REQUIRE: 'force' };
  const running = spawn(agent, ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'], env: environment });
  end(() => void running.kill());
  await new Promise<void>((resolve, reject) => {
    running.stdout.once('data', () => resolve());
    running.once('error', reject);
    running.once('exit', (code) => reject(new Error(`ssh-agent ended with ${code}`)));
  });
  if (!existsSync(socket)) throw new Error('ssh-agent made no socket');
  const ask = (...words: readonly string[]): void =>
    void execFileSync(add, words, { env: { SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
  const fingerprintOf = (path: string): string => {
    const listed = execFileSync(keygen, ['-l', '-E', 'sha256', '-f', `${path}.pub`], { encoding: 'utf8' });
    return /SHA256:\S+/.exec(listed)?.[0] ?? '';
  };
  return {
    socket,
    add(path, { type = 'ed25519', confirm = false } = {}) {
      execFileSync(keygen, ['-q', '-t', type, '-N', '', '-C', 'a test', '-f', path]);
      ask('-q', ...(confirm ? ['-c'] : []), path);
      return fingerprintOf(path);
    },
    load(path) {
      ask('-q', path);
      return fingerprintOf(path);
    },
    remove: (path) => ask('-q', '-d', `${path}.pub`),
  };
}
