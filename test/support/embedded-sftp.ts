/** The embedded SFTP server over a fresh folder, and a login to it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SftpConnection, SftpOptions } from '../../src/io/sftp-connection.ts';
import { connectSftp } from '../../src/io/sftp-connection.ts';
import type { SftpServer, SftpServerOptions } from '../../src/io/sftp-server.ts';
import { startSftpServer } from '../../src/io/sftp-server.ts';
import type { SshKey } from '../../src/io/ssh-key.ts';
import { createSshKey } from '../../src/io/ssh-key.ts';

/** Keys that are the same in every run. */
export function seededSshKey(name: string): SshKey {
  return createSshKey(name, Buffer.alloc(32, name));
}

export interface EmbeddedSftp {
  readonly root: string;
  readonly server: SftpServer;
  /** Logs in as `main`, with the right host key unless told otherwise. */
  readonly connect: (options?: Partial<SftpOptions>) => Promise<SftpConnection>;
  /** Ends every connection, stops the server and removes the folder. */
  readonly dispose: () => Promise<void>;
}

export async function embeddedSftp(options: Partial<SftpServerOptions> = {}): Promise<EmbeddedSftp> {
  const root = mkdtempSync(join(tmpdir(), 'tieup-'));
  const user = seededSshKey('main');
  const server = await startSftpServer({
    root,
    hostKey: seededSshKey('host').privateKey,
    users: { main: { publicKey: user.publicKey, writable: [''] } },
    ...options,
  });
  const connections: SftpConnection[] = [];
  return {
    root,
    server,
    connect: async (changes) => {
      const connection = await connectSftp({
        address: { user: 'main', host: '127.0.0.1', port: server.port, path: '/' },
        hostKeys: [server.hostKeyLine],
        auth: { kind: 'key', privateKey: user.privateKey },
        timeoutMs: 20_000,
        ...changes,
      });
      connections.push(connection);
      return connection;
    },
    dispose: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
      await server.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
