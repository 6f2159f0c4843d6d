/** Finds out what a merge is planned from: the original pages, the live tree, and what in it is tieup's own. */
import { TieupError } from '../errors.ts';
import type { LiveFile, MergeInput, OriginalFile, TieUpFile } from '../merge/merge-input.ts';
import type { Bytes } from '../merge/plan.ts';
import { identifyEach, lookAround } from './look.ts';
import { type Layout, type Ports, treePathOf } from './ports.ts';
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
  const live = new Map<string, LiveFile>(
    seen.map(({ path, kind, length }) => [path, { kind, length, digest: undefined }]),
  );
  const matter = seen.filter(
    ({ path, kind, length }) =>
      kind === 'file' && (ledger.entries.has(path) || wanted.has(path) || lengths.get(path) === length),
  );
  await identifyEach(ports.web, base, matter, ({ path, kind, length }, { digest }) => {
    live.set(path, { kind, length, digest });
  });
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
  const seen = (await lookAround(original, '')).filter(({ kind }) => kind !== 'folder');
  const identified = new Map<string, Bytes>();
  await identifyEach(
    original,
    '',
    seen.filter(({ kind }) => kind === 'file'),
    ({ path }, bytes) => void identified.set(path, bytes),
  );
  return seen.flatMap(({ path, kind, length }): OriginalFile[] => {
    if (kind === 'folder') return [];
    return [kind === 'file' ? { path, kind, length, ...identified.get(path) } : { path, kind, length }];
  });
}
