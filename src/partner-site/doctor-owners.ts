/**
 * Who owns what at the partner. The main site's login should be a user of its own that owns `inbox` alone; whatever else it
 * can write, a thief of that login can write too (design, section 3).
 */
import { dirname, join } from 'node:path';
import { IN_PLACE, TREES_FOLDER } from '../config/partner-site.ts';
import type { Machine, Permissions } from '../io/machine.ts';
import { INBOX } from '../protocol/exchange.ts';
import { ok, problem, warning, type Finding } from '../report/finding.ts';
import type { PartnerSite } from './partner-site.ts';

const GROUP_WRITABLE = 0o020;
const OTHERS_WRITABLE = 0o002;
const READABLE_BY_OTHERS = 0o077;

export async function ownershipFindings(
  { config }: PartnerSite,
  machine: Pick<Machine, 'permissions' | 'uid'>,
): Promise<readonly Finding[]> {
  const { exchange, state, keys, public: webRoot, original, slots } = config.folders;
  if (config.site !== undefined) {
    const message = `all but state and keys lies on ${config.site.url}; who else may write there cannot be seen from here`;
    return [ok('owners', message), ...(await stateSecrecy(state, machine))];
  }
  const inboxPath = join(exchange, INBOX);
  const inbox = await machine.permissions(inboxPath);
  if (inbox === undefined) {
    const fix = `make the folder, and give it to the main site’s login: chown <login> ${inboxPath}`;
    return [problem('inbox-owner', `there is no inbox at ${JSON.stringify(inboxPath)}`, fix)];
  }
  if (machine.uid === undefined) return [];
  const others = new Set([
    '.',
    dirname(webRoot),
    exchange,
    join(exchange, 'outbox'),
    state,
    keys,
    slots,
    webRoot,
    join(dirname(webRoot), TREES_FOLDER),
    ...(original === IN_PLACE ? [] : [original]),
  ]);
  const found: Finding[] = [];
  for (const path of others) {
    const there = await machine.permissions(path);
    if (there !== undefined) found.push(...writable(path, there, inbox, machine.uid));
  }
  return [
    inboxOwner(inbox, inboxPath, machine.uid),
    ...(found.length > 0 ? found : [ok('owners', 'nobody but you can write outside the inbox')]),
    ...(await stateSecrecy(state, machine)),
  ];
}

function inboxOwner(inbox: Permissions, path: string, uid: number): Finding {
  if (inbox.uid !== uid) return ok('inbox-owner', 'the main site’s login is a user of its own');
  return warning(
    'inbox-owner',
    'the main site logs in as the very user that you are: whoever steals its login can change your live pages, your keys and your cron, and tieup cannot protect you against that',
    `where your hosting allows it, make a user for the main site alone: chown <login> ${path}`,
  );
}

function writable(
  path: string,
  { uid, gid, isLink, mode }: Permissions,
  inbox: Permissions,
  own: number,
): readonly Finding[] {
  const shown = JSON.stringify(path);
  if (uid === inbox.uid && uid !== own) {
    return [
      problem('owners', `${shown} belongs to the main site’s login, which can then change it`, `chown <you> ${path}`),
    ];
  }
  if (!isLink && (mode & OTHERS_WRITABLE) !== 0) {
    return [problem('owners', `everybody on this machine can write in ${shown}`, `chmod o-w ${path}`)];
  }
  if (!isLink && gid === inbox.gid && inbox.uid !== own && (mode & GROUP_WRITABLE) !== 0) {
    return [problem('owners', `the group of the main site’s login can write in ${shown}`, `chmod g-w ${path}`)];
  }
  return [];
}

async function stateSecrecy(state: string, machine: Pick<Machine, 'permissions'>): Promise<readonly Finding[]> {
  const there = await machine.permissions(state);
  if (there === undefined || (there.mode & READABLE_BY_OTHERS) === 0) return [];
  return [warning('state', `others can look into ${JSON.stringify(state)}`, `chmod 700 ${state}`)];
}
