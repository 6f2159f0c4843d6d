/** One partner as `tieup doctor` of the main site sees it: the contract, the metadata in its inbox, and its server. */
import type { Partnership } from '../config/partnership.ts';
import { isTieupError } from '../errors.ts';
import { NO_TIME, type FileTree } from '../io/file-tree.ts';
import { acquireLock } from '../io/lock.ts';
import { readIfThere } from '../io/read-if-there.ts';
import type { SftpServerTraits } from '../io/sftp-connection.ts';
import { INBOX_LOCK, INBOX_METADATA } from '../protocol/exchange.ts';
import { readMetadataVersion } from '../protocol/tuf-metadata.ts';
import { finding, ok, problem, warning, type Finding } from '../report/finding.ts';
import { contractFinding, expiryFinding } from '../report/lifetimes.ts';
import { recall } from './learn-remote.ts';
import { canWrite, publishingFindings } from './doctor-publishing.ts';
import type { MainSite } from './main-site.ts';
import { whyNotInForce } from './in-force.ts';
import { findRoot } from './root-store.ts';
import { sshKeyFindings, type SshRotationPorts } from './ssh-rotate.ts';

/** A partner's server after the login. */
export interface ServerLook {
  /** Its `exchange/`. */
  readonly tree: FileTree;
  readonly server: SftpServerTraits;
  /** Bytes that the login may still write; undefined when the server does not tell. */
  freeBytes(): Promise<number | undefined>;
}

const MAX_METADATA = 1024 * 1024;
const MINUTE_MS = 60_000;
/** Signatures are dated: beyond this a partner may see what is not yet valid, or what seems to be stale. */
const SKEW_WARNING_MS = 5 * MINUTE_MS;
const SKEW_PROBLEM_MS = 24 * 60 * MINUTE_MS;
const LOCK_MINUTES = 5;
/** Beside the release itself: metadata, packs under way, and room to breathe. */
const SPARE_BYTES = 50 * 1024 * 1024;

export async function examinePartner(
  site: MainSite,
  partnership: Partnership,
  look: () => Promise<ServerLook>,
  letsIn: SshRotationPorts['letsIn'],
): Promise<readonly Finding[]> {
  const { id, status } = partnership;
  const contract = standing(site, partnership);
  if (status === 'ended' || status === 'invited') return [contract];
  const root = await finding('root-expiry', () => rootFinding(site, id));
  return [
    contract,
    ...root,
    ...(await finding('login', () => examineServer(site, partnership, look))),
    ...(await finding('ssh-key', () => sshKeyFindings(site, partnership, letsIn))),
  ];
}

function standing({ clock }: MainSite, partnership: Partnership): Finding {
  const { id, period } = partnership;
  const why = whyNotInForce(partnership, clock.now());
  if (why?.kind === 'ended') return ok('contract', why.message);
  if (why?.kind === 'over') return problem('contract', why.message, why.hint);
  if (why !== undefined) return warning('contract', why.message, why.hint);
  return contractFinding(period.from, period.until, clock.now(), `change the period in partners/${id}.yaml`);
}

async function rootFinding(site: MainSite, id: string): Promise<Finding> {
  const root = await findRoot(site, id);
  if (root === undefined) return problem('root-expiry', 'there is no root metadata', `tieup invite ${id}`);
  return expiryFinding('root', root.expires, site.clock.now(), `tieup keys renew ${id}, then tieup push ${id}`);
}

async function examineServer(
  site: MainSite,
  partnership: Partnership,
  look: () => Promise<ServerLook>,
): Promise<readonly Finding[]> {
  const seen = await look();
  const { tree, server } = seen;
  try {
    return [
      ok('login', `${tree.label} lets us in and shows the pinned host key (${server.software})`),
      ...traitFindings(server),
      ...(await finding('inbox-writable', () => inboxFindings(site, partnership, tree))),
      ...exclusiveFindings(server),
      ...(await finding('confined', async () =>
        partnership.publisher === 'main' ? publishingFindings(site, partnership) : confinedFinding(site, tree),
      )),
      ...(await finding('metadata', () => inboxExpiry(site, partnership, tree))),
      ...(await finding('space', () => spaceFinding(site, partnership, seen))),
    ];
  } finally {
    await tree.close();
  }
}

function traitFindings({ posixRename, fsync, inOrder }: SftpServerTraits): readonly Finding[] {
  const fix = 'OpenSSH’s own SFTP server has it: ask the partner';
  return [
    posixRename
      ? ok('posix-rename', 'the server replaces a file in one step')
      : warning('posix-rename', 'the server cannot replace a file in one step: for a moment it is absent', fix),
    fsync
      ? ok('fsync', 'the server writes through to its disk')
      : warning('fsync', 'the server may lose what was pushed last when its power fails', fix),
    inOrder
      ? ok('transfer', 'the server answers in order: files are sent in few round trips')
      : ok(
          'transfer',
          'the server is not OpenSSH: files are sent in smaller pieces and closed in a round trip of their own',
        ),
  ];
}

/** The lock of the inbox was the first file that must not exist. */
function exclusiveFindings({ refusesExclusive }: SftpServerTraits): readonly Finding[] {
  if (refusesExclusive !== true) return [];
  return [ok('exclusive', 'the server opens no files exclusively: its rename keeps two pushes apart')];
}

/** Takes and gives back the lock that a push takes; its time of creation is the server's clock. */
async function inboxFindings(site: MainSite, { id }: Partnership, tree: FileTree): Promise<readonly Finding[]> {
  const before = site.clock.now().getTime();
  let modified: string | undefined;
  try {
    const lock = await acquireLock(tree, INBOX_LOCK, site.owner, site.clock, LOCK_MINUTES, site);
    try {
      modified = (await tree.stat(INBOX_LOCK))?.modified;
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (!isTieupError(error, 'TIEUP_E_LOCKED')) throw error;
    return [warning('inbox-writable', error.message, `when nothing runs there: tieup unlock ${id}`)];
  }
  const writable = ok('inbox-writable', 'we can write and remove in the inbox');
  return modified === undefined || modified === NO_TIME
    ? [writable]
    : [writable, clockFinding(Date.parse(modified), before, site.clock.now().getTime())];
}

/** The file was made between `before` and `after` of our clock, and at `theirs` of the other, which counts whole seconds. */
function clockFinding(theirs: number, before: number, after: number): Finding {
  const apart = theirs + 1000 < before ? theirs + 1000 - before : Math.max(theirs - after, 0);
  const minutes = Math.round(Math.abs(apart) / MINUTE_MS);
  const message = `the server’s clock is ${minutes} minutes ${apart < 0 ? 'behind' : 'ahead of'} ours`;
  const fix = 'timedatectl set-ntp true on both machines; signatures are dated';
  if (Math.abs(apart) > SKEW_PROBLEM_MS) return problem('clock', message, fix);
  if (Math.abs(apart) > SKEW_WARNING_MS) return warning('clock', message, fix);
  return ok('clock', 'the server’s clock and ours agree');
}

/** Tries to write where the main site's login must not be able to: then a stolen login changes nothing but the inbox. */
async function confinedFinding(site: MainSite, tree: FileTree): Promise<Finding> {
  const writable: string[] = [];
  if (await canWrite(site, tree, 'outbox')) writable.push('the outbox');
  if (await canWrite(site, tree, '')) writable.push('the exchange folder');
  if (writable.length === 0) return ok('confined', 'our login can write in the inbox and nowhere else in the exchange');
  return warning(
    'confined',
    `our login can also write in ${writable.join(' and ')}: it shares a user id with the partner, so whoever steals our login can change the partner’s site`,
    'ask the partner to give our login a user id of its own that owns exchange/inbox alone',
  );
}

/** What the inbox claims; a refresh or a push verifies it. */
async function inboxExpiry(site: MainSite, { id }: Partnership, tree: FileTree): Promise<readonly Finding[]> {
  const now = site.clock.now();
  const timestamp = await readIfThere(tree, `${INBOX_METADATA}/timestamp.json`, MAX_METADATA);
  const pushed = await recall(site, id);
  if (timestamp === undefined) {
    if (pushed === undefined) return [ok('metadata', 'nothing has been pushed yet')];
    return [problem('metadata', 'the inbox is empty, but something was pushed', `tieup push ${id}`)];
  }
  const { expires } = readMetadataVersion(timestamp);
  const found = [expiryFinding('timestamp', expires, now, `tieup refresh ${id}, daily`)];
  if (pushed === undefined) return found;
  const targets = await readIfThere(tree, `${INBOX_METADATA}/${pushed.versions.targets}.targets.json`, MAX_METADATA);
  if (targets === undefined) return found;
  const release = readMetadataVersion(targets).expires;
  return [...found, expiryFinding('targets', release, now, `tieup push --full ${id}, which signs it anew`)];
}

async function spaceFinding(site: MainSite, { id }: Partnership, look: ServerLook): Promise<Finding> {
  const free = await look.freeBytes();
  if (free === undefined) return ok('space', 'the server does not tell how much space is free');
  const files = (await recall(site, id))?.base.release.files ?? [];
  const release = files.reduce((sum, { length }) => sum + length, 0);
  const message = `${megabytes(free)} MB are free on the server`;
  const fix = 'ask the partner for more space';
  if (free < release) return problem('space', `${message}, less than one release (${megabytes(release)} MB)`, fix);
  return free < release + SPARE_BYTES ? warning('space', message, fix) : ok('space', message);
}

function megabytes(bytes: number): string {
  return Math.floor(bytes / 1e6).toLocaleString('en-US');
}
