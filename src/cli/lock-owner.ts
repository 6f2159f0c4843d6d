/** How this process signs the locks that it takes. */
import { hostname, userInfo } from 'node:os';
import type { LockOwner } from '../io/lock.ts';

export function lockOwner(pid: number, random: (length: number) => Uint8Array): LockOwner {
  const host = hostname();
  const id = Buffer.from(random(16)).toString('hex');
  return { who: `${userInfo().username}@${host}, process ${pid}`, id, host, pid };
}
