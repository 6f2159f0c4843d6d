// The class of ssh2 that speaks SFTP. Its own types leave it out: it is made for channels of ssh2's connections.
declare module 'ssh2/lib/protocol/SFTP.js' {
  import type { SFTPWrapper } from 'ssh2';

  interface Channel {
    readonly id: number;
    state: string;
    window: number;
    readonly packetSize: number;
  }

  interface Connection {
    readonly _protocol: {
      channelData(id: number, bytes: Buffer): void;
      channelClose(id: number): void;
    };
  }

  const module: {
    readonly SFTP: new (
      connection: Connection,
      channel: { readonly type: string; readonly incoming: Channel; readonly outgoing: Channel },
    ) => SFTPWrapper & {
      /** What came from the server; null at its end. */
      push(bytes: Buffer | null): void;
    };
  };
  export default module;
}
