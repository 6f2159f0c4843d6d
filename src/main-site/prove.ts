/**
 * Shows that what a page inherits is at a partner what it is here.
 *
 *   pages → site → the page's constant parts and holes → the record that was signed → the bytes that somebody has
 */
import type { MarkdownCompiler } from '../content/markdown.ts';
import type { PagePart } from '../content/dissect.ts';
import { matchPage, type PageMatch } from '../content/match-page.ts';
import type { SitePage } from '../content/compiled-site.ts';
import { isTieupError, TieupError } from '../errors.ts';
import { sha256, sha256Stream } from '../protocol/digest.ts';
import { nearest } from '../protocol/nearest.ts';
import type { ContentPolicy } from '../protocol/terms.ts';
import { percentEncode } from '../merge/ledger.ts';
import { recall } from './learn-remote.ts';
import { loadSite } from './load-site.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerView } from './partner-view.ts';
import { loadPartnership } from './partnerships.ts';

export interface ProveRequest {
  /** A path as in its address, or of its source, with or without the ending. */
  readonly page: string;
  readonly partner: string;
  /** Brings the page as somebody has it; `address` is where the partner's visitors find it. Absent when only records are compared. */
  readonly read?: ((address: string) => Promise<{ readonly from: string; readonly bytes: Uint8Array }>) | undefined;
}

export interface Proof {
  readonly partner: string;
  /** From the web root. */
  readonly path: string;
  readonly source: string;
  /** The release that was sent last, and the one in which the page last changed. */
  readonly release: number;
  readonly since: number;
  /**
   * SHA-256 of the page with one NUL byte in place of each hole and slot, which no page has otherwise: the same for every partner, as
   * long as page and template are.
   */
  readonly constantDigest: string;
  readonly constantLength: number;
  readonly holes: readonly { readonly name: string; readonly value: string }[];
  readonly slots: readonly string[];
  /** The page as it would be rendered now is the one that was signed. */
  readonly isAsSigned: boolean;
  readonly signedDigest: string;
  /** What was read; null when nothing was. */
  readonly found: FoundPage | null;
}

export interface FoundPage {
  readonly from: string;
  readonly length: number;
  readonly digest: string;
  readonly match: PageMatch;
  /** Slots that hold what tieup would not have put there, and which could hide or change what stands around them. */
  readonly unclean: readonly string[];
}

/** @throws TIEUP_E_USAGE when the partner gets no such page; TIEUP_E_NOT_FOUND when it was not sent yet; whatever reading throws. */
export async function prove(site: MainSite, { page, partner, read }: ProveRequest): Promise<Proof> {
  const partnership = await loadPartnership(site, partner);
  const compiled = await loadSite(site, site.clock.now());
  const files = compiled.filesFor(await loadPartnerView(site, partnership));
  const found = findPage(
    page,
    files.filter((file) => file.kind === 'page'),
    partnership.mount,
  );
  const base = (await recall(site, partner))?.base;
  const signed = base?.release.files.find(({ path }) => path === found.path);
  if (base === undefined || signed === undefined) {
    throw new TieupError('TIEUP_E_NOT_FOUND', `${found.path} was not sent to ${partner} yet`, {
      hint: `tieup push ${partner}`,
    });
  }
  const parts = found.dissect(signed.since);
  const given = await read?.(`${partnership.url}${percentEncode(found.path)}`);
  return {
    partner,
    path: found.path,
    source: found.file,
    release: base.release.release,
    since: signed.since,
    ...constantsOf(parts),
    holes: parts.flatMap((part) => (part.kind === 'hole' ? [{ name: part.name, value: textOf(part.bytes) }] : [])),
    slots: parts.flatMap((part) => (part.kind === 'slot' ? [part.name] : [])),
    isAsSigned: sha256(found.render(signed.since).bytes) === signed.digest,
    signedDigest: signed.digest,
    found: given === undefined ? null : await judgeFound(given, parts, partnership.policy, site.markdown),
  };
}

async function judgeFound(
  { from, bytes }: { readonly from: string; readonly bytes: Uint8Array },
  parts: readonly PagePart[],
  policy: ContentPolicy,
  markdown: MarkdownCompiler,
): Promise<FoundPage> {
  const match = matchPage(parts, bytes);
  const unclean: string[] = [];
  for (const slot of match.kind === 'equal' ? match.slots : [])
    if (slot.isFilled && !(await isClean(slot.bytes, policy, markdown))) unclean.push(slot.name);
  return { from, length: bytes.length, digest: sha256(bytes), match, unclean };
}

/**
 * A partner's tieup cleans what fills a slot, and cleaning it again changes nothing but the ids, which are made for one file each.
 * A comment that is left open, a style or the end of an element that is not its own would not survive.
 */
async function isClean(bytes: Uint8Array, policy: ContentPolicy, markdown: MarkdownCompiler): Promise<boolean> {
  const { renderSlotContent } = await import('../content/slot-content.ts');
  // An empty attribute value may be written or not.
  const plain = (text: string): string => text.replaceAll(/(?:slot-[0-9a-f]{8}-)+|=""/g, '').trim();
  try {
    const text = textOf(bytes);
    const cleaned = await renderSlotContent({ format: 'html', text, file: 'slot', policy }, markdown);
    return plain(textOf(cleaned)) === plain(text);
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_CONTENT')) return false;
    throw error;
  }
}

function constantsOf(parts: readonly PagePart[]): Pick<Proof, 'constantDigest' | 'constantLength'> {
  const digest = sha256Stream();
  let length = 0;
  for (const part of parts) {
    digest.update(part.kind === 'constant' ? part.bytes : Uint8Array.of(0));
    if (part.kind === 'constant') length += part.bytes.length;
  }
  return { constantDigest: digest.digest(), constantLength: length };
}

function findPage(page: string, pages: readonly SitePage[], mount: string): SitePage {
  const bare = page.replace(/^\/+/, '').replace(/\.(?:md|html)$/, '');
  const prefix = mount.slice(1);
  const tries = [`${bare}.html`, `${prefix}${bare}.html`, `${prefix}${bare.replace(/^pages\//, '')}.html`];
  const found = pages.find(({ path }) => tries.includes(path));
  if (found !== undefined) return found;
  const close = nearest(
    bare,
    pages.map(({ path }) => path.slice(prefix.length, -'.html'.length)),
  );
  throw new TieupError('TIEUP_E_USAGE', `the partner gets no page ${JSON.stringify(page)}`, {
    hint:
      close === undefined ? `name it as in its address: ${mount}index.html` : `did you mean ${JSON.stringify(close)}?`,
  });
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
