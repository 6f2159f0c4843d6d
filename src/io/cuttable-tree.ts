/**
 * A tree that can be taken away from who works on it, with time to let go: what is under way fails at once, nothing more is begun, but
 * what was put there for this work alone, a lock and temporary files, can still be looked at and removed.
 */
import type { TieupError } from '../errors.ts';
import type { FileTree, StagedFile } from './file-tree.ts';

export interface CuttableTree {
  readonly tree: FileTree;
  /** More than once is fine: the first fault counts. */
  readonly cut: (fault: TieupError) => void;
}

/** So long a command that is ended has for letting go. */
export const LETTING_GO_MS = 1000;

export function cuttableTree(tree: FileTree): CuttableTree {
  let fault: TieupError | undefined;
  let end: (fault: TieupError) => void = () => {};
  const over = new Promise<never>((_, reject) => (end = reject));
  // Often nothing is under way.
  over.catch(() => {});
  const underWay = async <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => {});
    return Promise.race([work, over]);
  };
  const working =
    <Words extends readonly unknown[], T>(operation: (...words: Words) => Promise<T>) =>
    async (...words: Words): Promise<T> => {
      if (fault !== undefined) throw fault;
      return underWay(operation(...words));
    };
  const lettingGo =
    <Words extends readonly unknown[], T>(operation: (...words: Words) => Promise<T>) =>
    async (...words: Words): Promise<T> =>
      fault === undefined ? underWay(operation(...words)) : operation(...words);
  const staged = (file: StagedFile): StagedFile => ({
    commit: working(() => file.commit()),
    discard: lettingGo(() => file.discard()),
  });
  const stage: FileTree['stage'] = async (...words) => {
    if (fault !== undefined) throw fault;
    const staging = tree.stage(...words);
    // Nobody hears of what is there only after the cut.
    staging.then((file) => (fault === undefined ? undefined : file.discard())).catch(() => {});
    return staged(await underWay(staging));
  };
  return {
    tree: {
      label: tree.label,
      stat: lettingGo((path) => tree.stat(path)),
      read: lettingGo((path, maxLength, room) => tree.read(path, maxLength, room)),
      remove: lettingGo((path) => tree.remove(path)),
      list: working((path, options) => tree.list(path, options)),
      stream: async function* streamUntilCut(path, maxLength) {
        const chunks = tree.stream(path, maxLength)[Symbol.asyncIterator]();
        try {
          for (;;) {
            const next = await working(() => chunks.next())();
            if (next.done === true) return;
            yield next.value;
          }
        } finally {
          // What waits for an answer cannot be ended before it.
          chunks.return?.().catch(() => {});
        }
      },
      write: working((path, content, options) => tree.write(path, content, options)),
      stage,
      create: working((path, content, options) => tree.create(path, content, options)),
      makeFolder: working((path) => tree.makeFolder(path)),
      rename: working((from, to) => tree.rename(from, to)),
      hardLink: working((from, to) => tree.hardLink(from, to)),
      replaceLink: working((path, target) => tree.replaceLink(path, target)),
      readLink: working((path) => tree.readLink(path)),
      removeFolder: working((path) => tree.removeFolder(path)),
      sync: working((paths) => tree.sync(paths)),
      roundTripMs: () => tree.roundTripMs(),
      close: () => tree.close(),
    },
    cut: (given) => {
      fault ??= given;
      end(fault);
    },
  };
}
