/** Threads beside this one: what they run, and how many there may be. */
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import type { FragmentStore } from '../content/compile-cached.ts';
import type { CompilingThreads } from '../content/compile-on-threads.ts';
import type { MarkdownCompiler } from '../content/markdown.ts';
import type { Thread } from '../io/threads.ts';
import { packageFile, packageVersion } from './package-files.ts';

/** Each takes a hundred megabytes and more; beyond these, starting them takes longer than they save. */
const MAX_MARKDOWN_THREADS = 4;

/** A compiled module, also where the command is bundled or run from its sources: threads cannot run sources. */
function compiledModule(path: string): URL {
  return pathToFileURL(packageFile(`dist/${path}`));
}

/** Starts threads of a module that serves one; undefined where there is one core alone. */
export async function startOf(module: string): Promise<((data: unknown) => Thread) | undefined> {
  if (availableParallelism() === 1) return undefined;
  const { workerThreads } = await import('../io/worker-threads.ts');
  const threads = workerThreads(compiledModule('io/worker-entry.js'));
  return (data) => threads.start(compiledModule(module), data);
}

type StartIfFree = (data: unknown) => Thread | undefined;

/** The same, once it is asked for, and no more threads at a time than leave a core to those who read: undefined while all are busy. */
export function lateFewOf(module: string): () => Promise<StartIfFree | undefined> {
  let few: Promise<StartIfFree | undefined> | undefined;
  return () => (few ??= fewOf(module));
}

async function fewOf(module: string): Promise<StartIfFree | undefined> {
  const start = await startOf(module);
  if (start === undefined) return undefined;
  let free = availableParallelism() - 1;
  return (data) => {
    if (free === 0) return undefined;
    free -= 1;
    const thread = start(data);
    return {
      ask: (parcel, timeoutMs) => thread.ask(parcel, timeoutMs),
      async stop() {
        await thread.stop();
        free += 1;
      },
    };
  };
}

/** Texts are compiled once, here or on threads, and kept below the site's folder. */
export async function markdownCompiler(store: FragmentStore): Promise<MarkdownCompiler> {
  const { compileCached } = await import('../content/compile-cached.ts');
  const { compileOnThreads } = await import('../content/compile-on-threads.ts');
  return compileCached(store, compileOnThreads(markdownThreads()), await packageVersion());
}

/** Each reads one text at a time, within bounds. */
export function markdownThreads(): CompilingThreads {
  return {
    count: Math.min(availableParallelism(), MAX_MARKDOWN_THREADS),
    async start() {
      const { workerThreads } = await import('../io/worker-threads.ts');
      const threads = workerThreads(compiledModule('io/worker-entry.js'));
      return threads.start(compiledModule('cli/markdown-thread.js'), undefined, { maxHeapMegabytes: 1024 });
    },
  };
}
