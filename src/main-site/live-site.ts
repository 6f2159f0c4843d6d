/**
 * A partner's live tree, where the main site publishes (`publisher: main`): opened under the lock of all who publish there, and whole.
 *
 * A publication that was cut off is finished or undone before anything else, by whichever machine comes first: what it takes lies
 * at the partner. Visitors must not see half of a release because a contract was suspended or an outbox cannot be read.
 */
import { TREES_FOLDER } from '../config/partner-site.ts';
import type { Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { acquireLock } from '../io/lock.ts';
import { lockedTrees, type LockedTrees } from '../io/locked-tree.ts';
import { LEDGER_FOLDER } from '../protocol/exchange.ts';
import { JOURNAL } from '../publish/journal.ts';
import { objectStore, type ObjectStore } from '../publish/objects.ts';
import type { Layout, Ports } from '../publish/ports.ts';
import { recover, type Recovery } from '../publish/recover.ts';
import type { MainSite, SiteAccess } from './main-site.ts';

export interface LiveSite {
  readonly ports: Ports;
  readonly layout: Layout;
  readonly objects: ObjectStore;
  /** What had been cut off, and what became of it. */
  readonly recovery: Recovery;
}

const LOCK_MINUTES = 30;

/**
 * Runs `work` on a live tree that is whole, alone.
 * @param isAgain after a line that was cut: the lock may be our own
 * @throws TIEUP_E_LOCKED, TIEUP_E_CONFIG, what opening the site, recovering and `work` throw
 */
export async function atLiveSite<T>(
  site: MainSite,
  partnership: Partnership,
  isAgain: boolean,
  work: (live: LiveSite) => Promise<T>,
): Promise<T> {
  const where = whereItIs(partnership);
  const access = await site.openSite(partnership);
  try {
    const options = { ...site, isAgain };
    const ledger = access.tree(LEDGER_FOLDER);
    const locked = lockedTrees(() => acquireLock(ledger, 'lock', site.owner, site.clock, LOCK_MINUTES, options));
    const lock = await locked.lock();
    try {
      const opened = sitePorts(access, partnership, where, locked.keepingLock);
      const recovery = await recover(opened.ports, opened.layout);
      if (recovery.kind !== 'nothing')
        await site.history.add({
          action: 'recover',
          partner: partnership.id,
          detail: `publication ${recovery.number}, which was cut off, is ${recovery.kind}`,
        });
      return await work({ ...opened, recovery });
    } finally {
      await lock.release();
    }
  } finally {
    await access.close();
  }
}

/** Finishes or undoes a publication that was cut off, whatever the partner says by now. @throws as {@link atLiveSite} */
export async function makeWhole(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
  isAgain = false,
): Promise<Recovery> {
  const isCutOff =
    partnership.publisher === 'main' && (await exchange.stat(`${LEDGER_FOLDER}/${JOURNAL}`)) !== undefined;
  if (!isCutOff) return { kind: 'nothing' };
  return atLiveSite(site, partnership, isAgain, async ({ recovery }) => recovery);
}

/** @throws TIEUP_E_CONFIG when the partner's file does not say it */
export function whereItIs({ id, site }: Partnership): NonNullable<Partnership['site']> {
  if (site !== undefined) return site;
  throw new TieupError('TIEUP_E_CONFIG', `partners/${id}.yaml does not say where its site is`, {
    hint: 'add the web root as your login sees it: site: { public: ../public_html }',
  });
}

export function sitePorts(
  access: SiteAccess,
  { mount }: Partnership,
  where: NonNullable<Partnership['site']>,
  keepingLock: LockedTrees['keepingLock'] = (tree) => tree,
): Pick<LiveSite, 'ports' | 'layout' | 'objects'> {
  const objects = objectStore(access.kept);
  const place = where.public.split('/');
  const publicName = place.pop() ?? '';
  const tree = (folder: string): FileTree => keepingLock(access.tree(folder));
  const ports: Ports = {
    original: where.original === 'in-place' ? undefined : tree(where.original),
    web: tree(place.length === 0 ? '.' : place.join('/') || '/'),
    state: tree(LEDGER_FOLDER),
    objects,
    isShared: true,
  };
  return { ports, objects, layout: { how: where.publish, publicName, treesName: TREES_FOLDER, mount } };
}
