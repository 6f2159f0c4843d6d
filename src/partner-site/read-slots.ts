/**
 * Renders what the partner wrote for the slots of framework pages: `slots/<page>/<slot>.md` or `.html`, where `<page>` is the
 * page's path below the mount without `.html`. The results become objects, so that merging only splices.
 */
import { TieupError, type Problem, isTieupError } from '../errors.ts';
import { walkFiles } from '../io/walk.ts';
import { mayNeedLabels } from '../content/labels.ts';
import type { SlotContent } from '../merge/choices.ts';
import { pageLanguage } from '../merge/page-language.ts';
import { sha256 } from '../protocol/digest.ts';
import { slotFolder, type Release, type ReleaseFile } from '../protocol/release.ts';
import type { Terms } from '../protocol/terms.ts';
import type { ObjectReader } from '../publish/objects.ts';
import type { PartnerSite } from './partner-site.ts';

const MAX_SLOT_FILE = 256 * 1024;

export interface SlotFiles {
  readonly contents: readonly SlotContent[];
  /** Files that belong to no slot of the release: a misspelt name, or a page that is gone. */
  readonly unused: readonly string[];
}

/** @throws TIEUP_E_CONTENT with every file that cannot be used. */
export async function readSlots(site: PartnerSite, release: Release, { mount, policy }: Terms): Promise<SlotFiles> {
  const wanted = slotsOf(release, mount);
  if (wanted.size === 0) return { contents: [], unused: [] };
  const { renderSlotContent } = await import('../content/slot-content.ts');
  const languages = new Languages(site.objects);
  const contents = new Map<string, SlotContent>();
  const unused: string[] = [];
  const problems: Problem[] = [];
  for await (const { path } of walkFiles(site.slots, '')) {
    const [, key, extension] = /^(.+)\.(md|html)$/.exec(path) ?? [];
    const use = key === undefined ? undefined : wanted.get(key);
    const file = `${site.config.folders.slots}/${path}`;
    if (use === undefined || key === undefined) {
      if (path !== 'README.md') unused.push(file);
      continue;
    }
    if (contents.has(key)) {
      problems.push({ file, message: 'there is an .md and an .html file for this slot: keep one' });
      continue;
    }
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(await site.slots.read(path, MAX_SLOT_FILE));
      const format = extension === 'md' ? 'md' : 'html';
      const language = format === 'md' && mayNeedLabels(text) ? await languages.of(use.of) : undefined;
      const input = { format, text, file, policy, ...(language === undefined ? {} : { language }) } as const;
      const bytes = await renderSlotContent(input, site.markdown);
      const digest = sha256(bytes);
      await site.objects.add(digest, bytes.length, bytes);
      const { page, slot } = use;
      contents.set(key, { page, slot, digest, length: bytes.length });
    } catch (error) {
      problems.push(...slotProblems(error, file));
    }
  }
  if (problems.length > 0) throw new TieupError('TIEUP_E_CONTENT', 'a slot file cannot be used', { problems });
  return { contents: [...contents.values()], unused };
}

interface Wanted extends Pick<SlotContent, 'page' | 'slot'> {
  readonly of: ReleaseFile;
}

/** `contact/opening-hours` → the page and slot it fills. */
function slotsOf(release: Release, mount: string): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const file of release.files) {
    const { path, page } = file;
    const name = slotFolder(path, mount);
    for (const slot of page?.slots ?? []) wanted.set(`${name}/${slot.name}`, { page: path, slot: slot.name, of: file });
  }
  return wanted;
}

/** Of pages, each read once. */
class Languages {
  readonly #objects: ObjectReader;
  readonly #known = new Map<string, string | undefined>();

  constructor(objects: ObjectReader) {
    this.#objects = objects;
  }

  async of({ digest, length }: ReleaseFile): Promise<string | undefined> {
    if (!this.#known.has(digest)) this.#known.set(digest, pageLanguage(await this.#objects.read(digest, length)));
    return this.#known.get(digest);
  }
}

function slotProblems(error: unknown, file: string): readonly Problem[] {
  if (error instanceof TypeError) return [{ file, message: 'the file is not valid UTF-8' }];
  if (!isTieupError(error, 'TIEUP_E_CONTENT', 'TIEUP_E_TOO_LARGE')) throw error;
  return error.problems.length > 0 ? error.problems : [{ file, message: error.message }];
}
