/** Compiles in this thread, with an engine that is loaded when the first text comes. */
import type { MarkdownFragment } from './fragment.ts';
import type { MarkdownCompiler } from './markdown.ts';

export const compileHere: MarkdownCompiler = {
  async compile(sources) {
    if (sources.length === 0) return [];
    const { unifiedEngine } = await import('./unified-engine.ts');
    const fragments: MarkdownFragment[] = [];
    for (const source of sources) fragments.push(await unifiedEngine.compile(source));
    return fragments;
  },
};
