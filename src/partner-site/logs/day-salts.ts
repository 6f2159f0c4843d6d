/**
 * The salts under which visitors get the pseudonym of a day. Each is destroyed by the first command that runs 48 hours after its day
 * began: from then on nobody can tell whose pseudonym it was, this site included.
 */
import { isTieupError } from '../../errors.ts';
import type { SaltOfDay } from '../../logs/visitor.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import type { PartnerSite } from '../partner-site.ts';

type Salted = Pick<PartnerSite, 'state' | 'clock'>;

const FOLDER = 'logs/salts';
const LENGTH = 32;
const DAY_MS = 86_400_000;
const LIFE_MS = 2 * DAY_MS;

/** Makes the salts that lines of these days need, destroys the others. */
export async function daySalts(site: PartnerSite): Promise<SaltOfDay> {
  const now = site.clock.now().getTime();
  const days = [-1, 0, 1].map((offset) => dayOf(now + offset * DAY_MS)).filter((day) => isAlive(day, now));
  const salts = new Map<string, Uint8Array>();
  for (const day of days) salts.set(day, await saltOf(site, day));
  await destroyOverdue(site);
  return (day) => salts.get(day);
}

async function saltOf(site: PartnerSite, day: string): Promise<Uint8Array> {
  const known = await readIfThere(site.state, `${FOLDER}/${day}`, LENGTH);
  if (known?.length === LENGTH) return known;
  const salt = site.random(LENGTH);
  await site.state.write(`${FOLDER}/${day}`, salt, { mode: 0o600 });
  return salt;
}

/** The days whose salts are still here although they must not be; something else than a day too. */
export async function overdueSalts({ state, clock }: Salted): Promise<readonly string[]> {
  const now = clock.now().getTime();
  return (await state.list(FOLDER)).map(({ name }) => name).filter((name) => !isAlive(name, now));
}

/** For every command that opens the site, as cron may not run. What it may not destroy is for doctor to say. */
export async function destroyIfAllowed(site: Salted): Promise<void> {
  try {
    await destroyOverdue(site);
  } catch (error) {
    if (!isTieupError(error)) throw error;
  }
}

async function destroyOverdue(site: Salted): Promise<void> {
  const over = (await overdueSalts(site)).map((name) => `${FOLDER}/${name}`);
  for (const path of over) await site.state.remove(path);
  if (over.length > 0) await site.state.sync(over);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** False also for what is no day. A clock that was far ahead must not keep a salt for years either. */
function isAlive(day: string, now: number): boolean {
  const start = Date.parse(`${day}T00:00:00Z`);
  return now < start + LIFE_MS && start <= now + DAY_MS;
}
