/**
 * Pushes to those partners whose prescribed time has come: `tieup push --due`, from cron or with `--watch`.
 *
 *   schedules → who is due → push → who was served
 */
import { z } from 'zod';
import type { Partnership } from '../config/partnership.ts';
import { isDue, nextTime, type Schedule } from '../config/schedule.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { instant } from '../protocol/instant.ts';
import { readHold } from './holds.ts';
import type { MainSite } from './main-site.ts';
import { whyNotInForce } from './in-force.ts';
import { pushAll, type FleetRequest, type Pushed } from './push-all.ts';
import { readRecord } from './record.ts';
import { selectPartners, type Selection } from './select-partners.ts';

const PLACE = '.tieup/schedule.json';
const MAX_LENGTH = 16 * 1024 * 1024;
/** By partner, when it was served as its schedule says. */
const servedSchema = z.record(z.string(), z.string());

export interface PushedDue {
  readonly pushed: Pushed;
  /** The next prescribed time of anybody; undefined without any schedule. */
  readonly next: Date | undefined;
}

const NOTHING: Pushed = { results: [], answers: new Map(), heldBack: [], passedOver: [], warnings: [] };

/** @throws what {@link pushAll} throws. Whoever failed or was held back stays due. */
export async function pushDue(site: MainSite, request: FleetRequest): Promise<PushedDue> {
  const { partners, next } = await partnersDue(site, request);
  if (partners.size === 0) return { pushed: NOTHING, next };
  const at = site.clock.now();
  const pushed = await pushAll(site, { ...request, only: partners });
  const served = pushed.results.flatMap(({ partner, kind }) => (kind === 'failed' ? [] : [partner]));
  await keepServed(site, served, at);
  return { pushed, next };
}

interface Due {
  readonly partners: ReadonlySet<string>;
  /** The next time that somebody is due, as far as schedules tell; undefined without any schedule. */
  readonly next: Date | undefined;
}

async function partnersDue(site: MainSite, selection: Selection): Promise<Due> {
  const now = site.clock.now();
  const served = await readServed(site);
  const partners = new Set<string>();
  let next: Date | undefined;
  for (const partnership of await selectPartners(site, selection)) {
    const schedule = scheduleOf(site, partnership);
    // A contract that is not in force, and a hold, are told of by whoever names the partner, not by every round of cron.
    if (schedule === undefined || whyNotInForce(partnership, now) !== undefined) continue;
    if ((await readHold(site, partnership.id)) !== undefined) continue;
    const { pushed } = await readRecord(site, partnership.id);
    // Whoever was pushed to by hand since then has what would be brought now.
    const times = [served[partnership.id], pushed?.at].filter((time) => time !== undefined).toSorted();
    const last = times.at(-1);
    if (isDue(schedule, last === undefined ? undefined : new Date(last), now)) partners.add(partnership.id);
    const following = nextTime(schedule, now);
    if (following !== undefined && (next === undefined || following < next)) next = following;
  }
  return { partners, next };
}

/** Takes down who was served at `at`; whoever failed stays due. */
async function keepServed(site: MainSite, partners: readonly string[], at: Date): Promise<void> {
  if (partners.length === 0) return;
  const served = { ...(await readServed(site)), ...Object.fromEntries(partners.map((id) => [id, instant(at)])) };
  await site.files.write(PLACE, Buffer.from(`${JSON.stringify(served)}\n`));
}

/** A partner's own, or else that of tieup.yaml. */
function scheduleOf(site: MainSite, { schedule }: Partnership): Schedule | undefined {
  return schedule ?? site.config.schedule;
}

async function readServed(site: MainSite): Promise<Readonly<Record<string, string>>> {
  const bytes = await readIfThere(site.files, PLACE, MAX_LENGTH);
  if (bytes === undefined) return {};
  try {
    return servedSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    // Worth one push too many.
    return {};
  }
}
