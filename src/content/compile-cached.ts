/** Compiles only texts that have not been compiled before, on this machine or on another that shares its cache. */
import { sha256 } from '../protocol/digest.ts';
import { decodeParts, encodeParts } from './fragment-code.ts';
import type { MarkdownFragment } from './fragment.ts';
import { ENGINE_VERSION, type MarkdownCompiler, type MarkdownSource } from './markdown.ts';

/**
 * Keeps bytes by key from one run to the next. What it gives is what was put, whole, or nothing; it may lose anything.
 * Keys are 64 hex digits.
 */
export interface FragmentStore {
  get(key: string): Uint8Array | undefined;
  put(key: string, bytes: Uint8Array): void;
  /** Makes what was put last beyond this process. */
  flush(): void;
}

/** @param version of tieup: what an older one has kept is of no use, whatever {@link ENGINE_VERSION} says */
export function compileCached(store: FragmentStore, compiler: MarkdownCompiler, version: string): MarkdownCompiler {
  return {
    async compile(sources) {
      const keys = sources.map((source) => fragmentKey(source, version));
      const fragments = keys.map((key) => kept(store, key));
      const missing = new Map<string, MarkdownSource>();
      for (const [index, source] of sources.entries()) {
        const key = keys[index];
        if (key !== undefined && fragments[index] === undefined) missing.set(key, source);
      }
      const texts = [...missing.values()];
      const textKeys = [...missing.keys()];
      const compiled = new Map<string, MarkdownFragment>();
      for (const [index, fragment] of (await compiler.compile(texts)).entries()) {
        const key = textKeys[index];
        if (key === undefined) continue;
        compiled.set(key, fragment);
        // What is wrong with a text is said each time, so a text with problems is compiled each time.
        if (fragment.problems.length === 0) store.put(key, encodeParts(fragment.parts));
      }
      if (missing.size > 0) store.flush();
      return keys.map((key, index) => fragments[index] ?? compiled.get(key) ?? { parts: [], problems: [] });
    },
  };
}

/** Everything that a fragment depends on. */
export function fragmentKey(source: MarkdownSource, version: string): string {
  const { text, format, schema, idPrefix, holes, language, highlight, headingLinks } = source;
  const options = [format, schema, idPrefix, holes, language, highlight, headingLinks];
  return sha256(JSON.stringify([version, ENGINE_VERSION, ...options, text]));
}

function kept(store: FragmentStore, key: string): MarkdownFragment | undefined {
  const bytes = store.get(key);
  const parts = bytes && decodeParts(bytes);
  return parts && { parts, problems: [] };
}
