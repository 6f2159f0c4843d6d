/** Finds out what a merge is planned from: the original pages, the live tree, and what in it is tieup's own. */
import { TieupError } from '../errors.ts';
import type { LiveFile, MergeInput, OriginalFile, TieUpFile } from '../merge/merge-input.ts';
import { identify, lookAround, roomForOne } from './look.ts';
import { type Layout, type Ports, treePathOf, within } from './ports.ts';
import { type Live, readLive } from './records.ts';

/** The part of {@link MergeInput} that is read from the site; the rest is release, slots and choices. */
export type Survey = Pick<MergeInput, 'originals' | 'ledger' | 'live' | 'folders' | 'how' | 'mount'> & {
  readonly publication: Live;
};

/**
 * Files are hashed only where something depends on it: originals (they are copied), what the ledger says is tieup's (it may
 * have been edited), and what stands where the release or an original wants to be. A web root of any size stays cheap.
 *
 * @throws TIEUP_E_CONFLICT when the web root is not what the way of publishing needs, TIEUP_E_NOT_FOUND when there is no
 * folder of original pages.
 */
export async function survey(
  ports: Ports,
  layout: Layout,
  release: { readonly files: readonly TieUpFile[] } | null,
): Promise<Survey> {
  const publication = await readLive(ports, layout);
  const originals = await surveyOriginals(ports);
  const base = treePathOf(layout, publication.number);
  const seen = layout.how === 'link' && publication.number === 0 ? [] : await lookAround(ports.web, base);
  const { ledger } = publication;
  const wanted = new Set((release?.files ?? []).map(({ path }) => path));
  const lengths = new Map(originals === 'in-place' ? [] : originals.map(({ path, length }) => [path, length]));
  const room = roomForOne();
  const live = new Map<string, LiveFile>();
  for (const { path, kind, length } of seen) {
    const entry = ledger.entries.get(path);
    const matters = entry !== undefined || wanted.has(path) || lengths.get(path) === length;
    const digest =
      kind === 'file' && matters ? (await identify(ports.web, within(base, path), length, room)).digest : undefined;
    live.set(path, { kind, length, digest });
  }
  return {
    originals,
    ledger,
    live,
    folders: new Set(publication.record?.folders),
    how: layout.how,
    mount: layout.mount,
    publication,
  };
}

async function surveyOriginals({ original }: Ports): Promise<readonly OriginalFile[] | 'in-place'> {
  if (original === undefined) return 'in-place';
  // A folder that is gone (a disk not mounted, a typing error) must not be read as "no original pages any more".
  if ((await original.stat(''))?.kind !== 'folder') {
    throw new TieupError(
      'TIEUP_E_NOT_FOUND',
      `the folder of original pages ${JSON.stringify(original.label)} does not exist`,
      {
        hint: 'make it, if need be empty, or correct folders.original in tieup.yaml',
      },
    );
  }
  const room = roomForOne();
  const found: OriginalFile[] = [];
  for (const { path, kind, length } of await lookAround(original, '')) {
    if (kind === 'folder') continue;
    if (kind === 'file') found.push({ path, kind, ...(await identify(original, path, length, room)) });
    else found.push({ path, kind, length });
  }
  return found;
}
