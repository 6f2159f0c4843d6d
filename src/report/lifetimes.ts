/** What time does to a partnership: versions that run out of support, contracts that end, signatures that expire. */
import type { MetadataRole } from '../protocol/tuf-metadata.ts';
import { isHalfOver } from '../protocol/tuf-repository.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A contract that ends sooner than this is worth a word. */
const NOTICE_DAYS = 30;
/** The oldest Node that tieup runs on: major and minor. */
const OLDEST_NODE = [20, 19] as const;

/** @param version as Node names itself: `v20.19.0` */
export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [oldest, oldestMinor] = OLDEST_NODE;
  if (major > oldest || (major === oldest && minor >= oldestMinor)) return ok('node', `Node ${version}`);
  return problem('node', `Node ${version} is too old`, `install Node ${oldest}.${oldestMinor} or newer`);
}

/**
 * Whether a contract is in force at `now`, and how long it will be.
 * @param until the last instant or day; null when it is open
 * @param extend what whoever reads this can do about it
 */
export function contractFinding(from: string, until: string | null, now: Date, extend: string): Finding {
  const day = (text: string): string => text.slice(0, 10);
  const today = day(now.toISOString());
  if (today < day(from)) return warning('contract', `the contract begins on ${day(from)}`, null);
  if (until === null) return ok('contract', `the contract is in force since ${day(from)}, without an end`);
  if (today > day(until)) return problem('contract', `the contract was over on ${day(until)}`, extend);
  const left = Math.round((Date.parse(day(until)) - Date.parse(today)) / DAY_MS);
  const message = `the contract is in force until ${day(until)}`;
  return left < NOTICE_DAYS ? warning('contract', `${message}, ${days(left)} more`, extend) : ok('contract', message);
}

/**
 * How much of its life signed metadata has before it; a warning comes at half of it.
 * @param expires ISO 8601 UTC
 * @param renew what signs it anew
 */
export function expiryFinding(role: MetadataRole, expires: string, now: Date, renew: string): Finding {
  const left = Math.floor((Date.parse(expires) - now.getTime()) / DAY_MS);
  const check = `${role}-expiry`;
  const day = expires.slice(0, 10);
  if (Date.parse(expires) <= now.getTime()) return problem(check, `the ${role} metadata expired on ${day}`, renew);
  const message = `the ${role} metadata is good until ${day}, ${days(left)} more`;
  return isHalfOver(role, expires, now) ? warning(check, message, renew) : ok(check, message);
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`;
}
