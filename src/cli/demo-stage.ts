/** What the demo plays on: real servers on loopback, and tieup itself as a user would call it. */
import type { ProcessEnd } from '../io/processes.ts';
import type { SftpServer } from '../io/sftp-server.ts';
import type { LoopbackServer } from '../io/loopback-server.ts';

export interface DemoStage {
  /** Calls `tieup` as a process of its own. */
  callTieup(
    argv: readonly string[],
    folder: string,
    environment: Readonly<Record<string, string | undefined>>,
  ): Promise<ProcessEnd>;
  /** An SFTP server in which the login `main` sees `folder` and may write its `inbox` alone. */
  startSftp(folder: string, publicKey: string): Promise<SftpServer>;
  startWeb(root: string): Promise<LoopbackServer>;
}
