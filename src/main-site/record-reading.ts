/** Remembers which files somebody reads of a tree, with what was in them. */
import type { FileTree } from '../io/file-tree.ts';

export interface Reading {
  readonly files: FileTree;
  /** By path; undefined for what was read as a stream, and is read again when it is wanted. */
  readonly read: ReadonlyMap<string, Uint8Array | undefined>;
}

export function recordReading(files: FileTree): Reading {
  const read = new Map<string, Uint8Array | undefined>();
  const recorded: FileTree = {
    ...files,
    read: async (path, maxLength, room) => {
      const bytes = await files.read(path, maxLength, room);
      read.set(path, room === undefined ? bytes : undefined);
      return bytes;
    },
    stream: (path, maxLength) => {
      read.set(path, undefined);
      return files.stream(path, maxLength);
    },
  };
  return { files: recorded, read };
}
