/** The guarded thread that reads Markdown as it is shipped: its limits are real, and what comes of it is the same. */
import { beforeAll, describe, expect, it } from 'vitest';
import type * as compilingModule from '../../src/content/compile-on-threads.ts';
import type * as hereModule from '../../src/content/compile-here.ts';
import type { MarkdownSource } from '../../src/content/markdown.ts';
import type * as threadsModule from '../../src/io/worker-threads.ts';
import { commonMarkExamples } from '../support/markdown-examples.ts';

const modules = (path: string): string => new URL(`../../dist/${path}`, import.meta.url).href;

let threads: typeof threadsModule;
let compiling: typeof compilingModule;
let here: typeof hereModule;

beforeAll(async () => {
  threads = await import(modules('io/worker-threads.js'));
  compiling = await import(modules('content/compile-on-threads.js'));
  here = await import(modules('content/compile-here.js'));
});

const source = (text: string): MarkdownSource => ({
  text,
  format: 'md',
  schema: 'page',
  idPrefix: '',
  holes: true,
  language: 'en',
  highlight: false,
  headingLinks: false,
});

/** Many seconds of work for the parser, in a text of 16 KB. */
const ENDLESS = source('> - '.repeat(4_096));
/** Nothing difficult: it only takes more memory than there is. */
const LARGE = source('a *b* [c](d) `e`\n\n'.repeat(200_000));

/** Compiles on real threads that may take so much. `ends` learns why they ended. */
function guarded(limits: { timeoutMs: number; maxHeapMegabytes: number }, ends: unknown[] = []) {
  const all = threads.workerThreads(new URL(modules('io/worker-entry.js')));
  return compiling.compileOnThreads({
    count: 2,
    async start() {
      const thread = all.start(new URL(modules('cli/markdown-thread.js')), undefined, limits);
      return {
        ask: (parcel) =>
          thread.ask(parcel, limits.timeoutMs).catch((error: unknown) => {
            ends.push(error);
            throw error;
          }),
        stop: () => thread.stop(),
      };
    },
  });
}

describe('Markdown on a guarded thread', () => {
  it.each([
    ['takes too long', ENDLESS, 'TIEUP_E_TIMEOUT', { timeoutMs: 1_000, maxHeapMegabytes: 1024 }],
    ['takes too much memory', LARGE, 'TIEUP_E_TOO_LARGE', { timeoutMs: 100_000, maxHeapMegabytes: 48 }],
  ])('is given up when it %s, with a clear word', async (_, text, code, limits) => {
    const ends: unknown[] = [];
    const [fragment] = await guarded(limits, ends).compile([text]);
    expect(ends).toEqual([expect.objectContaining({ code })]);
    expect(fragment?.parts).toEqual([]);
    expect(fragment?.problems).toEqual([
      { line: 1, column: 1, message: expect.stringContaining('the text takes too long to read') },
    ]);
  });

  it('comes to the same bytes as without a thread', async () => {
    const sources = commonMarkExamples().map(({ markdown }) => source(markdown));
    // Few and short texts are not worth a thread.
    const long = source('word '.repeat(13_000));
    const onThreads = await guarded({ timeoutMs: 100_000, maxHeapMegabytes: 512 }).compile([...sources, long]);
    const plain = await here.compileHere.compile([...sources, long]);
    const joined = (fragments: typeof plain) =>
      fragments.map(({ parts }) =>
        parts
          .map((part) =>
            typeof part === 'string'
              ? part
              : part instanceof Uint8Array
                ? Buffer.from(part).toString()
                : JSON.stringify(part),
          )
          .join(''),
      );
    expect(joined(onThreads)).toEqual(joined(plain));
  });
});
