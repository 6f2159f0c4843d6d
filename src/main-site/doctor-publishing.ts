/** What `tieup doctor` looks at where the main site publishes for a partner: whether it could, in the folders that the partner's file names. */
import type { Partnership } from '../config/partnership.ts';
import { isTieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { acquireLock } from '../io/lock.ts';
import { readJournal } from '../publish/journal.ts';
import type { Layout, Ports } from '../publish/ports.ts';
import { liveNumber } from '../publish/records.ts';
import { finding, ok, problem, warning, type Finding } from '../report/finding.ts';
import { sitePorts, whereItIs } from './live-site.ts';
import type { MainSite } from './main-site.ts';

const LOCK_MINUTES = 5;

/** Writes a lock, and a file where the pages are; both are gone afterwards. */
export async function publishingFindings(site: MainSite, partnership: Partnership): Promise<readonly Finding[]> {
  const where = whereItIs(partnership);
  const fix = `correct site in partners/${partnership.id}.yaml, or ask the partner to let our login write there`;
  const access = await site.openSite(partnership);
  try {
    const { ports, layout } = sitePorts(access, partnership, where);
    return [
      ...(await finding('web-root', () => webRootFindings(site, ports, layout, fix))),
      ...(await finding('original', () => originalFindings(ports, fix))),
      ...(await finding('ledger', () => ledgerFindings(site, partnership, ports))),
    ];
  } finally {
    await access.close();
  }
}

async function webRootFindings(site: MainSite, ports: Ports, layout: Layout, fix: string): Promise<readonly Finding[]> {
  const { web } = ports;
  const { how, publicName } = layout;
  const name = `${web.label}/${publicName}`;
  // In link mode what is written stands beside the root.
  const folder = how === 'link' ? '' : publicName;
  if ((await web.stat(folder))?.kind !== 'folder')
    return [problem('web-root', `there is no folder ${how === 'link' ? web.label : name} as our login sees it`, fix)];
  const live = await liveNumber(ports, layout);
  const writable = await canWrite(site, web, folder);
  if (!writable) return [problem('web-root', `our login cannot write in ${folder === '' ? web.label : name}`, fix)];
  const state = live === 0 ? 'nothing is published yet' : `publication ${live} is live`;
  return [ok('web-root', `we can publish to ${name} by ${how}; ${state}`)];
}

async function originalFindings({ original }: Ports, fix: string): Promise<readonly Finding[]> {
  if (original === undefined) return [];
  if ((await original.stat(''))?.kind === 'folder')
    return [ok('original', `the partner’s own pages are in ${original.label}`)];
  return [problem('original', `there is no folder ${original.label} with the partner’s own pages`, fix)];
}

/** Takes and gives back the lock that a publication takes. */
async function ledgerFindings(site: MainSite, { id }: Partnership, { state }: Ports): Promise<readonly Finding[]> {
  try {
    await (await acquireLock(state, 'lock', site.owner, site.clock, LOCK_MINUTES, site)).release();
  } catch (error) {
    if (!isTieupError(error, 'TIEUP_E_LOCKED')) throw error;
    return [warning('ledger', error.message, `when nothing runs there: tieup unlock ${id}`)];
  }
  const journal = await readJournal(state);
  if (journal === undefined) return [ok('ledger', 'we can write the records of what is published')];
  const message = `publication ${journal.number} was cut off and is not finished: visitors may see half of it`;
  return [problem('ledger', message, `tieup push ${id}, which finishes or undoes it`)];
}

/** Tries it with a file that is gone afterwards. */
export async function canWrite(site: MainSite, tree: FileTree, folder: string): Promise<boolean> {
  const name = `tieup-doctor-${Buffer.from(site.random(6)).toString('hex')}`;
  const path = folder === '' ? name : `${folder}/${name}`;
  try {
    await tree.create(path, Buffer.from('tieup doctor tried whether this can be written\n'));
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_STORAGE', 'TIEUP_E_NOT_FOUND', 'TIEUP_E_UNSAFE_PATH')) return false;
    throw error;
  }
  await tree.remove(path);
  return true;
}
