/**
 * A tree that is worked on under a lock: the work itself keeps the lock alive.
 *
 * No timer does it, which would go on in a process that hangs: each operation, and each piece of a long one, is a sign of life.
 * The operation after somebody else has taken the lock over fails, and with it the work.
 */
import type { FileContent, FileTree } from './file-tree.ts';
import { lockAlso, type Lock } from './lock.ts';

export interface LockedTrees {
  /** As `take`; while it is held, what is done with the trees keeps it alive. */
  readonly lock: () => Promise<Lock>;
  /** The tree to work on. The lock itself lies in the one that was given. */
  readonly keepingLock: (tree: FileTree) => FileTree;
}

/** @param take acquires the lock @param also a second one, on top of the first */
export function lockedTrees(take: () => Promise<Lock>, also?: () => Promise<Lock>): LockedTrees {
  let held: Lock | undefined;
  return {
    lock: async () => {
      const first = await take();
      const taken = also === undefined ? first : await lockAlso(first, also);
      held = taken;
      const release = async (): Promise<void> => {
        held = undefined;
        await taken.release();
      };
      return { ...taken, release };
    },
    keepingLock: (tree) => keeping(tree, async () => held?.keep()),
  };
}

function keeping(tree: FileTree, alive: () => Promise<void>): FileTree {
  const living = async function* livingStream(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of content) {
      await alive();
      yield chunk;
    }
  };
  const contentOf = (content: FileContent): FileContent => (content instanceof Uint8Array ? content : living(content));
  const first =
    <Words extends readonly unknown[], T>(operation: (...words: Words) => Promise<T>) =>
    async (...words: Words): Promise<T> => {
      await alive();
      return operation(...words);
    };
  return {
    label: tree.label,
    stat: first((path) => tree.stat(path)),
    list: first((path, options) => tree.list(path, options)),
    read: first((path, maxLength, room) => tree.read(path, maxLength, room)),
    stream: (path, maxLength) => living(tree.stream(path, maxLength)),
    write: first((path, content, options) => tree.write(path, contentOf(content), options)),
    stage: first(async (path, content, options) => {
      const staged = await tree.stage(path, content, options);
      return { ...staged, commit: first(() => staged.commit()) };
    }),
    create: first((path, content, options) => tree.create(path, content, options)),
    makeFolder: first((path) => tree.makeFolder(path)),
    rename: first((from, to) => tree.rename(from, to)),
    hardLink: first((from, to) => tree.hardLink(from, to)),
    replaceLink: first((path, target) => tree.replaceLink(path, target)),
    readLink: first((path) => tree.readLink(path)),
    remove: first((path) => tree.remove(path)),
    removeFolder: first((path) => tree.removeFolder(path)),
    sync: first((paths) => tree.sync(paths)),
    roundTripMs: () => tree.roundTripMs(),
    close: () => tree.close(),
  };
}
