/** A terminal that keeps what is written to it. */
import { Readable, Writable } from 'node:stream';
import type { Terminal } from '../../src/cli/terminal.ts';

export interface FakeTerminal extends Terminal {
  /** What was written so far. */
  out(): string;
  err(): string;
}

class Kept extends Writable {
  text = '';
  readonly isTTY: boolean;
  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }
  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

interface FakeTerminalOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Both ends are a terminal with a person before it. */
  readonly person?: boolean;
  readonly interruption?: AbortSignal;
}

export function fakeTerminal(options: FakeTerminalOptions = {}): FakeTerminal {
  const person = options.person ?? false;
  const [stdout, stderr] = [new Kept(person), new Kept(person)];
  return {
    stdin: Object.assign(Readable.from([]), { isTTY: person }),
    stdout,
    stderr,
    environment: options.environment ?? {},
    cwd: options.cwd ?? '/',
    pid: 4711,
    interruption: options.interruption ?? new AbortController().signal,
    out: () => stdout.text,
    err: () => stderr.text,
  };
}
