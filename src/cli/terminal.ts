/** What a run of tieup gets from its process; bin/tieup.js hands in the real one, tests hand in their own. */
import type { Readable, Writable } from 'node:stream';
import { TieupError } from '../errors.ts';

/** Where text goes. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Cells of a line, where known. */
  readonly columns?: number;
}

export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Results. */
  readonly stdout: TextStream;
  /** Messages, questions, progress. */
  readonly stderr: Writable & TextStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  readonly pid: number;
  /** Aborts at the first Ctrl-C or SIGTERM, and at a {@link StrayFault}; its reason says which. */
  readonly interruption: AbortSignal;
}

/** The reason of an interruption by what went wrong where nothing waited for it. */
interface StrayFault {
  readonly stray: unknown;
}

/** Why a run that was interrupted is over. */
export function endOf({ reason }: AbortSignal, cause?: unknown): unknown {
  if (isStrayFault(reason)) return reason.stray;
  if (reason === 'SIGTERM') return new TieupError('TIEUP_E_TERMINATED', 'terminated', { cause });
  return new TieupError('TIEUP_E_INTERRUPTED', 'interrupted', { cause });
}

export function isStrayFault(reason: unknown): reason is StrayFault {
  return typeof reason === 'object' && reason !== null && 'stray' in reason;
}

/** True when a person can be asked: both ends are a terminal, and this is no machine that builds. */
export function canAsk({ stdin, stderr, environment }: Terminal): boolean {
  return stdin.isTTY === true && stderr.isTTY === true && !isSet(environment['CI']);
}

/** 0: no colour; 1: the sixteen of every terminal. After https://no-color.org and https://force-color.org. */
export function colourLevel(stream: TextStream, environment: Terminal['environment'], wanted: boolean): 0 | 1 {
  if (!wanted || isSet(environment['NO_COLOR'])) return 0;
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined) return forced === '0' || forced === 'false' ? 0 : 1;
  return stream.isTTY === true && environment['TERM'] !== 'dumb' ? 1 : 0;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

/** Settles when the signal is given, at once when it was. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
