/** Processes of this machine. */
import { spawn } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { kill, execPath } from 'node:process';

/** Whether a process runs; one that belongs to somebody else does. */
export function isAlive(pid: number): boolean {
  try {
    return kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Which processes the numbers of this one's neighbours name: those of one start of one machine, and of one container on it (Linux:
 * boot id and PID namespace). Undefined where the system does not tell.
 */
export function namedProcesses(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined;
  }
}

export interface ProcessEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order in which they came: what a terminal shows. */
  readonly output: string;
}

/** Runs a script with the Node that runs this one, without a terminal. */
export function runScript(
  script: string,
  argv: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(execPath, [script, ...argv], {
      cwd: folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const text = { stdout: '', stderr: '', output: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (chunk: string) => {
        text[stream] += chunk;
        text.output += chunk;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ exitCode: code ?? 1, ...text }));
  });
}
