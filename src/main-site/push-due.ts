/**
 * Pushes to those partners whose prescribed time has come: `tieup push --due`, from cron or with `--watch`.
 *
 *   schedules → who is due → push → who was served
 */
import { z } from 'zod';
import { isDue, isQuiet, nextTime } from '../config/schedule.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { instant } from '../protocol/instant.ts';
import { readHold } from './holds.ts';
import type { LastPush } from './last-push.ts';
import type { MainSite } from './main-site.ts';
import { whyNotInForce } from './in-force.ts';
import { pushAll, type FleetRequest, type Pushed } from './push-all.ts';
import { isPutOff, keepPutOff, readPutOff } from './put-off.ts';
import { readRecord } from './record.ts';
import { selectPartners, type Selection } from './select-partners.ts';
import { faultOf } from './trouble.ts';
import { selectKnown } from './unchanged-push.ts';

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

export interface DueOptions {
  /** What the last push was made of: while files of partners are as they were then, none is parsed. */
  readonly last?: LastPush | undefined;
  /** How a push is made; {@link pushAll} unless given. */
  readonly push?: (request: FleetRequest) => Promise<Pushed>;
}

/** @throws what {@link pushAll} throws. Whoever failed or was held back stays due; who failed is left alone for a while. */
export async function pushDue(site: MainSite, request: FleetRequest, options: DueOptions = {}): Promise<PushedDue> {
  const { last, push = (due) => pushAll(site, due) } = options;
  const { partners, next } = await partnersDue(site, request, last);
  if (partners.size === 0) return { pushed: NOTHING, next };
  const at = site.clock.now();
  // A round of thousands may last until the quiet hours begin.
  const whyNotNow: FleetRequest['whyNotNow'] = ({ schedule = site.config.schedule }) =>
    schedule !== undefined && isQuiet(schedule, site.clock.now()) ? 'its quiet hours have begun' : undefined;
  const pushed = await push({ ...request, only: partners, whyNotNow });
  const served = pushed.results.flatMap(({ partner, kind }) => (kind === 'failed' ? [] : [partner]));
  await keepServed(site, served, at);
  await keepPutOff(
    site,
    pushed.results.map((result) => [result.partner, faultOf(result)]),
  );
  return { pushed, next };
}

interface Due {
  readonly partners: ReadonlySet<string>;
  /** The next time that somebody is due, as far as schedules tell; undefined without any schedule. */
  readonly next: Date | undefined;
}

async function partnersDue(site: MainSite, selection: Selection, last: LastPush | undefined): Promise<Due> {
  const now = site.clock.now();
  const [served, putOff] = [await readServed(site), await readPutOff(site)];
  const partners = new Set<string>();
  let next: Date | undefined;
  const known = last && (await selectKnown(site, last, selection));
  for (const { schedule = site.config.schedule, ...partnership } of known ?? (await selectPartners(site, selection))) {
    const { id } = partnership;
    // A contract that is not in force, and a hold, are told of by whoever names the partner, not by every round of cron.
    if (schedule === undefined || whyNotInForce(partnership, now) !== undefined) continue;
    const following = nextTime(schedule, now);
    if (following !== undefined && (next === undefined || following < next)) next = following;
    // Of thousands the few alone whose time has come are looked at closer: each is two small files.
    if (!isDue(schedule, dateOf(served[id]), now) || (await readHold(site, id)) !== undefined) continue;
    const { pushed, lastContact } = await readRecord(site, id);
    // Whoever was pushed to by hand since then has what would be brought now.
    if (!isDue(schedule, dateOf(pushed?.at), now)) continue;
    if (!(await isPutOff(site, id, putOff.get(id), lastContact))) partners.add(id);
  }
  return { partners, next };
}

function dateOf(time: string | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}

/** Takes down who was served at `at`; whoever failed stays due. */
async function keepServed(site: MainSite, partners: readonly string[], at: Date): Promise<void> {
  if (partners.length === 0) return;
  const served = { ...(await readServed(site)), ...Object.fromEntries(partners.map((id) => [id, instant(at)])) };
  await site.files.write(PLACE, Buffer.from(`${JSON.stringify(served)}\n`));
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
