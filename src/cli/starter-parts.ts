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
const FRAME = 'templates/page.html';
/** The frame once more, with a table below the text. */
const FRAME_WITH_TABLE = 'templates/coffees.html';
const CONTENT = '<slot name="content"></slot>\n';

/**
 * A style sheet is that of all frameworks, for what a text may hold, and then that of the frame; a partner's kit is the same for all.
 * @param shipped the folder `templates` of the package. @throws TIEUP_E_NOT_FOUND when the package is incomplete.
 */
export async function readStarterParts(shipped: FileTree, framework: Framework): Promise<StarterParts> {
  const own = await filesBelow(shipped, framework);
  const [style, frame] = [own.get(STYLE), own.get(FRAME)];
  if (style === undefined || frame === undefined) {
    throw new TieupError('TIEUP_E_NOT_FOUND', `the framework is missing from ${JSON.stringify(shipped.label)}`, {
      hint: 'install tieup again',
    });
  }
  const content = await shipped.read('all/content.css', MAX_FILE);
  own.set(STYLE, Buffer.concat([content, Buffer.from('\n'), style]));
  const table = await shipped.read('all/coffees.html', MAX_FILE);
  const framed = textOf(frame).replace(CONTENT, `${CONTENT}${textOf(table)}`);
  own.set(FRAME_WITH_TABLE, Buffer.from(framed));
  const kit = await filesBelow(shipped, 'all/kit');
  const files = [...own, ...[...kit].map(([path, bytes]) => [`kit/${path}`, bytes] as const)];
  return {
    framework: files.map(([path, bytes]): NewFile => ({ path, content: bytes })),
    schemas: { mainSite: jsonSchemaText('main-site'), partnership: jsonSchemaText('partnership') },
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

async function filesBelow(tree: FileTree, folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const { path } of walkFiles(tree, folder)) {
    files.set(path, await tree.read(`${folder}/${path}`, MAX_FILE));
  }
  return files;
}
