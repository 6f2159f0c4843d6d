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
