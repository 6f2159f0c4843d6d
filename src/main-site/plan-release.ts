/**
 * Decides what the next release for one partner consists of, against the release that the partner was sent before.
 *
 * Pure. A page carries the number of the release in which it last changed, so each is rendered with the number it had;
 * only when the bytes come out different it is new in this release.
 */
import { type RenderedPage, Scratch } from '../content/render.ts';
import type { SiteFile, SitePage } from '../content/compiled-site.ts';
import { sha256 } from '../protocol/digest.ts';
import type { Release, ReleaseFile, ReleasePage } from '../protocol/release.ts';

/** Where the bytes of a planned file come from; assets are read again when they are sent. */
export type ContentSource =
  /** `alike` as that of a {@link SitePage}. */
  | { readonly kind: 'bytes'; render(): Uint8Array; readonly alike?: SitePage['alike'] }
  | { readonly kind: 'asset'; readonly asset: string };

export interface PlannedFile {
  readonly file: ReleaseFile;
  readonly content: ContentSource;
  /** Of a page: what its bytes were made of, as of {@link SitePage}. */
  readonly key?: string;
}

/** What a release changes, without what it consists of: of thousands of partners no more than this is kept. */
export interface PlannedChanges {
  /** The number that this release will have. */
  readonly number: number;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
  /** The terms are other than those the partner was sent. */
  readonly termsDiffer: boolean;
  /** False when a push would change nothing at the partner. */
  readonly differs: boolean;
}

export interface ReleasePlan extends PlannedChanges {
  /** Sorted by path in byte order. */
  readonly files: readonly PlannedFile[];
}

export function changesOf({ files: _files, ...changes }: ReleasePlan): PlannedChanges {
  return changes;
}

/** What came of rendering a page. */
export interface RenderedOutput extends Pick<RenderedPage, 'slots'> {
  readonly length: number;
  readonly digest: string;
}

export interface PlanInput {
  /** Sorted by path in byte order. */
  readonly files: readonly SiteFile[];
  readonly base: Release | undefined;
  readonly number: number;
  /** The terms are other than those the partner was sent. */
  readonly termsDiffer: boolean;
  /** What came of pages that were rendered before, by what they were made of: what is unchanged need not be rendered again. */
  readonly known?: ReadonlyMap<string, RenderedOutput>;
}

export function planRelease({ files, base, number, termsDiffer, known: rendered }: PlanInput): ReleasePlan {
  const before = new Map((base?.files ?? []).map((file) => [file.path, file]));
  const moves = findMoves(files, before);
  const added: string[] = [];
  const changed: string[] = [];
  let recordsDiffer = false;
  const scratch = new Scratch();
  const planned = files.map((file): PlannedFile => {
    const known = before.get(file.path);
    const next = planFile(file, known, number, moves.get(file.path), { scratch, rendered });
    if (known === undefined) added.push(file.path);
    else if (known.digest !== next.file.digest) changed.push(file.path);
    else recordsDiffer ||= !sameRecord(known, next.file);
    return next;
  });
  const paths = new Set(files.map(({ path }) => path));
  const removed = [...before.keys()].filter((path) => !paths.has(path));
  return {
    number,
    files: planned,
    added,
    changed,
    removed,
    unchanged: files.length - added.length - changed.length,
    termsDiffer: base !== undefined && termsDiffer,
    differs: base === undefined || termsDiffer || recordsDiffer || added.length + changed.length + removed.length > 0,
  };
}

function planFile(
  file: SiteFile,
  known: ReleaseFile | undefined,
  number: number,
  movedFrom: string | undefined,
  before: RenderedBefore,
): PlannedFile {
  switch (file.kind) {
    case 'asset': {
      const since = known?.digest === file.digest ? known.since : number;
      const { path, length, digest, bytes, asset } = file;
      const content: ContentSource =
        bytes === undefined ? { kind: 'asset', asset } : { kind: 'bytes', render: () => bytes };
      return { file: { path, length, digest, since }, content };
    }
    case 'redirect':
    case 'document': {
      const bytes = file.render();
      const digest = sha256(bytes);
      const since = known?.digest === digest ? known.since : number;
      const redirect = file.kind === 'redirect' ? { redirect: file.target } : {};
      const record = { path: file.path, length: bytes.length, digest, since, ...redirect };
      return { file: record, content: { kind: 'bytes', render: () => file.render() } };
    }
    case 'page': {
      const { since, length, slots, digest } = renderSince(file, known, number, before);
      const change = changeOf(known, digest, movedFrom);
      const { inherit, title } = file;
      const page: ReleasePage = {
        inherit,
        title,
        change,
        ...(change === 'moved' && movedFrom !== undefined ? { movedFrom } : {}),
        slots,
      };
      const record = { path: file.path, length, digest, since, page };
      return {
        file: record,
        key: file.key(since),
        content: { kind: 'bytes', render: () => file.render(since).bytes, alike: () => file.alike() },
      };
    }
  }
}

interface RenderedBefore {
  readonly scratch: Scratch;
  readonly rendered: PlanInput['known'];
}

interface Rendering extends RenderedOutput {
  readonly since: number;
}

function renderSince(
  file: SiteFile & { readonly kind: 'page' },
  known: ReleaseFile | undefined,
  number: number,
  { scratch, rendered }: RenderedBefore,
): Rendering {
  const same = known && rendered?.get(file.key(known.since));
  if (known !== undefined && same?.digest === known.digest) return { since: known.since, ...same };
  const rendering = (since: number): Rendering => {
    const { bytes, slots } = file.render(since, scratch);
    return { since, length: bytes.length, slots, digest: sha256(bytes) };
  };
  const before = known === undefined ? undefined : rendering(known.since);
  return before !== undefined && before.digest === known?.digest ? before : rendering(number);
}

function changeOf(
  known: ReleaseFile | undefined,
  digest: string,
  movedFrom: string | undefined,
): ReleasePage['change'] {
  if (known === undefined) return movedFrom === undefined ? 'added' : 'moved';
  return known.digest === digest ? 'unchanged' : 'changed';
}

/** A page is moved when it is new, and a redirect to it now stands where a page stood. */
function findMoves(files: readonly SiteFile[], before: ReadonlyMap<string, ReleaseFile>): ReadonlyMap<string, string> {
  const moves = new Map<string, string>();
  for (const file of files) {
    if (file.kind === 'redirect' && before.get(file.path)?.page !== undefined && !before.has(file.target)) {
      moves.set(file.target, file.path);
    }
  }
  return moves;
}

/** What a manager is told of a page beside its bytes; what changed against the base is news by itself, not a difference. */
function sameRecord(known: ReleaseFile, next: ReleaseFile): boolean {
  const essence = ({ page, redirect }: ReleaseFile) =>
    page === undefined
      ? (redirect ?? '')
      : JSON.stringify([page.inherit, page.title, page.slots.map((slot) => Object.values(slot))]);
  return essence(known) === essence(next);
}
