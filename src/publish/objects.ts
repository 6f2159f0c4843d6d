/**
 * Verified content by its digest, in the partner's own state: `objects/<2 hex>/<sha256>`.
 *
 * What is in here was hashed on its way in, and is hashed again on its way out: bytes that do not match never leave it.
 */
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { Bytes } from '../merge/plan.ts';
import type { Ports } from './ports.ts';
import { removeTemporary } from './remove-tree.ts';
import { DIGEST, sha256, sha256Stream } from '../protocol/digest.ts';

export interface ObjectReader {
  /** @throws TIEUP_E_NOT_FOUND when it is not there, TIEUP_E_VERIFY when the bytes are not those of the digest. */
  read(digest: string, length: number): Promise<Uint8Array>;
  /** The same in chunks; what is wrong is known only at the end. @throws like `read`. */
  stream(digest: string, length: number): AsyncIterable<Uint8Array>;
}

export interface ObjectStore extends ObjectReader {
  /** True when the object is there in its length. */
  has(digest: string, length: number): Promise<boolean>;
  /**
   * Stores content, hashed while it is written; nothing is stored when it is not `length` bytes of that digest. It is whole
   * at once, and durable after `flush`. @throws TIEUP_E_VERIFY.
   */
  add(digest: string, length: number, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** Makes durable what was added since, and what `digests` names besides. */
  flush(digests?: Iterable<string>): Promise<void>;
  /** Removes every object that is not in `keep`, and what killed commands left half written; returns how many objects went. */
  prune(keep: ReadonlySet<string>): Promise<number>;
}

const FOLDER = 'objects';

/** Where the content of a publication is. */
export function objectsOf({ state, objects }: Pick<Ports, 'state' | 'objects'>): ObjectStore {
  return objects ?? objectStore(state);
}

export function objectStore(state: FileTree): ObjectStore {
  const added = new Set<string>();
  return {
    async read(digest, length) {
      const bytes = await state.read(objectPath(digest), length);
      if (bytes.length !== length || sha256(bytes) !== digest) throw damaged(digest);
      return bytes;
    },
    stream: (digest, length) =>
      checked(state.stream(objectPath(digest), length), { digest, length }, () => damaged(digest)),
    async has(digest, length) {
      const stat = await state.stat(objectPath(digest));
      return stat?.kind === 'file' && stat.length === length;
    },
    async add(digest, length, content) {
      const path = objectPath(digest);
      if (content instanceof Uint8Array) {
        if (content.length !== length || sha256(content) !== digest) throw mismatch(digest);
        await state.write(path, content, { durable: false });
      } else {
        await state.write(
          path,
          checked(content, { digest, length }, () => mismatch(digest)),
          { durable: false },
        );
      }
      added.add(path);
    },
    async flush(digests = []) {
      const paths = new Set([...added, ...[...digests].map(objectPath)]);
      if (paths.size > 0) await state.sync([...paths]);
      added.clear();
    },
    async prune(keep) {
      let removed = 0;
      for (const folder of await state.list(FOLDER)) {
        if (folder.kind !== 'folder') continue;
        await removeTemporary(state, `${FOLDER}/${folder.name}`);
        for (const { name } of await state.list(`${FOLDER}/${folder.name}`)) {
          if (!DIGEST.test(name) || keep.has(name)) continue;
          await state.remove(`${FOLDER}/${folder.name}/${name}`);
          removed += 1;
        }
        await state.removeFolder(`${FOLDER}/${folder.name}`);
      }
      return removed;
    },
  };
}

function objectPath(digest: string): string {
  if (!DIGEST.test(digest)) throw new TieupError('TIEUP_E_VERIFY', `${JSON.stringify(digest)} is not a SHA-256 digest`);
  return `${FOLDER}/${digest.slice(0, 2)}/${digest}`;
}

/** Passes chunks on and throws instead of ending when they were not what was expected. */
export async function* checked(
  content: AsyncIterable<Uint8Array>,
  expected: Bytes,
  fault: () => TieupError,
): AsyncIterable<Uint8Array> {
  const hash = sha256Stream();
  let seen = 0;
  for await (const chunk of content) {
    seen += chunk.length;
    if (seen > expected.length) throw fault();
    hash.update(chunk);
    yield chunk;
  }
  if (seen !== expected.length || hash.digest() !== expected.digest) throw fault();
}

function mismatch(digest: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the content is not what its digest ${digest} says`);
}

function damaged(digest: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the stored object ${digest} is damaged`, {
    hint: `remove the file objects/${digest.slice(0, 2)}/${digest} from the state folder; the next accept fetches it again`,
  });
}
