/**
 * A push to partners that have everything already, which is what most pushes of a cron job come to.
 *
 *   what was read last time → the same now? → the head that each inbox holds → the same as well? → nothing to send
 *                                            (of who has not confirmed: all that lies there, and what was answered)
 *
 * Nothing is sent here, so no key is opened and no lock is asked for: a push that another machine is making meanwhile is one that
 * comes after this one. Whatever is not as it was is left to the push that looks at everything (push-all.ts). Loads neither schemas
 * nor YAML nor what renders pages: reading the files anew takes less time than that.
 */
import pLimit from 'p-limit';
import { CONFIG_FILE, MAX_CONFIG } from '../config/config-file.ts';
import type { Partnership } from '../config/partnership.ts';
import { asTieupError, type Problem } from '../errors.ts';
import { isBrokenLine } from '../io/broken-line.ts';
import type { FileTree } from '../io/file-tree.ts';
import { wouldReadTheSame } from '../io/recorded-reads.ts';
import { together } from '../io/together.ts';
import { sha256 } from '../protocol/digest.ts';
import { isInShard } from '../protocol/shard.ts';
import { areFoldersAsWritten, sftpAsWritten } from './as-written.ts';
import { readRawRecord, recordDigest, renewContact } from './contact.ts';
import { withDeadline } from './deadline.ts';
import { passOver, whyNotInForce, type Contract, type PassedOver } from './in-force.ts';
import { listInbox, waitingDigest } from './inbox-content.ts';
import type { KnownPartner, LastPush, ServedPartner } from './last-push.ts';
import type { MainSite } from './main-site.ts';
import { outboxAhead } from './outbox-ahead.ts';
import type { PushResult, PushStep } from './push.ts';
import { readHead } from './read-head.ts';
import type { Selection } from './select-partners.ts';
import { keepUnfinished } from './unfinished.ts';

export interface UnchangedRequest extends Selection {
  readonly concurrency: number;
  readonly deadlineMs?: number | undefined;
  onProgress(partner: string, step: PushStep): void;
}

export interface Unchanged {
  /** Of those who have everything, and of those who could not be reached; sorted by id. */
  readonly results: readonly PushResult[];
  /** Ids of the others, to whom a push has to be made. */
  readonly rest: ReadonlySet<string>;
  readonly passedOver: readonly PassedOver[];
  readonly warnings: readonly Problem[];
}

const MAX_PARTNERSHIP_FILE = 1024 * 1024;

/**
 * @param site with the settings that `last` knows
 * @returns undefined when a push has to be made to everybody: what is sent is made of other things than last time, or nobody knows
 */
export async function pushUnchanged(
  site: MainSite,
  last: LastPush,
  request: UnchangedRequest,
): Promise<Unchanged | undefined> {
  const now = site.clock.now();
  if (now < new Date(last.from) || (last.until !== null && now >= new Date(last.until))) return undefined;
  const selected = await selectKnown(site, last, request);
  if (selected === undefined) return undefined;
  const { served: asked, passedOver } = passOver(selected, request.partners, now);
  const leftOut = new Set(passedOver.map(({ partner }) => partner));
  // What this side publishes is looked after whatever the contract says.
  const tended = selected.filter(({ id, publisher }) => publisher === 'main' && leftOut.has(id));
  const isServed = ({ id, sftp }: Selected): boolean => {
    if (sftp === undefined) return false;
    const { partnership, served = null } = last.partner(id) ?? {};
    if (partnership === undefined || served === null || whyNotInForce(partnership, now) !== undefined) return false;
    return now < new Date(served.freshUntil);
  };
  const known = asked.filter(isServed);
  if (known.length === 0) return undefined;

  // The files are read while the connections are made.
  const limit = pLimit(request.concurrency);
  let isSame: Promise<boolean> | undefined;
  const checking = () => (isSame ??= wouldReadTheSame(site.files, last.sources));
  const looks = known.map(({ id, sftp }) => limit(() => lookOrReport(site, last.partner(id), sftp, request, checking)));
  const [same, ...looked] = await Promise.all([checking(), ...looks]);
  if (!same) return undefined;
  const results = looked.flatMap((result) => result ?? []);
  await keepUnfinished(
    site,
    results.map(({ partner, kind }) => ({ partner, failed: kind === 'failed' })),
  );
  const done = new Set(results.map(({ partner }) => partner));
  const rest = new Set([...asked, ...tended].flatMap(({ id }) => (done.has(id) ? [] : [id])));
  return { results, rest, passedOver, warnings: last.warnings };
}

/** Of thousands of partners no more than this is kept at a time. */
type Selected = Pick<Partnership, 'id' | 'tags' | 'publisher' | 'schedule'> &
  Contract & {
    /** As its file says it now, never as `last` does; undefined where that takes a YAML parser. */
    readonly sftp: Partnership['sftp'] | undefined;
  };

/** Who is meant, sorted by id; undefined when a file of a partnership is another one, or a name fits none. */
export async function selectKnown(
  { files }: MainSite,
  { config, partner }: LastPush,
  { partners: wanted, shard, only }: Selection,
): Promise<readonly Selected[] | undefined> {
  const folder = config.folders.partners;
  const utf8 = new TextDecoder();
  if (!areFoldersAsWritten(utf8.decode(await files.read(CONFIG_FILE, MAX_CONFIG)), config.folders)) return undefined;
  const all: Selected[] = [];
  for (const { kind, name } of await files.list(folder)) {
    if (kind !== 'file' || !name.endsWith('.yaml')) continue;
    const known = partner(name.slice(0, -'.yaml'.length));
    const file = await files.read(`${folder}/${name}`, MAX_PARTNERSHIP_FILE);
    if (known?.file !== sha256(file)) return undefined;
    const { id, tags, publisher, schedule, status, period, suspendedUntil, suspendedFor, invitation } =
      known.partnership;
    const sftp = sftpAsWritten(utf8.decode(file));
    all.push({ id, tags, publisher, schedule, sftp, status, period, suspendedUntil, suspendedFor, invitation });
  }
  const fits = ({ id, tags }: Selected, name: string): boolean => id === name || tags.includes(name);
  if (wanted.some((name) => !all.some((each) => fits(each, name)))) return undefined;
  return all.filter(
    (each) =>
      (wanted.length === 0 || wanted.some((name) => fits(each, name))) &&
      (shard === undefined || isInShard(each.id, shard)) &&
      (only?.has(each.id) ?? true),
  );
}

/** Undefined for a partner to whom a push has to be made. */
async function lookOrReport(
  site: MainSite,
  known: KnownPartner | undefined,
  sftp: Selected['sftp'],
  request: UnchangedRequest,
  isSame: () => Promise<boolean>,
): Promise<PushResult | undefined> {
  if (known === undefined || known.served === null || sftp === undefined) return undefined;
  const { served } = known;
  const partnership: Partnership = { ...known.partnership, sftp };
  const partner = partnership.id;
  const { deadlineMs } = request;
  const look = (limited: MainSite) => lookAt(limited, partnership, served, isSame);
  try {
    request.onProgress(partner, { kind: 'connecting' });
    return await withDeadline(site, partner, deadlineMs, look);
  } catch (error) {
    // A line that was cut is tried again by the push that sends.
    if (isBrokenLine(error) || !(await isSame())) return undefined;
    return (await import('./push-one.ts')).reportFailure(site, partner, asTieupError(error), 'push');
  }
}

async function whatLiesThere(exchange: FileTree): Promise<string> {
  const outbox = outboxAhead(exchange);
  return waitingDigest(await listInbox(exchange), await outbox.digest());
}

async function lookAt(
  site: MainSite,
  partnership: Partnership,
  { release, releaseDigest, head, waiting, record, readings }: ServedPartner,
  isSame: () => Promise<boolean>,
): Promise<PushResult | undefined> {
  const partner = partnership.id;
  const connecting = site.connect(partnership);
  // It is awaited below.
  connecting.catch(() => {});
  const remembered = await readRawRecord(site, partner);
  const isAsItWas =
    remembered !== undefined &&
    recordDigest(remembered) === record &&
    (await wouldReadTheSame(site.files, readings)) &&
    (await isSame());
  const exchange = await connecting;
  try {
    if (!isAsItWas) return undefined;
    const [found, lies] = await together([
      readHead(exchange),
      waiting === null ? Promise.resolve(null) : whatLiesThere(exchange),
    ]);
    if (found === undefined || sha256(found) !== head || lies !== waiting) return undefined;
    await renewContact(site, partner, remembered);
    return { kind: 'unchanged', partner, release, releaseDigest, troubles: [] };
  } finally {
    await exchange.close();
  }
}
