/** Parts of a site that are put together when the first of their methods is called: a push with nothing to do calls none. */
import type { MarkdownCompiler } from '../content/markdown.ts';
import type { HistoryLog } from '../io/history-log.ts';
import type { KeyStore } from '../io/keys.ts';

export function lateKeys(open: () => Promise<KeyStore>): KeyStore {
  const keys = later(open);
  return {
    has: async (name) => (await keys()).has(name),
    names: async () => (await keys()).names(),
    create: async (name, seed, password) => (await keys()).create(name, seed, password),
    load: async (name) => (await keys()).load(name),
    signer: async (name) => (await keys()).signer(name),
    refer: async (name, reference) => (await keys()).refer(name, reference),
    password: async (name) => (await keys()).password(name),
  };
}

export function lateHistory(open: () => Promise<HistoryLog>): HistoryLog {
  const history = later(open);
  return {
    add: async (event) => (await history()).add(event),
    read: async () => (await history()).read(),
  };
}

export function lateMarkdown(open: () => Promise<MarkdownCompiler>): MarkdownCompiler {
  const compiler = later(open);
  return { compile: async (sources) => (await compiler()).compile(sources) };
}

function later<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => (opened ??= open());
}
