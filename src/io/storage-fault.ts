/** What the operating system's errors mean for somebody who looks after a site. */
import { TieupError } from '../errors.ts';
import type { TreePlace } from './tree-fault.ts';
import { inTheWay, notFound, storage, unsafe } from './tree-fault.ts';

const SENTENCES: Readonly<Record<string, { readonly what: string; readonly hint?: string }>> = {
  ENOSPC: { what: 'no space is left on the device', hint: 'make room, then run the same command again' },
  EDQUOT: { what: 'the disk quota is used up', hint: 'make room, then run the same command again' },
  EROFS: { what: 'the file system is read-only', hint: 'mount it for writing, then run the same command again' },
  EACCES: { what: 'permission was denied', hint: 'check the owner and the mode of the file and of its folder' },
  EPERM: { what: 'the operation is not permitted', hint: 'check the owner, the mode and the attributes of the file' },
  EIO: { what: 'the device reports an i/o error', hint: 'check the disk' },
  EXDEV: { what: 'the two paths are on different file systems' },
  EMLINK: { what: 'the file has too many links' },
  ENOTSUP: { what: 'the file system cannot do this' },
  EOPNOTSUPP: { what: 'the file system cannot do this' },
  EFBIG: { what: 'the file is larger than the file system allows' },
  ENAMETOOLONG: { what: 'the name is longer than the file system allows' },
  EMFILE: { what: 'too many files are open', hint: 'raise the limit (ulimit -n)' },
  ENFILE: { what: 'too many files are open on this machine' },
};

/** `error` of node:fs as a TieupError about `place`; a TieupError stays as it is. */
export function storageFault(error: unknown, place: TreePlace): TieupError {
  if (error instanceof TieupError) return error;
  const code = errorCode(error) ?? '';
  switch (code) {
    case 'ENOENT':
      return notFound(place, error);
    case 'EEXIST':
      return inTheWay(place, 'it exists already', error);
    case 'ENOTEMPTY':
    case 'EISDIR':
      return inTheWay(place, 'a folder is there', error);
    case 'ENOTDIR':
      return inTheWay(place, 'a file is where a folder is needed', error);
    case 'ELOOP':
      return unsafe(place, 'it is a symbolic link', error);
    default: {
      const known = SENTENCES[code];
      const details = known?.hint === undefined ? { cause: error } : { hint: known.hint, cause: error };
      return storage(place, known?.what ?? `the operating system says ${code === '' ? 'no more' : code}`, details);
    }
  }
}

/** `ENOENT` and the like, of an error of node:fs or node:net. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
