/** The partnerships of a main site: `partners/<id>.yaml`, one file each. */
import { parsePartnership, type Partnership } from '../config/partnership.ts';
import { isTieupError, TieupError, type Problem } from '../errors.ts';
import { nearest } from '../protocol/nearest.ts';
import type { MainSite } from './main-site.ts';

const MAX_PARTNERSHIP_FILE = 1024 * 1024;

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
  const all = await loadPartnerships(site);
  const found = all.find((partnership) => partnership.id === id);
  if (found === undefined) throw unknownPartner(id, all);
  return found;
}

/** The path of a partnership's file, for messages and edits. */
export function partnershipFile(site: MainSite, id: string): string {
  return `${site.config.folders.partners}/${id}.yaml`;
}

/** The text of a partnership's file. */
export async function readPartnershipText(site: MainSite, id: string): Promise<string> {
  return new TextDecoder().decode(await site.files.read(partnershipFile(site, id), MAX_PARTNERSHIP_FILE));
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
  const known = all.map(({ id }) => id).join(', ');
  return new TieupError('TIEUP_E_USAGE', `there is no partner and no tag ${JSON.stringify(name)}`, {
    hint:
      close === undefined
        ? `partners are: ${known === '' ? 'none yet' : known}`
        : `did you mean ${JSON.stringify(close)}?`,
  });
}

/** @throws TIEUP_E_CONTRACT unless pages may be pushed to this partner at `now`. */
export function assertInForce(partnership: Partnership, now: Date): void {
  const { id, status, period } = partnership;
  const refuse = (message: string, hint: string) => new TieupError('TIEUP_E_CONTRACT', message, { hint });
  if (status === 'suspended')
    throw refuse(
      `the partnership with ${id} is suspended`,
      'set its status to active in its file when it goes on; live pages stay',
    );
  if (status === 'ended')
    throw refuse(`the partnership with ${id} has ended`, 'live pages stay until the partner removes them');
  if (status === 'invited')
    throw refuse(`${id} has not joined yet`, `run tieup invite ${id}, and tieup enroll with the answer`);
  const today = now.toISOString().slice(0, 10);
  if (today < period.from)
    throw refuse(`the contract with ${id} begins on ${period.from}`, 'change the period in its file if that is wrong');
  if (period.until !== null && today > period.until) {
    throw refuse(
      `the contract with ${id} was over on ${period.until}`,
      'change the period in its file when it is extended; live pages stay',
    );
  }
}
