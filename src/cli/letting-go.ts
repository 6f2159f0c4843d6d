/** Lets the work at partners go in good order when a command is interrupted: their locks are removed, not left to run out. */
import { TieupError } from '../errors.ts';
import { cuttableTree, LETTING_GO_MS } from '../io/cuttable-tree.ts';
import type { FileTree } from '../io/file-tree.ts';

export interface LettingGo {
  /** With a signal that comes so much later than the interruption as letting go may take. @throws TIEUP_E_INTERRUPTED after it */
  bounded<Options extends { readonly signal?: AbortSignal }>(options: Options): Options;
  /** The tree, until the interruption; from then on it can only be let go of. */
  guard(tree: FileTree): FileTree;
}

export function lettingGo(interruption: AbortSignal): LettingGo {
  const late = new AbortController();
  const cuts = new Set<(fault: TieupError) => void>();
  const fault = (): TieupError =>
    new TieupError('TIEUP_E_INTERRUPTED', 'the connection was given up', { cause: interruption.reason });
  const end = (): void => {
    for (const cut of cuts) cut(fault());
    setTimeout(() => late.abort(interruption.reason), LETTING_GO_MS).unref();
  };
  if (interruption.aborted) end();
  else interruption.addEventListener('abort', end, { once: true });
  return {
    bounded: (options) => {
      if (interruption.aborted) throw fault();
      return { ...options, signal: late.signal };
    },
    guard: (given) => {
      const { tree, cut } = cuttableTree(given);
      cuts.add(cut);
      if (interruption.aborted) cut(fault());
      const close = async (): Promise<void> => {
        cuts.delete(cut);
        await tree.close();
      };
      return { ...tree, close };
    },
  };
}
