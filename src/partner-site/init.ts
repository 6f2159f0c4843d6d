/** Writes the starter folder of a partner site: a few original pages, to which tie-up pages are added later. */
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { createFiles } from '../io/new-files.ts';
import type { NewFile } from '../io/new-files.ts';
import { originalIndex, originalVisit, ORIGINAL_STYLE } from './sample-originals.ts';

export interface PartnerSiteAnswers {
  /** The name of the shop. */
  readonly name: string;
}

const MAX_NAME = 200;

/**
 * @returns the paths of the files, in order
 * @throws TIEUP_E_EXISTS with every path that is taken; then nothing was written
 */
export async function initPartnerSite(tree: FileTree, answers: PartnerSiteAnswers): Promise<readonly string[]> {
  const files = planPartnerSite(answers);
  await createFiles(tree, files);
  return files.map((file) => file.path).toSorted();
}

/** @throws TIEUP_E_USAGE when the name cannot be one. */
export function planPartnerSite({ name }: PartnerSiteAnswers): readonly NewFile[] {
  if (name.trim() === '' || name.length > MAX_NAME || /\p{Cc}/u.test(name)) {
    throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(name)} cannot be the name of a site`, {
      hint: `use one line of at most ${MAX_NAME} characters`,
    });
  }
  return [
    text('original/index.html', originalIndex(name)),
    text('original/visit.html', originalVisit(name)),
    text('original/style.css', ORIGINAL_STYLE),
    text('slots/README.md', SLOTS),
    text('.gitignore', GITIGNORE),
  ];
}

function text(path: string, content: string): NewFile {
  return { path, content: Buffer.from(content) };
}

const SLOTS = `# Slots

Some pages of the main site leave a place for you: opening hours, an address, this week's dates. Fill it with a file
of your own, in Markdown or HTML:

    slots/<page>/<slot>.md

For a page \`visit.html\` with a slot \`opening-hours\` that is \`slots/visit/opening-hours.md\`. What you do not fill shows the
main site's own words. After a change run \`tieup merge\`.
`;

const GITIGNORE = `# Secret keys and trusted state: never in a repository, never in the web root.
keys/
state/
# What the main site writes, and what tieup publishes.
exchange/
public
published/
`;
