/** Reads the data files of the main site into one mapping: `data/shops/berlin.yaml` is `data.shops.berlin`. */
import { parseDataFile, type DataValue } from '../config/data-file.ts';
import { isTieupError, type Problem } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { decodeText } from './decode-text.ts';
import { ownFiles } from './own-files.ts';

const MAX_DATA = 32 * 1024 * 1024;
const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

type Mapping = Record<string, DataValue>;

/** What is wrong is added to `problems`. */
export async function readData(files: FileTree, folder: string, problems: Problem[]): Promise<Readonly<Mapping>> {
  const data: Mapping = {};
  const folders = new Map<string, Mapping>([['', data]]);
  for await (const { path } of ownFiles(files, folder)) {
    if (!/\.(?:ya?ml|json)$/.test(path)) continue;
    const file = `${folder}/${path}`;
    const names = path.replace(/\.[a-z]+$/, '').split('/');
    const odd = names.find((name) => !NAME.test(name));
    if (odd !== undefined) {
      const message = `${JSON.stringify(odd)} cannot be a name in templates: use letters, digits, hyphens and underscores`;
      problems.push({ file, message });
      continue;
    }
    try {
      const value = parseDataFile(decodeText(await files.read(file, MAX_DATA), file), file);
      place(value, names, { data, folders, file, problems });
    } catch (error) {
      if (!isTieupError(error, 'TIEUP_E_CONTENT')) throw error;
      problems.push(...(error.problems.length > 0 ? error.problems : [{ message: error.message, file }]));
    }
  }
  return data;
}

interface Placing {
  readonly data: Mapping;
  /** The mappings that folders have become, by path. */
  readonly folders: Map<string, Mapping>;
  readonly file: string;
  readonly problems: Problem[];
}

function place(value: DataValue, names: readonly string[], { folders, file, problems }: Placing): void {
  let into = folders.get('') ?? {};
  for (const [index, name] of names.entries()) {
    const path = names.slice(0, index + 1).join('/');
    const last = index === names.length - 1;
    const below = folders.get(path);
    // A file beside a folder of the same name, or another file that differs only in how its name ends.
    if (last ? Object.hasOwn(into, name) : below === undefined && Object.hasOwn(into, name)) {
      problems.push({ file, message: `\`data.${names.slice(0, index + 1).join('.')}\` is there twice` });
      return;
    }
    if (last) into[name] = value;
    else {
      const next = below ?? {};
      into[name] = next;
      folders.set(path, next);
      into = next;
    }
  }
}
