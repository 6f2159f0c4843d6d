/**
 * Reads the folder of pages. What a page says about itself is YAML, which takes longer to read than all the rest of a page that
 * has been compiled before: it is remembered by the bytes of the page.
 */
import { parseFrontMatter, withLineFeeds, type PageText } from '../config/front-matter.ts';
import type { FragmentStore } from '../content/compile-cached.ts';
import type { PageSource } from '../content/source.ts';
import { isTieupError, type Problem } from '../errors.ts';
import { sha256 } from '../protocol/digest.ts';
import { decodeText } from './decode-text.ts';
import type { MainSite } from './main-site.ts';
import { ownFiles } from './own-files.ts';

export const MAX_PAGE = 50 * 1024 * 1024;

/** What is wrong is added to `problems`. */
export async function readPages(
  { config, files, memory, identity }: Pick<MainSite, 'config' | 'files' | 'memory' | 'identity'>,
  problems: Problem[],
): Promise<readonly PageSource[]> {
  const folder = config.folders.pages;
  const pages: PageSource[] = [];
  const known = pageMemory(memory, identity);
  for await (const { path } of ownFiles(files, folder)) {
    if (!path.endsWith('.md')) continue;
    const file = `${folder}/${path}`;
    try {
      const bytes = await files.read(file, MAX_PAGE);
      const text = withLineFeeds(decodeText(bytes, file));
      pages.push({ path, file, ...known.text(bytes, text, () => parseFrontMatter(text, file)) });
    } catch (error) {
      if (!isTieupError(error, 'TIEUP_E_CONTENT', 'TIEUP_E_TOO_LARGE')) throw error;
      problems.push(...(error.problems.length > 0 ? error.problems : [{ message: error.message, file }]));
    }
  }
  known.keep();
  return pages;
}

interface PageMemory {
  /** @param text of `bytes`, with LF line ends */
  text(bytes: Uint8Array, text: string, parse: () => PageText): PageText;
  keep(): void;
}

/** What is remembered of a page: all but its Markdown, which begins `skipped` characters after its start. */
interface Remembered extends Omit<PageText, 'markdown'> {
  readonly skipped: number;
}

/** @param identity of this program: another one may read front matter differently */
function pageMemory(store: FragmentStore, identity: string): PageMemory {
  let isNew = false;
  return {
    text(bytes, text, parse) {
      const key = sha256(`front-matter ${identity} ${sha256(bytes)}`);
      const known = decode(store.get(key));
      if (known !== undefined) {
        const { meta, firstLine, skipped } = known;
        return { meta, firstLine, markdown: text.slice(skipped) };
      }
      const { markdown, ...rest } = parse();
      const remembered: Remembered = { ...rest, skipped: text.length - markdown.length };
      store.put(key, Buffer.from(JSON.stringify(remembered)));
      isNew = true;
      return { ...rest, markdown };
    },
    keep() {
      if (isNew) store.flush();
    },
  };
}

// Nothing else is kept under such a key, and it is kept whole or not at all: see FragmentStore.
function decode(bytes: Uint8Array | undefined): Remembered | undefined {
  if (bytes === undefined) return undefined;
  const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
  return isRemembered(value) ? value : undefined;
}

function isRemembered(value: unknown): value is Remembered {
  return typeof value === 'object' && value !== null && 'meta' in value && 'firstLine' in value && 'skipped' in value;
}
