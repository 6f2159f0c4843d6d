/**
 * Remembers what pages refer to and which ids they have, by their shape, so that no page is parsed for its links again before it
 * changes: not for the next partner, and not in the next run. Where in the page something stands is not remembered.
 *
 * A lie in what is remembered can hide a dead link, and no more. Who may write there may write the pages as well.
 */
import type { FragmentStore } from '../content/compile-cached.ts';
import { LINKS_VERSION, type FileLinks } from '../merge/page-links.ts';
import { sha256 } from '../protocol/digest.ts';

export interface KnownLinks {
  /** @param read parses the page when nothing is known of this shape */
  of(shape: string, read: () => Promise<FileLinks>): Promise<FileLinks>;
  /** Keeps what is new for the next run. */
  keep(): void;
}

interface Remembered {
  readonly ids: readonly string[];
  readonly names: readonly string[];
  readonly base?: string;
  /** Address by address, links and files apart. */
  readonly links: readonly string[];
  readonly files: readonly string[];
}

const NOWHERE = { line: 1, column: 1 };

/** @param identity of this program: another one may find more in the same page */
export function knownLinks(store: FragmentStore, identity: string): KnownLinks {
  const here = new Map<string, FileLinks>();
  let isNew = false;
  return {
    async of(shape, read) {
      const known = here.get(shape);
      if (known !== undefined) return known;
      const key = sha256(`${LINKS_VERSION} ${identity} ${shape}`);
      const kept = decode(store.get(key));
      const links = kept ?? (await read());
      if (kept === undefined) {
        store.put(key, Buffer.from(JSON.stringify(encode(links))));
        isNew = true;
      }
      here.set(shape, links);
      return links;
    },
    keep() {
      if (isNew) store.flush();
      isNew = false;
    },
  };
}

function encode({ ids, names, base, references }: FileLinks): Remembered {
  const addresses = (wanted: 'link' | 'file'): readonly string[] =>
    references.flatMap(({ kind, address }) => (kind === wanted ? [address] : []));
  return {
    ids: ids.map(({ id }) => id),
    names: [...names],
    ...(base === undefined ? {} : { base }),
    links: addresses('link'),
    files: addresses('file'),
  };
}

// Nothing else is kept under such a key, and it is kept whole or not at all: see FragmentStore.
function decode(bytes: Uint8Array | undefined): FileLinks | undefined {
  if (bytes === undefined) return undefined;
  const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
  if (!isRemembered(value)) return undefined;
  const { ids, names, base, links, files } = value;
  return {
    ids: ids.map((id) => ({ id, ...NOWHERE })),
    names: new Set(names),
    base,
    references: [
      ...links.map((address) => ({ kind: 'link' as const, address, ...NOWHERE })),
      ...files.map((address) => ({ kind: 'file' as const, address, ...NOWHERE })),
    ],
  };
}

function isRemembered(value: unknown): value is Remembered {
  return typeof value === 'object' && value !== null && 'ids' in value && 'names' in value && 'links' in value;
}
