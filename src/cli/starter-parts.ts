/** The parts of a starter folder that ship with the package or are made by it. */
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { NewFile } from '../io/new-files.ts';
import { walkFiles } from '../io/walk.ts';
import type { StarterParts } from '../main-site/init.ts';
import { jsonSchemaText } from './json-schema-text.ts';

const MAX_FILE = 4 * 1024 * 1024;

/** @param shipped the folder of the framework in the package. @throws TIEUP_E_NOT_FOUND when the package is incomplete. */
export async function readStarterParts(shipped: FileTree): Promise<StarterParts> {
  const framework: NewFile[] = [];
  for (const folder of ['templates', 'assets', 'kit']) {
    for await (const { path } of walkFiles(shipped, folder)) {
      const file = `${folder}/${path}`;
      framework.push({ path: file, content: await shipped.read(file, MAX_FILE) });
    }
  }
  if (framework.length === 0) {
    throw new TieupError('TIEUP_E_NOT_FOUND', `the framework is missing from ${JSON.stringify(shipped.label)}`, {
      hint: 'install tieup again',
    });
  }
  return { framework, schemas: { mainSite: jsonSchemaText('main-site'), partnership: jsonSchemaText('partnership') } };
}
