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
  return namedAmong(all, wanted);
}

/** Those that `wanted` names by id or tag; all where it names nobody. @throws TIEUP_E_USAGE when a name fits none. */
export function namedAmong(all: readonly Partnership[], wanted: readonly string[]): readonly Partnership[] {
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
