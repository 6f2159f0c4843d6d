/** Bounds what is done for one partner, so that one that is slow or silent never holds up the others. */
import { TieupError } from '../errors.ts';
import { cuttableTree, LETTING_GO_MS, type CuttableTree } from '../io/cuttable-tree.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { MainSite } from './main-site.ts';

/** What had been sent when the line is cut still has this long to be told apart from what had not. */
const GRACE_MS = 2000;

/**
 * Runs `work` with a site whose connections are cut when the time is over. What `work` came to counts all the same: a
 * release that was committed before is there.
 * @param ms undefined: there is no bound
 * @throws TIEUP_E_TIMEOUT with what the cut made of it as its cause, and whatever `work` throws before
 */
export async function withDeadline<T>(
  site: MainSite,
  partner: string,
  ms: number | undefined,
  work: (site: MainSite) => Promise<T>,
): Promise<T> {
  if (ms === undefined) return work(site);
  const open = new Set<{ close(): Promise<void> }>();
  const cuts = new Set<CuttableTree['cut']>();
  const cuttable = (tree: FileTree): FileTree => {
    const guarded = cuttableTree(tree);
    cuts.add(guarded.cut);
    if (isOver.signal.aborted) guarded.cut(late());
    return guarded.tree;
  };
  const isOver = new AbortController();
  const late = (cause?: unknown): TieupError =>
    new TieupError('TIEUP_E_TIMEOUT', `${partner} was not done within ${duration(ms)}, so the connection was cut`, {
      hint: 'its inbox shows the release before, or the new one, never a mixture; --deadline gives it more time',
      cause,
    });
  const bounded = async <Opened extends { close(): Promise<void> }>(opening: Promise<Opened>): Promise<Opened> => {
    const opened = await opening;
    if (isOver.signal.aborted) {
      await opened.close();
      throw late();
    }
    open.add(opened);
    return opened;
  };
  const limited: MainSite = {
    ...site,
    connect: (partnership) => bounded(site.connect(partnership).then(cuttable)),
    openSite: async (partnership) => {
      const access = await bounded(site.openSite(partnership));
      return { ...access, tree: (folder) => cuttable(access.tree(folder)) };
    },
  };
  const finished = new AbortController();
  const running = work(limited);
  const ended = running.then(
    () => true,
    () => true,
  );
  const pause = (length: number): Promise<boolean> =>
    site.clock.sleep(length, finished.signal).then(
      () => false,
      () => true,
    );
  try {
    if (!(await Promise.race([ended, pause(ms)]))) {
      isOver.abort();
      // Nothing goes on, and the lock is removed before the line is cut: nobody has to wait until it runs out.
      for (const cut of cuts) cut(late());
      await Promise.race([ended, pause(LETTING_GO_MS)]);
      for (const each of open) void each.close().catch(() => undefined);
      if (!(await Promise.race([ended, pause(GRACE_MS)]))) throw late();
      return await running.catch((cause: unknown) => {
        throw late(cause);
      });
    }
    return await running;
  } finally {
    finished.abort();
  }
}

function duration(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${Math.round(ms / 1000)} s`;
}
