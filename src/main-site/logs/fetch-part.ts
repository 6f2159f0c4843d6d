/** Takes one exported log out of a partner's outbox: copied once, bounded and hashed on the way; everything later reads the copy. */
import { isTieupError, TieupError } from '../../errors.ts';
import type { FileTree } from '../../io/file-tree.ts';
import { sha256Stream } from '../../protocol/digest.ts';
import type { ExportedFile } from '../../protocol/log-export.ts';
import type { MainSite } from '../main-site.ts';
import { logPath } from './log-records.ts';

/** What a pull needs of a partner's exchange: an export that came by mail stands in for one. */
export type LogExchange = Pick<FileTree, 'read' | 'stream' | 'write'>;

/** Where the copy of a file lies while it is verified, from the site folder. */
export function incomingPath(partner: string, digest: string): string {
  return logPath(partner, `incoming/${digest}.part.gz`);
}

/**
 * Returns where the copy lies, from the site folder. One that an interrupted pull left whole is not fetched again.
 * @throws TIEUP_E_VERIFY when the file is not there, or not the one that the statement names; the copy is then removed.
 */
export async function fetchPart(
  site: MainSite,
  partner: string,
  exchange: Pick<FileTree, 'stream'>,
  { digest, length }: ExportedFile,
  from: string,
): Promise<string> {
  const place = incomingPath(partner, digest);
  if ((await site.files.stat(place))?.length === length && (await digestOf(site.files, place, length)) === digest) {
    return place;
  }
  const hash = sha256Stream();
  let received = 0;
  async function* watched(): AsyncIterable<Uint8Array> {
    for await (const chunk of exchange.stream(from, length)) {
      hash.update(chunk);
      received += chunk.length;
      yield chunk;
    }
  }
  try {
    await site.files.write(place, watched());
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_NOT_FOUND')) throw refused(partner, 'a file that it names is not there', error);
    if (isTieupError(error, 'TIEUP_E_TOO_LARGE')) throw refused(partner, 'a file is longer than was signed', error);
    throw error;
  }
  if (received === length && hash.digest() === digest) return place;
  await site.files.remove(place);
  throw refused(partner, received === length ? 'its bytes are not those that were signed' : 'it is cut off');
}

/** What lies there after a pull is of one that was interrupted, or was refused. */
export async function clearIncoming(site: MainSite, partner: string): Promise<void> {
  const folder = logPath(partner, 'incoming');
  for (const { name } of await site.files.list(folder, { temporary: true })) {
    await site.files.remove(`${folder}/${name}`);
  }
}

async function digestOf(tree: FileTree, path: string, length: number): Promise<string> {
  const hash = sha256Stream();
  for await (const chunk of tree.stream(path, length)) hash.update(chunk);
  return hash.digest();
}

function refused(partner: string, why: string, cause?: unknown): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the exported log of ${partner} is refused: ${why}`, {
    hint: `ask ${partner} to run tieup logs export again`,
    cause,
  });
}
