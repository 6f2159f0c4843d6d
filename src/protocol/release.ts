/**
 * `release.json`: what one release for one partner consists of. It is a TUF target, so that its bytes are what is signed.
 */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { isInstant } from './instant.ts';
import { PARTNER_ID } from './names.ts';

/** How a tie-up page inherits from the main site. */
export type Inheritance = 'full' | 'framework' | 'link';

/** A named hole of a framework page in its object, which is a valid page with the fallback in place. */
export interface SlotRange {
  readonly name: string;
  /** Bytes from the start of the object. */
  readonly offset: number;
  /** Bytes of the fallback; 0 when there is none. */
  readonly length: number;
  /** Without content from the partner the page is left out. */
  readonly required: boolean;
}

export interface ReleasePage {
  readonly inherit: Inheritance;
  readonly title: string;
  /** Against the base release; `moved` names where from in `movedFrom`. */
  readonly change: 'added' | 'changed' | 'moved' | 'unchanged';
  readonly movedFrom?: string | undefined;
  /** In order of offset; empty unless `inherit` is `framework`. */
  readonly slots: readonly SlotRange[];
}

export interface ReleaseFile {
  /** From the web root, without a leading slash: `with-main/index.html`. */
  readonly path: string;
  /** Bytes of the object. */
  readonly length: number;
  /** SHA-256 of the object, lower-case hex. */
  readonly digest: string;
  /** The release in which these bytes first stood at this path. */
  readonly since: number;
  /** Absent for all but pages. */
  readonly page?: ReleasePage | undefined;
  /** Of a small page at a former path: the path of the page that it leads to. Absent for everything else. */
  readonly redirect?: string | undefined;
}

/** What the main site tells the partner's manager; plain text, shown with control characters made visible. */
export interface ConfirmationMessage {
  readonly subject: string;
  readonly text: string;
}

export interface Release {
  readonly partner: string;
  /** The main site's address. */
  readonly site: string;
  /** 1 for the first release of a partnership; rises by one or more. */
  readonly release: number;
  /** The release that this one changes, with the SHA-256 of its `N.targets.json`; null for the first. */
  readonly base: { readonly release: number; readonly targets: string } | null;
  readonly created: string;
  /** Until when the main site asks for an answer; null when it does not matter. */
  readonly confirmBy: string | null;
  readonly message: ConfirmationMessage;
  /** Sorted by path in byte order, unique. */
  readonly files: readonly ReleaseFile[];
}

/** Bounds which both sides keep; they bound memory at the partner before anything is parsed. */
export const MAX_RELEASE_JSON = 64 * 1024 * 1024;
export const MAX_FILE_LENGTH = 2 ** 31 - 1;
const MAX_TEXT = 20_000;

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().min(0).max(MAX_FILE_LENGTH);
const releaseNumber = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const time = z.string().refine(isInstant, { message: 'not an instant such as 2026-11-23T22:00:00Z' });
const line = z.string().max(500);

const releaseSchema: z.ZodType<Release> = z.strictObject({
  partner: z.string().regex(PARTNER_ID),
  site: z.string().max(2000),
  release: releaseNumber,
  base: z.strictObject({ release: releaseNumber, targets: digest }).nullable(),
  created: time,
  confirmBy: time.nullable(),
  message: z.strictObject({ subject: line, text: z.string().max(MAX_TEXT) }),
  files: z.array(
    z.strictObject({
      path: z.string().min(1).max(1024),
      length: count,
      digest,
      since: releaseNumber,
      page: z
        .strictObject({
          inherit: z.enum(['full', 'framework', 'link']),
          title: line,
          change: z.enum(['added', 'changed', 'moved', 'unchanged']),
          movedFrom: z.string().max(1024).optional(),
          slots: z.array(
            z.strictObject({ name: z.string().max(100), offset: count, length: count, required: z.boolean() }),
          ),
        })
        .optional(),
      redirect: z.string().min(1).max(1024).optional(),
    }),
  ),
});

const TYPE = 'tieup-release/1';

/** How many files of `after` are new or changed against `before`, and how many of `before` it lacks. */
export function countDifferences(
  before: Pick<Release, 'files'>,
  after: Pick<Release, 'files'>,
): { readonly changed: number; readonly removed: number } {
  const digests = new Map(before.files.map(({ path, digest: known }) => [path, known]));
  const changed = after.files.filter(({ path, digest: next }) => digests.get(path) !== next).length;
  const paths = new Set(after.files.map(({ path }) => path));
  return { changed, removed: before.files.filter(({ path }) => !paths.has(path)).length };
}

/** The bytes to sign: JSON with the type first and one file a line, so that a diff of two releases reads well. */
export function renderRelease(release: Release): Uint8Array {
  const { files, ...head } = release;
  const lines = files.map((file) => JSON.stringify(file)).join(',\n');
  const text = JSON.stringify({ type: TYPE, ...head }).slice(0, -1);
  return new TextEncoder().encode(`${text},"files":[\n${lines}\n]}\n`);
}

/**
 * Reads what {@link renderRelease} wrote. Does not judge paths: that is `checkPaths` of names.ts.
 * @throws TIEUP_E_VERIFY when it is not a release, or its files are not sorted and unique, or slots do not lie in the object in order.
 */
export function parseRelease(bytes: Uint8Array): Release {
  const { type, ...rest } = decodeJsonObject(bytes);
  if (type !== TYPE) throw malformed(`the type is ${JSON.stringify(type)}, not ${TYPE}`);
  const decoded = releaseSchema.safeParse(rest);
  if (!decoded.success) throw malformed(z.prettifyError(decoded.error));
  const release = decoded.data;
  let previous: Buffer | undefined;
  for (const file of release.files) {
    const key = Buffer.from(file.path);
    if (previous !== undefined && Buffer.compare(previous, key) >= 0) {
      throw malformed(`the path ${JSON.stringify(file.path)} is out of order or there twice`);
    }
    previous = key;
    if (file.since > release.release) throw malformed(`${JSON.stringify(file.path)} is newer than its release`);
    checkSlots(file);
  }
  checkRedirects(release);
  return release;
}

/** Web servers are configured by these, so each leads to a page of this very release and nowhere else. */
function checkRedirects({ files }: Release): void {
  const pages = new Set(files.filter(({ page }) => page !== undefined).map(({ path }) => path));
  for (const { path, page, redirect } of files) {
    if (redirect === undefined) continue;
    if (page !== undefined) throw malformed(`${JSON.stringify(path)} is a page and a redirect`);
    if (!pages.has(redirect))
      throw malformed(`${JSON.stringify(path)} leads to ${JSON.stringify(redirect)}, which is no page of it`);
  }
}

function checkSlots(file: ReleaseFile): void {
  const slots = file.page?.slots ?? [];
  if (slots.length > 0 && file.page?.inherit !== 'framework') {
    throw malformed(`${JSON.stringify(file.path)} has slots, but is not a framework page`);
  }
  let end = 0;
  const names = new Set<string>();
  for (const slot of slots) {
    if (slot.offset < end || slot.offset + slot.length > file.length || names.has(slot.name)) {
      throw malformed(`slot ${JSON.stringify(slot.name)} of ${JSON.stringify(file.path)} does not fit its page`);
    }
    names.add(slot.name);
    end = slot.offset + slot.length;
  }
}

function decodeJsonObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', 'release.json cannot be read as JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('it is not a JSON object');
  return { ...value };
}

function malformed(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `release.json is malformed: ${why}`);
}

/** Where the contents of a page's slots lie in the folder of slots: `guide/intro` for `with-main/guide/intro.html`. */
export function slotFolder(path: string, mount: string): string {
  return path.slice(mount.length - 1).replace(/\.html$/, '');
}
