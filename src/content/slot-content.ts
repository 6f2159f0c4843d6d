/** What a partner puts into a slot: rendered and sanitised by stricter rules than a page of the main site. */
import { TieupError, type Problem } from '../errors.ts';
import { sha256 } from '../protocol/digest.ts';
import { escapeAttribute } from './encode.ts';
import type { FragmentPart, MarkdownFragment } from './fragment.ts';
import type { MarkdownCompiler, MarkdownSource } from './markdown.ts';
import { excessOf } from './text-bounds.ts';

export interface SlotContent {
  readonly format: 'md' | 'html';
  readonly text: string;
  /** For messages: `slots/guide/intro/opening-hours.md`. */
  readonly file: string;
  /** BCP 47, of the page that it stands in, for the words that Markdown adds; English unless given. */
  readonly language?: string;
  readonly policy?: SlotPolicy;
}

export interface SlotPolicy {
  /** Origins from which pictures may be loaded, `https://cdn.example`; any when undefined. The site's own always may. */
  readonly remoteOrigins?: readonly string[] | undefined;
}

/** Bytes of one slot's source. */
export const MAX_SLOT_CONTENT = 256 * 1024;

/**
 * The bytes to splice into a page: UTF-8 HTML whose elements are all closed.
 * @throws TIEUP_E_CONTENT when the text is too large, too deeply nested or takes too long to read, or shows a picture which the
 *   policy does not allow.
 */
export async function renderSlotContent(input: SlotContent, compiler: MarkdownCompiler): Promise<Uint8Array> {
  const [fragment] = await compiler.compile([slotText(input)]);
  if (fragment === undefined) throw new TieupError('TIEUP_E_FAILED', `${input.file} was not compiled`);
  return slotBytes(input, fragment);
}

/** What to compile. @throws TIEUP_E_CONTENT when that would take too much. */
export function slotText({ format, text, file, language = 'en' }: SlotContent): MarkdownSource {
  const length = Buffer.byteLength(text);
  if (length > MAX_SLOT_CONTENT) {
    throw refusal(file, [{ file, message: `the content has ${length} bytes, more than ${MAX_SLOT_CONTENT}` }]);
  }
  const excess = format === 'md' ? excessOf(text) : undefined;
  if (excess !== undefined) throw refusal(file, [{ file, ...excess }]);
  return {
    text: text.replace(/^\uFEFF/, ''),
    format,
    schema: 'slot',
    // Two slots of one page come from different files.
    idPrefix: `slot-${sha256(file).slice(0, 8)}-`,
    holes: false,
    language,
    // Both sides must arrive at the same bytes, and the partner's needs no grammars.
    highlight: false,
    headingLinks: false,
  };
}

/** What has become of {@link slotText}. @throws TIEUP_E_CONTENT */
export function slotBytes({ file, policy }: SlotContent, { parts, problems: found }: MarkdownFragment): Uint8Array {
  const problems: Problem[] = found.map((problem) => ({ file, ...problem }));
  const html = parts.map((part) => slotHtml(part, file, policy?.remoteOrigins, problems));
  if (problems.length > 0) throw refusal(file, problems);
  return Buffer.concat(html);
}

/** Addresses stay as they are written; pictures are looked at where they come from. */
function slotHtml(
  part: FragmentPart,
  file: string,
  origins: readonly string[] | undefined,
  problems: Problem[],
): Uint8Array {
  if (typeof part === 'string') return Buffer.from(part);
  if (part instanceof Uint8Array) return part;
  // Without holes, a text leaves nothing else to be filled.
  if (part.kind !== 'reference') return new Uint8Array(0);
  const { address, use, at } = part;
  if (use !== 'link' && origins !== undefined && !comesFrom(address, origins)) {
    const message = `the picture ${JSON.stringify(address)} comes from a site which the partnership does not allow`;
    problems.push({ file, ...at, message });
  }
  return Buffer.from(escapeAttribute(address));
}

/** True for the partner's own site as well. */
function comesFrom(address: string, origins: readonly string[]): boolean {
  if (!/^(?:[a-z][a-z0-9+.-]*:|[/\\]{2})/i.test(address)) return true;
  const base = 'https://relative.invalid';
  return URL.canParse(address, base) && origins.includes(new URL(address, base).origin);
}

function refusal(file: string, problems: readonly Problem[]): TieupError {
  const [first] = problems;
  const what = problems.length === 1 && first !== undefined ? first.message : `${problems.length} problems`;
  return new TieupError('TIEUP_E_CONTENT', `${file} cannot be put into its slot: ${what}`, { problems });
}
