/** How this process signs the locks that it takes. */
import { hostname, userInfo } from 'node:os';
import type { Clock } from '../io/clock.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { LockOwner } from '../io/lock.ts';

export function lockOwner(
  pid: number,
  processes: string | undefined,
  random: (length: number) => Uint8Array,
): LockOwner {
  const host = hostname();
  const id = Buffer.from(random(16)).toString('hex');
  return { who: `${userInfo().username}@${host}, process ${pid}`, id, host, pid, processes };
}

/** Beside the web root on a server. */
export const WEB_LOCK = 'tieup.lock';
const LOCK_MINUTES = 60;

/** What acquires the lock at a path of a tree. */
export function locksOf(owner: LockOwner, clock: Clock, isAlive: (pid: number) => boolean) {
  return (tree: FileTree, path: string) => async () =>
    (await import('../io/lock.ts')).acquireLock(tree, path, owner, clock, LOCK_MINUTES, { isAlive });
}
