/** Answers SFTP 3 requests (draft-ietf-secsh-filexfer-02) from a jailed folder. Links are not checked for where they point: reading them is. */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  linkSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeSync,
  type Stats,
} from 'node:fs';
import ssh2, { type Attributes, type SFTPWrapper } from 'ssh2';
import type { JailedFiles } from './sftp-server-files.ts';
import { STATUS } from './sftp-session.ts';
import { errorCode } from './storage-fault.ts';

/** What a test wants to go wrong. */
export interface SftpServerFaults {
  /** Cuts the connection instead of answering the n-th request of a connection, counted from 1. */
  readonly dropAtRequest?: number;
  /** Never answers the n-th request of a connection. */
  readonly ignoreRequest?: number;
  /** Takes the arguments of SYMLINK the other way round, as ProFTPD does. */
  readonly reverseSymlink?: boolean;
  /** Refuses every change of a mode. */
  readonly refuseModes?: boolean;
  /** Refuses to open a file that must not exist, as servers do that know of no such flag. */
  readonly refuseExclusive?: boolean;
  /** Tells no times of files, which a server need not. */
  readonly omitTimes?: boolean;
  /** Told of each request. */
  readonly onRequest?: (number: number, name: string) => void;
}

const OK = 0;
const { OPEN_MODE } = ssh2.utils.sftp;
/** Entries in one answer to READDIR. */
const BATCH = 64;

type Handle = { readonly fd: number } | { readonly names: string[]; readonly path: string };

export function serveRequests(sftp: SFTPWrapper, files: JailedFiles, drop: () => void, faults: SftpServerFaults): void {
  const handles = new Map<number, Handle>();
  let nextHandle = 0;
  let count = 0;

  /** Answers a request by what `work` does; its error becomes a status. */
  const answer = (id: number, name: string, work: () => void): void => {
    count += 1;
    faults.onRequest?.(count, name);
    if (count === faults.ignoreRequest) return;
    if (faults.dropAtRequest !== undefined && count >= faults.dropAtRequest) return drop();
    try {
      work();
    } catch (error) {
      sftp.status(id, statusOf(error));
    }
  };
  const done = (id: number, name: string, work: () => void): void =>
    answer(id, name, () => {
      work();
      sftp.status(id, OK);
    });
  const keep = (id: number, handle: Handle): void => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(nextHandle);
    handles.set(nextHandle, handle);
    nextHandle += 1;
    sftp.handle(id, bytes);
  };
  const find = (bytes: Buffer): Handle => {
    const handle = bytes.length === 4 ? handles.get(bytes.readUInt32BE(0)) : undefined;
    if (handle === undefined) throw new Error('no such handle');
    return handle;
  };
  const fdOf = (bytes: Buffer): number => {
    const handle = find(bytes);
    if (!('fd' in handle)) throw new Error('the handle is of a folder');
    return handle.fd;
  };
  const attributesOf = (stats: Stats): Attributes => {
    const attributes = allAttributesOf(stats);
    if (faults.omitTimes === true) for (const name of ['atime', 'mtime']) Reflect.deleteProperty(attributes, name);
    return attributes;
  };
  const setMode = (mode: number | undefined, change: (mode: number) => void): void => {
    if (mode === undefined) return;
    if (faults.refuseModes === true) throw Object.assign(new Error('refused'), { code: 'EPERM' });
    change(mode & 0o7777);
  };

  sftp.on('OPEN', (id, path, flags, attributes: Partial<Attributes>) =>
    answer(id, 'OPEN', () => {
      const writes = (flags & (OPEN_MODE.WRITE | OPEN_MODE.CREAT | OPEN_MODE.TRUNC | OPEN_MODE.APPEND)) !== 0;
      const exclusive = (flags & OPEN_MODE.EXCL) !== 0;
      if (exclusive && faults.refuseExclusive === true) return sftp.status(id, STATUS.OP_UNSUPPORTED);
      const local = writes ? (exclusive ? files.writableName(path) : files.writableTarget(path)) : files.target(path);
      const mode = (attributes.mode ?? 0o666) & 0o7777;
      keep(id, { fd: openSync(local, localFlags(flags) | constants.O_NOFOLLOW | constants.O_NONBLOCK, mode) });
    }),
  );
  sftp.on('CLOSE', (id, bytes) =>
    done(id, 'CLOSE', () => {
      const handle = find(bytes);
      handles.delete(bytes.readUInt32BE(0));
      if ('fd' in handle) closeSync(handle.fd);
    }),
  );
  sftp.on('READ', (id, bytes, offset, length) =>
    answer(id, 'READ', () => {
      const buffer = Buffer.alloc(Math.min(length, 256 * 1024));
      const read = readSync(fdOf(bytes), buffer, 0, buffer.length, offset);
      if (read === 0) sftp.status(id, STATUS.EOF);
      else sftp.data(id, buffer.subarray(0, read));
    }),
  );
  sftp.on('WRITE', (id, bytes, offset, data) =>
    done(id, 'WRITE', () => {
      const fd = fdOf(bytes);
      for (let written = 0; written < data.length;) {
        written += writeSync(fd, data, written, data.length - written, offset + written);
      }
    }),
  );
  sftp.on('FSTAT', (id, bytes) => answer(id, 'FSTAT', () => sftp.attrs(id, attributesOf(fstatSync(fdOf(bytes))))));
  sftp.on('STAT', (id, path) => answer(id, 'STAT', () => sftp.attrs(id, attributesOf(statSync(files.target(path))))));
  sftp.on('LSTAT', (id, path) => answer(id, 'LSTAT', () => sftp.attrs(id, attributesOf(lstatSync(files.name(path))))));
  sftp.on('SETSTAT', (id, path, attributes: Partial<Attributes>) =>
    done(id, 'SETSTAT', () => {
      const local = files.writableTarget(path);
      setMode(attributes.mode, (mode) => chmodSync(local, mode));
    }),
  );
  sftp.on('FSETSTAT', (id, bytes, attributes: Partial<Attributes>) =>
    done(id, 'FSETSTAT', () => {
      const fd = fdOf(bytes);
      setMode(attributes.mode, (mode) => fchmodSync(fd, mode));
    }),
  );
  sftp.on('OPENDIR', (id, path) =>
    answer(id, 'OPENDIR', () => {
      const local = files.target(path);
      keep(id, { path: local, names: readdirSync(local) });
    }),
  );
  sftp.on('READDIR', (id, bytes) =>
    answer(id, 'READDIR', () => {
      const handle = find(bytes);
      if (!('names' in handle)) throw new Error('the handle is of a file');
      if (handle.names.length === 0) return sftp.status(id, STATUS.EOF);
      const entries = handle.names.splice(0, BATCH).flatMap((filename) => {
        const stats = lstatSync(`${handle.path}/${filename}`, { throwIfNoEntry: false });
        return stats === undefined ? [] : [{ filename, longname: filename, attrs: attributesOf(stats) }];
      });
      sftp.name(id, entries);
    }),
  );
  sftp.on('MKDIR', (id, path) => done(id, 'MKDIR', () => mkdirSync(files.writableName(path))));
  sftp.on('RMDIR', (id, path) => done(id, 'RMDIR', () => rmdirSync(files.writableName(path))));
  sftp.on('REMOVE', (id, path) => done(id, 'REMOVE', () => unlinkSync(files.writableName(path))));
  sftp.on('RENAME', (id, from, to) =>
    done(id, 'RENAME', () => renameExclusively(files.writableName(from), files.writableName(to))),
  );
  sftp.on('READLINK', (id, path) =>
    answer(id, 'READLINK', () => {
      const text = readlinkSync(files.name(path));
      sftp.name(id, [{ filename: text, longname: text, attrs: NO_ATTRIBUTES }]);
    }),
  );
  // The types name the two the other way round than ssh2 hands them over.
  sftp.on('SYMLINK', (id, path, target) =>
    done(id, 'SYMLINK', () => {
      const [text, place] = faults.reverseSymlink === true ? [path, target] : [target, path];
      symlinkSync(text, files.writableName(place));
    }),
  );
  sftp.on('REALPATH', (id, path) =>
    answer(id, 'REALPATH', () => {
      const normal = files.normal(path);
      sftp.name(id, [{ filename: normal, longname: normal, attrs: NO_ATTRIBUTES }]);
    }),
  );
  sftp.on('EXTENDED', (id) => answer(id, 'EXTENDED', () => sftp.status(id, STATUS.OP_UNSUPPORTED)));
  sftp.on('close', () => {
    for (const handle of handles.values()) if ('fd' in handle) closeSync(handle.fd);
    handles.clear();
  });
}

/** SFTP 3: an error when the new name exists. */
function renameExclusively(from: string, to: string): void {
  if (lstatSync(from).isDirectory()) {
    if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) throw new Error('it exists already');
    renameSync(from, to);
    return;
  }
  linkSync(from, to);
  unlinkSync(from);
}

function localFlags(flags: number): number {
  const both = OPEN_MODE.READ | OPEN_MODE.WRITE;
  let local =
    (flags & both) === both
      ? constants.O_RDWR
      : (flags & OPEN_MODE.WRITE) !== 0
        ? constants.O_WRONLY
        : constants.O_RDONLY;
  if ((flags & OPEN_MODE.APPEND) !== 0) local |= constants.O_APPEND;
  if ((flags & OPEN_MODE.CREAT) !== 0) local |= constants.O_CREAT;
  if ((flags & OPEN_MODE.TRUNC) !== 0) local |= constants.O_TRUNC;
  if ((flags & OPEN_MODE.EXCL) !== 0) local |= constants.O_EXCL;
  return local;
}

const NO_ATTRIBUTES: Attributes = { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 };

function allAttributesOf({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats): Attributes {
  return { mode, uid, gid, size, atime: Math.floor(atimeMs / 1000), mtime: Math.floor(mtimeMs / 1000) };
}

function statusOf(error: unknown): number {
  switch (errorCode(error) ?? '') {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ELOOP':
      return STATUS.NO_SUCH_FILE;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return STATUS.PERMISSION_DENIED;
    default:
      return STATUS.FAILURE;
  }
}
