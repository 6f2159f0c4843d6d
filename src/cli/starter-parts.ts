/** The parts of a starter folder that ship with the package or are made by it. */
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { NewFile } from '../io/new-files.ts';
import { walkFiles } from '../io/walk.ts';
import type { StarterParts } from '../main-site/init.ts';
import { jsonSchemaText } from './json-schema-text.ts';

/** Frames that ship: for pages among others, for documentation, and for one page that wants something. */
export const FRAMEWORKS = ['plain', 'documentation', 'campaign'] as const;

export type Framework = (typeof FRAMEWORKS)[number];

const MAX_FILE = 4 * 1024 * 1024;
const STYLE = 'assets/style.css';

/**
 * A style sheet is that of all frameworks, for what a text may hold, and then that of the frame; a partner's kit is the same for all.
 * @param shipped the folder `templates` of the package. @throws TIEUP_E_NOT_FOUND when the package is incomplete.
 */
export async function readStarterParts(shipped: FileTree, framework: Framework): Promise<StarterParts> {
  const own = await filesBelow(shipped, framework);
  const style = own.get(STYLE);
  if (style === undefined || !own.has('templates/page.html')) {
    throw new TieupError('TIEUP_E_NOT_FOUND', `the framework is missing from ${JSON.stringify(shipped.label)}`, {
      hint: 'install tieup again',
    });
  }
  const content = await shipped.read('all/content.css', MAX_FILE);
  own.set(STYLE, Buffer.concat([content, Buffer.from('\n'), style]));
  const kit = await filesBelow(shipped, 'all/kit');
  const files = [...own, ...[...kit].map(([path, bytes]) => [`kit/${path}`, bytes] as const)];
  return {
    framework: files.map(([path, bytes]): NewFile => ({ path, content: bytes })),
    schemas: { mainSite: jsonSchemaText('main-site'), partnership: jsonSchemaText('partnership') },
  };
}

async function filesBelow(tree: FileTree, folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const { path } of walkFiles(tree, folder)) {
    files.set(path, await tree.read(`${folder}/${path}`, MAX_FILE));
  }
  return files;
}
