/** The partnerships of a main site: `partners/<id>.yaml`, one file each. */
import { editYaml, type YamlEdit } from '../config/document.ts';
import { parsePartnership, type Partnership } from '../config/partnership.ts';
import { isTieupError, TieupError, type Problem } from '../errors.ts';
import { PARTNER_ID } from '../protocol/names.ts';
import { nearest } from '../protocol/nearest.ts';
import type { MainSite } from './main-site.ts';

const MAX_PARTNERSHIP_FILE = 1024 * 1024;
/** Partners that a message lists. */
const MAX_NAMED = 20;

/**
 * All partnerships, or those that `wanted` names by id or tag, sorted by id.
 * @throws TIEUP_E_CONFIG with every problem of every file; TIEUP_E_USAGE when a name fits none.
 */
export async function loadPartnerships(
  site: MainSite,
  wanted: readonly string[] = [],
): Promise<readonly Partnership[]> {
  const folder = site.config.folders.partners;
  const problems: Problem[] = [];
  const all: Partnership[] = [];
  for (const entry of await site.files.list(folder)) {
    if (entry.kind !== 'file' || !entry.name.endsWith('.yaml')) continue;
    try {
      all.push(await readPartnership(site, entry.name.slice(0, -'.yaml'.length)));
    } catch (error) {
      if (!isTieupError(error, 'TIEUP_E_CONFIG')) throw error;
      problems.push(...(error.problems.length > 0 ? error.problems : [{ message: error.message }]));
    }
  }
  if (problems.length > 0) throw new TieupError('TIEUP_E_CONFIG', 'a partnership file is wrong', { problems });
  for (const name of wanted) {
    if (!all.some((partnership) => fits(partnership, name))) throw unknownPartner(name, all);
  }
  return wanted.length === 0 ? all : all.filter((partnership) => wanted.some((name) => fits(partnership, name)));
}

/** @throws TIEUP_E_USAGE when there is no such partnership. */
export async function loadPartnership(site: MainSite, id: string): Promise<Partnership> {
  // The others are read only to say what may have been meant: with thousands of them that takes seconds.
  const isThere = PARTNER_ID.test(id) && (await site.files.stat(partnershipFile(site, id)))?.kind === 'file';
  if (!isThere) throw unknownPartner(id, await loadPartnerships(site));
  return readPartnership(site, id);
}

export function partnershipFile(site: Pick<MainSite, 'config'>, id: string): string {
  return `${site.config.folders.partners}/${id}.yaml`;
}

async function readPartnershipText(site: MainSite, id: string): Promise<string> {
  return new TextDecoder().decode(await site.files.read(partnershipFile(site, id), MAX_PARTNERSHIP_FILE));
}

/** A partnership as it would be after `edits`, and the text of its file. */
export interface EditedPartnership {
  readonly partnership: Partnership;
  readonly text: string;
}

/** Edits nothing yet; comments in the file stay. @throws TIEUP_E_CONFIG when the next command could not read the outcome. */
export async function planEdit(site: MainSite, id: string, edits: readonly YamlEdit[]): Promise<EditedPartnership> {
  const file = partnershipFile(site, id);
  const text = editYaml(await readPartnershipText(site, id), file, edits);
  return { partnership: parsePartnership(text, file), text };
}

/** Carries out what {@link planEdit} plans, and returns the partnership as it is then. */
export async function editPartnership(site: MainSite, id: string, edits: readonly YamlEdit[]): Promise<Partnership> {
  const { partnership, text } = await planEdit(site, id, edits);
  await site.files.write(partnershipFile(site, id), Buffer.from(text));
  return partnership;
}

async function readPartnership(site: MainSite, id: string): Promise<Partnership> {
  const file = partnershipFile(site, id);
  const partnership = parsePartnership(await readPartnershipText(site, id), file);
  if (partnership.id !== id) {
    throw new TieupError('TIEUP_E_CONFIG', `${file} says that its id is ${JSON.stringify(partnership.id)}`, {
      hint: 'name the file after the id',
    });
  }
  return partnership;
}

function fits(partnership: Partnership, name: string): boolean {
  return partnership.id === name || partnership.tags.includes(name);
}

function unknownPartner(name: string, all: readonly Partnership[]): TieupError {
  const close = nearest(
    name,
    all.flatMap(({ id, tags }) => [id, ...tags]),
  );
  const known = `${all
    .slice(0, MAX_NAMED)
    .map(({ id }) => id)
    .join(', ')}${all.length > MAX_NAMED ? ', …' : ''}`;
  return new TieupError('TIEUP_E_USAGE', `there is no partner and no tag ${JSON.stringify(name)}`, {
    hint:
      close === undefined
        ? `partners are: ${known === '' ? 'none yet' : known}`
        : `did you mean ${JSON.stringify(close)}?`,
  });
}

/** Why nothing may be pushed, and since or until when. */
export interface NotInForce {
  /** `early`: the first day is still to come; `over`: the last day has passed. */
  readonly kind: 'invited' | 'suspended' | 'ended' | 'early' | 'over';
  readonly message: string;
  readonly hint: string;
}

/** Whether the contract is in force at `now`; undefined when it is. Live pages are never touched, whatever it says. */
export function whyNotInForce(partnership: Partnership, now: Date): NotInForce | undefined {
  const { id, status, period } = partnership;
  const today = now.toISOString().slice(0, 10);
  if (status === 'suspended') {
    return {
      kind: 'suspended',
      message: suspensionText(partnership, today),
      hint: `when it goes on: tieup partner resume ${id}; live pages stay`,
    };
  }
  if (status === 'ended') {
    const hint = 'live pages stay until the partner removes them with tieup leave';
    return { kind: 'ended', message: `the partnership with ${id} has ended`, hint };
  }
  if (status === 'invited') {
    return { kind: 'invited', ...invitedText(partnership, now) };
  }
  if (today < period.from) {
    const hint = `change the period in partners/${id}.yaml if that is wrong`;
    return { kind: 'early', message: `the contract with ${id} begins on ${period.from}`, hint };
  }
  if (period.until !== null && today > period.until) {
    const hint = `change the period in partners/${id}.yaml when it is extended; live pages stay`;
    return { kind: 'over', message: `the contract with ${id} was over on ${period.until}`, hint };
  }
  return undefined;
}

function invitedText({ id, invitation }: Partnership, now: Date): { readonly message: string; readonly hint: string } {
  const message = `${id} has not joined yet`;
  if (invitation === null) return { message, hint: `run tieup invite ${id}, and tieup enroll with the answer` };
  const { until } = invitation;
  return now > new Date(until)
    ? { message: `${message}, and its invitation was good until ${until}`, hint: `run tieup invite ${id} again` }
    : { message: `${message}; its invitation is good until ${until}`, hint: 'run tieup enroll with the answer' };
}

/** A date alone never ends a suspension: whoever suspended has to say that its reason is gone. */
function suspensionText({ id, suspendedUntil, suspendedFor }: Partnership, today: string): string {
  const because = suspendedFor === undefined ? '' : `: ${suspendedFor}`;
  const isSuspended = `the partnership with ${id} is suspended`;
  if (suspendedUntil === undefined) return `${isSuspended}${because}`;
  if (today <= suspendedUntil) return `${isSuspended} until ${suspendedUntil}${because}`;
  return `${isSuspended}; that was until ${suspendedUntil}, but nobody has resumed it${because}`;
}

export interface PassedOver {
  readonly partner: string;
  readonly why: string;
}

/**
 * Who is named gets an answer, a refusal too; where nobody is named, partners who have not joined yet or whose contract is
 * not in force are passed over.
 */
export function passOver(
  partnerships: readonly Partnership[],
  named: readonly string[],
  now: Date,
): { readonly served: readonly Partnership[]; readonly passedOver: readonly PassedOver[] } {
  if (named.length > 0) return { served: partnerships, passedOver: [] };
  const served: Partnership[] = [];
  const passedOver: PassedOver[] = [];
  for (const partnership of partnerships) {
    const why = whyNotInForce(partnership, now);
    if (why === undefined) served.push(partnership);
    else passedOver.push({ partner: partnership.id, why: why.message });
  }
  return { served, passedOver };
}

/** @throws TIEUP_E_CONTRACT unless pages may be pushed to this partner at `now`. */
export function assertInForce(partnership: Partnership, now: Date): void {
  const why = whyNotInForce(partnership, now);
  if (why !== undefined) throw new TieupError('TIEUP_E_CONTRACT', why.message, { hint: why.hint });
}
