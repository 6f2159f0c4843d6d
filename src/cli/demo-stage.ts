/** What the demo plays on: real servers on loopback, and tieup itself as a user would call it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SftpServer } from '../io/sftp-server.ts';
import type { StaticServer } from '../io/static-server.ts';

export interface DemoStage {
  /** An SFTP server in which the login `main` sees `folder` and may write its `inbox` alone. */
  startSftp(folder: string, publicKey: string): Promise<SftpServer>;
  startWeb(root: string): Promise<StaticServer>;
}

export interface Called {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order in which they came: what a terminal shows. */
  readonly output: string;
}

const BIN = fileURLToPath(new URL('../../bin/tieup.js', import.meta.url));

/** Calls `tieup` as a process of its own, without a terminal. */
export function callTieup(
  argv: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Called> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...argv], {
      cwd: folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const both: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => (stdout.push(chunk), both.push(chunk)));
    child.stderr.on('data', (chunk: Buffer) => (stderr.push(chunk), both.push(chunk)));
    child.once('error', reject);
    child.once('close', (code) => {
      const [out, err, all] = [stdout, stderr, both].map((chunks) => Buffer.concat(chunks).toString());
      resolve({ exitCode: code ?? 1, stdout: out ?? '', stderr: err ?? '', output: all ?? '' });
    });
  });
}
