/**
 * Looks at everything that a partner site stands on, and says what mends what is wrong.
 *
 *   Node → keys → who may write where → web root → space → what was signed, and the clock → contract → cron → access logs → the web server
 *
 * Reads only. Nothing is asked of the network unless it is told to see what visitors can see.
 */
import type { FileTree } from '../io/file-tree.ts';
import type { Machine } from '../io/machine.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { isEncrypted } from '../protocol/key-file.ts';
import { readJournal } from '../publish/journal.ts';
import { liveNumber, readHeld, readLive } from '../publish/records.ts';
import { finding, ok, problem, warning, type Finding } from '../report/finding.ts';
import { keyFileFindings } from '../report/key-files.ts';
import { contractFinding, nodeFinding } from '../report/lifetimes.ts';
import { readAccepted } from './accepted-release.ts';
import { readAgreedTerms } from './agreed-terms.ts';
import { logsFindings } from './doctor-logs.ts';
import { ownershipFindings } from './doctor-owners.ts';
import { trustFindings } from './doctor-trust.ts';
import { exposureFindings } from './doctor-web.ts';
import { undecidedRelease } from './not-decided.ts';
import { readLeft } from './left.ts';
import type { PartnerSite } from './partner-site.ts';
import { isPolicyInForce } from './policy.ts';

export interface PartnerDoctorPorts {
  readonly machine: Machine;
  /** The folder of the keys. */
  readonly keyFolder: FileTree;
  /** false: do not ask the web server what it gives away. */
  readonly fetch: boolean;
}

const MAX_KEY = 16 * 1024;

export async function examinePartnerSite(
  site: PartnerSite,
  { machine, keyFolder, fetch }: PartnerDoctorPorts,
): Promise<readonly Finding[]> {
  return [
    nodeFinding(machine.nodeVersion),
    ...(await finding('keys', () => keysFindings(site, keyFolder))),
    ...(await finding('owners', () => ownershipFindings(site, machine))),
    ...(await finding('web-root', () => webRootFindings(site))),
    ...(await finding('publisher', () => publisherFindings(site))),
    ...(await finding('space', () => spaceFindings(site, machine))),
    ...(await finding('trust', () => trustFindings(site))),
    ...(await finding('contract', () => contractFindings(site))),
    ...(await finding('cron', () => cronFindings(site, machine))),
    ...(await finding('logs', () => logsFindings(site, machine))),
    ...(fetch ? await finding('exposed', () => exposureFindings(site, machine)) : []),
  ];
}

const USES = [
  ['accept', 'you cannot accept releases here', 'fine where the manager accepts on another machine'],
  ['site', 'receipts cannot be signed, and the main site is not told what is live', 'put site.key back from a backup'],
  ['log', 'the access logs cannot be signed', 'put log.key back from a backup'],
] as const;

async function keysFindings(site: PartnerSite, keyFolder: FileTree): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const present: string[] = [];
  for (const [name, consequence, fix] of USES) {
    if (await site.keys.has(name)) present.push(name);
    else if (name === 'accept') found.push(warning('keys', `there is no accept key: ${consequence}`, fix));
    else found.push(problem('keys', `there is no ${name} key: ${consequence}`, fix));
  }
  if (present.length > 0) found.unshift(ok('keys', `keys on this machine: ${present.join(', ')}`));
  const accept = await readIfThere(keyFolder, 'accept.key', MAX_KEY);
  if (accept !== undefined && !isEncrypted(new TextDecoder().decode(accept))) {
    const message = 'the accept key has no password: whoever reads the file can accept releases in your name';
    const fix = `tieup keys rotate accept --confirm ${site.config.partner}, which makes a new one with a password`;
    found.push(problem('keys', message, fix));
  }
  const files = (await keyFolder.list('')).filter(({ name }) => name.endsWith('.key'));
  return [...found, ...keyFileFindings(keyFolder.label, (await keyFolder.stat(''))?.mode, files)];
}

async function webRootFindings(site: PartnerSite): Promise<readonly Finding[]> {
  const { original } = site.ports;
  const { publicName, how } = site.layout;
  const live = await liveNumber(site.ports, site.layout);
  const kind = how === 'link' ? 'a link to the tree being served' : 'a folder of its own';
  const found = [
    live === 0
      ? ok('web-root', `nothing is published yet; ${JSON.stringify(publicName)} will be ${kind}`)
      : ok('web-root', `${JSON.stringify(publicName)} is ${kind}, as publish: ${how} needs it`),
  ];
  if (original !== undefined && (await original.stat(''))?.kind !== 'folder') {
    const message = `the folder of your own pages ${JSON.stringify(original.label)} does not exist`;
    found.push(problem('original', message, `mkdir ${original.label}, or correct folders.original in tieup.yaml`));
  }
  return found;
}

/** Where the main site publishes: whether it was cut off, and says what was decided on. */
async function publisherFindings(site: PartnerSite): Promise<readonly Finding[]> {
  if (site.publisher !== 'main') return [];
  const { state } = site.ports;
  if ((await state.stat('')) === undefined) return [ok('publisher', 'the main site publishes here, and has not yet')];
  const journal = await readJournal(state);
  if (journal !== undefined) {
    const message = `the main site was cut off in publication ${journal.number}: visitors may see half of it`;
    return [problem('publisher', message, 'ask the main site to run tieup push, which finishes or undoes it')];
  }
  const { record } = await readLive(site.ports, site.layout);
  if ((await undecidedRelease(site, record)) === undefined)
    return [ok('publisher', 'the main site publishes here, and what it says is live was decided on here')];
  return [
    problem('publisher', 'the main site says that something is live which was not decided on here', 'tieup verify'),
  ];
}

/** Beside the release itself: state, a second tree, room to breathe. */
const SPARE_BYTES = 50 * 1024 * 1024;

async function spaceFindings(site: PartnerSite, machine: Machine): Promise<readonly Finding[]> {
  const { folders, site: server } = site.config;
  const release = (await readAccepted(site))?.release.files.reduce((sum, { length }) => sum + length, 0) ?? 0;
  const found: Finding[] = [];
  const said: number[] = [];
  for (const folder of server === undefined ? [folders.public, folders.state] : [folders.state]) {
    const free = await machine.freeBytes(folder);
    // Mostly one disk, which need not be named twice.
    if (free === undefined || said.some((other) => Math.abs(other - free) < other / 100)) continue;
    said.push(free);
    const megabytes = Math.floor(free / 1e6).toLocaleString('en-US');
    const message = `${megabytes} MB are free where ${JSON.stringify(folder)} lies`;
    const fix = 'make room; an update needs as much as a release besides what is there';
    if (free < release) found.push(problem('space', `${message}, less than one release`, fix));
    else if (free < 2 * release + SPARE_BYTES) found.push(warning('space', message, fix));
    else found.push(ok('space', message));
  }
  return found;
}

async function contractFindings(site: PartnerSite): Promise<readonly Finding[]> {
  const { period } = (await readAgreedTerms(site.state)).terms;
  const left = await readLeft(site);
  if (left !== undefined) {
    return [
      warning('contract', `you left the partnership on ${left.since.slice(0, 10)}`, 'to come back: tieup leave --undo'),
    ];
  }
  const extend = 'ask the main site for an extension; live pages stay, and tieup leave takes them away';
  const held = await readHeld(site.ports.state);
  return [
    contractFinding(period.from, period.until, site.clock.now(), extend),
    ...(held === undefined
      ? []
      : [warning('held', `an earlier release is held since ${held.since.slice(0, 10)}`, 'tieup resume')]),
  ];
}

/** What docs/partner-site.md puts into the crontab. */
const CRON = [
  { command: 'accept --auto', when: '*/15 * * * *', run: 'tieup accept --auto --quiet', does: 'tells you what waits' },
  {
    command: 'verify',
    when: '30 5 * * *',
    // Cron mails what is printed: nothing, as long as all is well.
    run: '{ out=$(tieup verify --quiet) || echo "$out"; }',
    does: 'finds pages that somebody changed',
  },
] as const;

async function cronFindings(site: PartnerSite, machine: Machine): Promise<readonly Finding[]> {
  const lines = await machine.crontab();
  const active = (lines ?? '').split('\n').filter((line) => !/^\s*#/.test(line) && /\btieup\b/.test(line));
  const found = CRON.map(({ command, when, run, does }) => {
    if (active.some((each) => each.includes(command))) return ok('cron', `tieup ${command} runs by cron`);
    const where = lines === undefined ? 'there is no cron on this machine that' : 'no line of your crontab';
    return warning(
      'cron',
      `${where} runs tieup ${command}, which ${does}`,
      `add with crontab -e:  ${when}  cd ${site.files.label} && ${run}`,
    );
  });
  if (site.config.auto.allow === 'content' && !(await isPolicyInForce(site))) {
    found.push(
      warning(
        'policy',
        'tieup.yaml allows releases to be accepted, but no signed policy does',
        'tieup accept --sign-policy',
      ),
    );
  }
  return found;
}
