/**
 * Looks at everything that a main site stands on, and says what mends what is wrong.
 *
 *   Node → keys → cron → each partner: contract → expiry → login → inbox → clock → the rest of the site → space
 *
 * The only thing it writes is the lock of an inbox, and a file where none may be written; both are gone afterwards.
 */
import pLimit from 'p-limit';
import type { FileTree } from '../io/file-tree.ts';
import type { KeyName } from '../io/keys.ts';
import type { Machine } from '../io/machine.ts';
import type { Partnership } from '../config/partnership.ts';
import { finding, ok, warning, type Finding } from '../report/finding.ts';
import { nodeFinding } from '../report/lifetimes.ts';
import { keyFileFindings } from '../report/key-files.ts';
import { examinePartner, type ServerLook } from './doctor-partner.ts';
import { sourcesLength } from './kept-sources.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerships } from './partnerships.ts';
import type { SshRotationPorts } from './ssh-rotate.ts';
import { rootKeyFindings } from './root-holders.ts';

export interface MainDoctorPorts {
  readonly machine: Pick<Machine, 'nodeVersion' | 'crontab'>;
  /** The folder of the keys. */
  readonly keyFolder: FileTree;
  /** Logs in to a partner's server; the caller closes the tree. @throws TIEUP_E_HOST_KEY, TIEUP_E_LOGIN, TIEUP_E_CONNECTION. */
  look(partnership: Partnership): Promise<ServerLook>;
  /** See {@link SshRotationPorts}. */
  readonly letsIn: SshRotationPorts['letsIn'];
}

export interface MainExamination {
  readonly site: readonly Finding[];
  readonly partners: readonly { readonly partner: string; readonly findings: readonly Finding[] }[];
}

/** @param partners ids or tags; all when empty. @throws TIEUP_E_CONFIG, TIEUP_E_USAGE when a name fits no partner. */
export async function examineMainSite(
  site: MainSite,
  ports: MainDoctorPorts,
  partners: readonly string[],
  concurrency: number,
): Promise<MainExamination> {
  const partnerships = await loadPartnerships(site, partners);
  const limit = pLimit(concurrency);
  return {
    site: [
      nodeFinding(ports.machine.nodeVersion),
      ...(await keysFindings(site, ports.keyFolder)),
      ...(await certificateFindings(partnerships, ports.keyFolder)),
      ...(await rootKeyFindings(site.keys, site.config.roots)),
      await cronFinding(site, ports.machine),
      ...(await finding('retention', async () => [await retentionFinding(site)])),
      ...(partnerships.length === 0 ? [warning('partners', 'there is no partner yet', 'tieup invite <partner>')] : []),
    ],
    partners: await Promise.all(
      partnerships.map((partnership) =>
        limit(async () => ({
          partner: partnership.id,
          findings: await examinePartner(site, partnership, () => ports.look(partnership), ports.letsIn),
        })),
      ),
    ),
  };
}

/** What each key is for: a machine need not have all of them, and a machine for CI should not. */
const USES: readonly (readonly [KeyName, string])[] = [
  ['release', 'tieup push cannot sign releases here'],
  ['online', 'tieup push and tieup refresh cannot sign here'],
  ['document', 'tieup invite cannot sign invitations here'],
];

async function keysFindings(site: MainSite, keyFolder: FileTree): Promise<readonly Finding[]> {
  const missing: Finding[] = [];
  const present: string[] = [];
  for (const [name, consequence] of USES) {
    if (await site.keys.has(name)) present.push(name);
    else missing.push(warning('keys', `there is no ${name} key: ${consequence}`, KEY_FIX));
  }
  const list = present.length === 0 ? [] : [ok('keys', `keys on this machine: ${present.join(', ')}`)];
  return [...list, ...missing, ...(await finding('key-files', () => keyFileModes(keyFolder)))];
}

/** tieup's own connections do not use them. */
async function certificateFindings(
  partnerships: readonly Partnership[],
  keyFolder: FileTree,
): Promise<readonly Finding[]> {
  const certificates = (await keyFolder.list('')).filter(({ name }) => /^ssh.*-cert\.pub$/.test(name));
  const without = partnerships.filter(({ sftp }) => sftp !== null && sftp.transport !== 'ssh');
  const [{ name } = { name: '' }] = certificates;
  if (name === '' || without.length === 0) return [];
  const ids = without.slice(0, MAX_NAMED).map(({ id }) => id);
  const message = `${name} lies beside the SSH key, but is not shown to ${ids.join(', ')}${without.length > MAX_NAMED ? ', …' : ''}`;
  return [warning('ssh-certificate', message, 'write transport: ssh under sftp in partners/<id>.yaml')];
}

/** What the way back to earlier releases takes of this disk. */
async function retentionFinding(site: MainSite): Promise<Finding> {
  const { releases } = site.config.retention;
  if (releases === 0) return ok('retention', 'no release can be rolled back to: retention.releases is 0');
  const megabytes = ((await sourcesLength(site)) / 1e6).toFixed(1);
  return ok(
    'retention',
    `sources of the last ${releases} releases of each partner are kept: ${megabytes} MB in .tieup/sources`,
  );
}

const MAX_NAMED = 10;
const KEY_FIX = 'fine where that is done elsewhere; otherwise put the key file into the folder of the keys';

async function keyFileModes(tree: FileTree): Promise<readonly Finding[]> {
  const files = (await tree.list('')).filter(({ name }) => name.endsWith('.key'));
  return keyFileFindings(tree.label, (await tree.stat(''))?.mode, files);
}

async function cronFinding({ files }: MainSite, machine: Pick<Machine, 'crontab'>): Promise<Finding> {
  const lines = await machine.crontab();
  const isThere = (lines ?? '').split('\n').some((line) => !/^\s*#/.test(line) && /\btieup\b.*\brefresh\b/.test(line));
  if (isThere) return ok('cron', 'tieup refresh runs by cron');
  const why = lines === undefined ? 'there is no cron on this machine' : 'no line of your crontab runs tieup refresh';
  const message = `${why}: somewhere it must run daily, or partners take what you pushed for stale`;
  return warning(
    'cron',
    message,
    `add with crontab -e:  0 4 * * *  cd ${files.label} && tieup refresh --quiet >/dev/null`,
  );
}
