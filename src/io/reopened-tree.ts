/**
 * A tree that is opened when it is first used, and opened anew when its connection broke since. A person may read for an hour
 * before saying yes, and servers end connections that are silent for so long.
 *
 * Nothing is tried twice: what was under way when the connection broke fails, and the caller finds out what came of it.
 */
import type { FileTree } from './file-tree.ts';

export interface OpenedTree {
  readonly tree: FileTree;
  isOpen(): boolean;
}

export function reopenedTree(label: string, open: () => Promise<OpenedTree>): FileTree {
  let current: Promise<OpenedTree> | undefined;
  let latest: FileTree | undefined;
  const use = async (): Promise<FileTree> => {
    const before = current;
    if (before !== undefined && !(await before.then((opened) => opened.isOpen()).catch(() => false))) {
      // Of several that find it broken the first one opens it.
      if (current === before) current = undefined;
    }
    latest = (await (current ??= open())).tree;
    return latest;
  };
  return {
    label,
    stat: async (path) => (await use()).stat(path),
    list: async (path, options) => (await use()).list(path, options),
    read: async (path, maxLength, room) => (await use()).read(path, maxLength, room),
    stream: async function* streamFromOpened(path, maxLength) {
      yield* (await use()).stream(path, maxLength);
    },
    write: async (path, content, options) => (await use()).write(path, content, options),
    stage: async (path, content, options) => (await use()).stage(path, content, options),
    create: async (path, content, options) => (await use()).create(path, content, options),
    makeFolder: async (path) => (await use()).makeFolder(path),
    rename: async (from, to) => (await use()).rename(from, to),
    hardLink: async (from, to) => (await use()).hardLink(from, to),
    replaceLink: async (path, target) => (await use()).replaceLink(path, target),
    readLink: async (path) => (await use()).readLink(path),
    remove: async (path) => (await use()).remove(path),
    removeFolder: async (path) => (await use()).removeFolder(path),
    sync: async (paths) => (await use()).sync(paths),
    roundTripMs: () => latest?.roundTripMs() ?? Number.POSITIVE_INFINITY,
    close: async () => {
      await current?.then(({ tree }) => tree.close()).catch(() => {});
    },
  };
}
