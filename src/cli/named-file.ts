/** A file that the command line names, read as a stream and as often as needed. */
import { basename, dirname, resolve } from 'node:path';
import { TieupError } from '../errors.ts';
import type { Context } from './command-context.ts';

export interface NamedFile {
  /** As it was given. */
  readonly name: string;
  readonly length: number;
  stream(): AsyncIterable<Uint8Array>;
}

/** @throws TIEUP_E_NOT_FOUND when there is no such file. */
export async function namedFile(context: Context, name: string): Promise<NamedFile> {
  const place = resolve(context.folder, name);
  const tree = await context.tree(dirname(place));
  const found = await tree.stat(basename(place));
  if (found?.kind !== 'file') throw new TieupError('TIEUP_E_NOT_FOUND', `there is no file ${JSON.stringify(name)}`);
  const { length } = found;
  return { name, length, stream: () => tree.stream(basename(place), length) };
}
