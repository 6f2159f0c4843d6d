/** A {@link FileTree} on an SFTP server. */
import type { FileTree } from './file-tree.ts';
import { renderSftpAddress } from './sftp-address.ts';
import type { SftpConnection } from './sftp-connection.ts';
import { sftpFolders } from './sftp-folders.ts';
import { sftpReading } from './sftp-reading.ts';
import { sftpWriting } from './sftp-writing.ts';

/**
 * The tree below `root` of the server, as the login sees it; several trees may share a connection, which `close` ends.
 *
 * Durable as far as the server can: `fsync@openssh.com` flushes files, and SFTP has nothing that flushes a folder.
 * @param root - absolute, or `~` or `~/…` below the folder in which the login starts
 */
export function sftpTree(connection: SftpConnection, root: string): FileTree {
  const { session, server } = connection;
  const label = renderSftpAddress({ ...connection.address, path: root });
  const access = { label, session, server, folders: sftpFolders(session, root) };
  return {
    label,
    ...sftpReading(access),
    ...sftpWriting(access),
    roundTripMs: () => session.roundTripMs(),
    close: () => connection.close(),
  };
}
