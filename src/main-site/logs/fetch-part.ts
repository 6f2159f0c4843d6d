/** Takes one exported log out of a partner's outbox: copied once, bounded and hashed on the way; everything later reads the copy. */
import { TieupError } from '../../errors.ts';
import type { FileTree } from '../../io/file-tree.ts';
import { sha256Stream } from '../../protocol/digest.ts';
import { partPath } from '../../protocol/exchange.ts';
import type { ExportedFile } from '../../protocol/log-export.ts';
import type { MainSite } from '../main-site.ts';
import { logPath } from './log-records.ts';

/**
 * Returns where the copy lies, from the site folder. One that an interrupted pull left whole is not fetched again.
 * @throws TIEUP_E_VERIFY when the file is not the one that the statement names; the copy is then removed.
 */
export async function fetchPart(
  site: MainSite,
  partner: string,
  exchange: FileTree,
  { digest, length }: ExportedFile,
  from = partPath(digest),
): Promise<string> {
  const place = logPath(partner, `incoming/${digest}.part.gz`);
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
  await site.files.write(place, watched());
  if (received === length && hash.digest() === digest) return place;
  await site.files.remove(place);
  const why = received === length ? 'its bytes are not those that were signed' : 'it is cut off';
  throw new TieupError('TIEUP_E_VERIFY', `the exported log of ${partner} is refused: ${why}`, {
    hint: `ask ${partner} to run tieup logs export again`,
  });
}

async function digestOf(tree: FileTree, path: string, length: number): Promise<string> {
  const hash = sha256Stream();
  for await (const chunk of tree.stream(path, length)) hash.update(chunk);
  return hash.digest();
}
