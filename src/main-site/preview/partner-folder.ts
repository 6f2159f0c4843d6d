/** A partner's folder on this machine, so that a preview shows tie-up pages among its own and with what it put into slots. */
import { renderSlotContent, type SlotPolicy } from '../../content/slot-content.ts';
import type { MarkdownCompiler } from '../../content/markdown.ts';
import { TieupError } from '../../errors.ts';
import type { FileTree } from '../../io/file-tree.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import { walkFiles } from '../../io/walk.ts';
import { splice } from '../../merge/splice.ts';
import { sha256, sha256Stream } from '../../protocol/digest.ts';
import { MAX_FILE_LENGTH, slotFolder, type SlotRange } from '../../protocol/release.ts';
import { decodeText } from '../decode-text.ts';

export interface PartnerFolder {
  /** Its own pages. */
  readonly original: FileTree;
  /** What fills the slots of framework pages; undefined where there is no such folder. */
  readonly slots: FileTree | undefined;
  /** For messages: `slots`. */
  readonly slotsName: string;
}

const MAX_SLOT_FILE = 256 * 1024;

export interface FilledPage {
  readonly bytes: Uint8Array;
  /** Slots that show their fallback. */
  readonly empty: readonly SlotRange[];
}

/**
 * A framework page with what the partner's folder has for its slots.
 * @param path from the web root
 * @throws TIEUP_E_CONTENT when a slot file cannot be used
 */
export async function fillPage(
  page: { readonly path: string; readonly bytes: Uint8Array; readonly slots: readonly SlotRange[] },
  { slots: tree, slotsName }: PartnerFolder,
  terms: { readonly mount: string; readonly policy: SlotPolicy },
  compiler: MarkdownCompiler,
): Promise<FilledPage> {
  const folder = slotFolder(page.path, terms.mount);
  const contents = new Map<string, Uint8Array>();
  const splices = [];
  const empty: SlotRange[] = [];
  for (const slot of page.slots) {
    const found = tree && (await readSlot(tree, `${folder}/${slot.name}`, slotsName));
    if (found === undefined) {
      empty.push(slot);
      continue;
    }
    const bytes = await renderSlotContent({ ...found, policy: terms.policy }, compiler);
    const digest = sha256(bytes);
    contents.set(digest, bytes);
    splices.push({ offset: slot.offset, length: slot.length, digest, contentLength: bytes.length });
  }
  return { bytes: splice(page.bytes, splices, contents), empty };
}

async function readSlot(tree: FileTree, path: string, slotsName: string) {
  const [markdown, html] = await Promise.all(
    ['md', 'html'].map((ending) => readIfThere(tree, `${path}.${ending}`, MAX_SLOT_FILE)),
  );
  if (markdown !== undefined && html !== undefined) {
    const problem = {
      file: `${slotsName}/${path}.html`,
      message: 'there is an .md and an .html file for this slot: keep one',
    };
    throw new TieupError('TIEUP_E_CONTENT', 'a slot file cannot be used', { problems: [problem] });
  }
  const bytes = markdown ?? html;
  if (bytes === undefined) return undefined;
  const format = markdown === undefined ? ('html' as const) : ('md' as const);
  const file = `${slotsName}/${path}.${format}`;
  return { format, text: decodeText(bytes, file), file };
}

/** A page or another file of the partner's own; undefined when there is none. */
export async function originalAt(
  { original }: PartnerFolder,
  path: string,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  if ((await original.stat(path))?.kind !== 'file') return undefined;
  return original.stream(path, MAX_FILE_LENGTH);
}

/** Differs whenever a file of the partner's own may have changed. */
export async function stateOfOriginals({ original }: PartnerFolder): Promise<string> {
  const state = sha256Stream();
  for await (const { path, length } of walkFiles(original, '')) {
    const modified = (await original.stat(path))?.modified;
    state.update(Buffer.from(`${JSON.stringify([path, length, modified])}\n`));
  }
  return state.digest();
}
