/**
 * Compiles on threads: on all cores when there is much to do, and within bounds of time and memory when a text could keep
 * a parser busy out of all proportion.
 */
import { isTieupError } from '../errors.ts';
import { compileHere } from './compile-here.ts';
import { unpackFragment } from './fragment-parcel.ts';
import type { MarkdownFragment } from './fragment.ts';
import type { MarkdownCompiler, MarkdownSource } from './markdown.ts';
import { excessOf } from './text-bounds.ts';

/** What is asked of a thread that runs `serve` of markdown-thread.ts: io's `Thread`, told as this layer needs it. */
export interface CompilingThread {
  /** @throws TIEUP_E_TIMEOUT, TIEUP_E_TOO_LARGE when it needs more time or memory than it may have; it has ended then. */
  ask(
    parcel: { readonly message: unknown; readonly transfer: readonly ArrayBuffer[] },
    timeoutMs: number,
  ): Promise<unknown>;
  stop(): Promise<void>;
}

export interface CompilingThreads {
  /** How many are worth having. */
  readonly count: number;
  start(): Promise<CompilingThread>;
}

/** Beyond it a text is refused: a hostile one of a few kilobytes can take days. */
const TIME_LIMIT_MS = 20_000;
/** Characters; up to here, a text without excess is compiled in this process, which no time limit can end. */
const SHORT = 16 * 1024;
/** Characters altogether; a thread takes as long to start as these take to compile. */
const FEW = 64 * 1024;

export function compileOnThreads(threads: CompilingThreads, here: MarkdownCompiler = compileHere): MarkdownCompiler {
  return {
    async compile(sources) {
      const total = sources.reduce((sum, { text }) => sum + text.length, 0);
      if (total <= FEW && sources.every(isHarmless)) return here.compile(sources);
      return compileAll(sources, threads);
    },
  };
}

function isHarmless({ text }: MarkdownSource): boolean {
  return text.length <= SHORT && excessOf(text) === undefined;
}

async function compileAll(
  sources: readonly MarkdownSource[],
  threads: CompilingThreads,
): Promise<readonly MarkdownFragment[]> {
  const fragments: MarkdownFragment[] = sources.map(() => ({ parts: [], problems: [] }));
  // The longest first: no core is left with a long one when the others have nothing to do any more.
  const order = [...sources.keys()].sort((a, b) => (sources[b]?.text.length ?? 0) - (sources[a]?.text.length ?? 0));
  const next = order.values();
  const work = async (): Promise<void> => {
    let thread: CompilingThread | undefined;
    for (const index of next) {
      const source = sources[index];
      if (source === undefined) continue;
      thread ??= await threads.start();
      const fragment = await compileOn(thread, source);
      fragments[index] = fragment ?? TOO_MUCH;
      if (fragment === undefined) thread = undefined;
    }
    await thread?.stop();
  };
  const count = Math.max(1, Math.min(threads.count, sources.length));
  await Promise.all(Array.from({ length: count }, work));
  return fragments;
}

const TOO_MUCH: MarkdownFragment = {
  parts: [],
  problems: [
    {
      line: 1,
      column: 1,
      message: 'the text takes too long to read: look for very long runs of *, _, [, > or the like, or split it',
    },
  ],
};

/** @returns undefined when the thread has ended over it. */
async function compileOn(thread: CompilingThread, source: MarkdownSource): Promise<MarkdownFragment | undefined> {
  try {
    return unpackFragment(await thread.ask({ message: source, transfer: [] }, TIME_LIMIT_MS));
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_TIMEOUT', 'TIEUP_E_TOO_LARGE')) return undefined;
    throw error;
  }
}
