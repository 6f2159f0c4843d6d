/** The head of an inbox while somebody is about to replace it: whoever else does so meanwhile must not be overwritten. */
import { TieupError } from '../errors.ts';
import { isAsBefore, type FileTree } from '../io/file-tree.ts';
import { together } from '../io/together.ts';
import { INBOX_METADATA } from '../protocol/exchange.ts';
import type { Versions } from './learn-remote.ts';
import { readHead } from './read-head.ts';

const HEAD = `${INBOX_METADATA}/timestamp.json`;

export interface WatchedHead {
  /** One round trip unless something has changed. @throws TIEUP_E_LOCKED when the head is another one now */
  assertUnmoved(): Promise<void>;
}

/** @param head as it was read, perhaps before the lock was there @throws TIEUP_E_LOCKED when it is another one by now */
export async function watchHead(
  exchange: FileTree,
  partner: string,
  head: Uint8Array | undefined,
): Promise<WatchedHead> {
  const assertSame = (now: Uint8Array | undefined): void => {
    if (isSame(now, head)) return;
    throw new TieupError('TIEUP_E_LOCKED', `another push to ${partner} was under way at the same moment`, {
      hint: 'nothing of this one can be seen; push again',
    });
  };
  const [seen, read] = await together([exchange.stat(HEAD), readHead(exchange)]);
  assertSame(read);
  return {
    assertUnmoved: async () => {
      if (!isAsBefore(seen, await exchange.stat(HEAD))) assertSame(await readHead(exchange));
    },
  };
}

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one === undefined || other === undefined ? one === other : Buffer.from(one).equals(other);
}

/** The name of metadata under a number, which is never used for anything else. */
export const NUMBERED = /^([1-9]\d{0,15})\.(targets|snapshot)\.json$/;

export function isNumbered(path: string): boolean {
  return NUMBERED.test(path.slice(INBOX_METADATA.length + 1));
}

/**
 * Versions from which the next are free: a push that was cut off right before its end has left its numbers there. Numbers that
 * somebody has put further up are not jumped to.
 */
export async function pastTaken(exchange: FileTree, versions: Versions): Promise<Versions> {
  const taken = new Set((await exchange.list(INBOX_METADATA)).map(({ name }) => name));
  const past = (role: 'targets' | 'snapshot'): number => {
    let version = versions[role];
    while (taken.has(`${version + 1}.${role}.json`)) version += 1;
    return version;
  };
  return { ...versions, targets: past('targets'), snapshot: past('snapshot') };
}
