/** A TCP proxy that cuts the line after so many bytes, to break a connection to a real server anywhere. */
import { connect, createServer, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly port: number;
  /** Bytes that went from the client to the server. */
  readonly sent: () => number;
  readonly close: () => Promise<void>;
}

/** @param cutAfter - bytes from the client that still reach the server; Infinity never cuts */
export async function cuttingProxy(targetPort: number, cutAfter: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let sent = 0;
  const server = createServer({ noDelay: true }, (client) => {
    const target = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    const cut = (): void => {
      client.destroy();
      target.destroy();
    };
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', cut);
    }
    target.pipe(client);
    client.on('data', (chunk) => {
      const rest = cutAfter - sent;
      sent += Math.min(rest, chunk.length);
      // What was sent must arrive before the line is cut.
      if (chunk.length < rest) target.write(chunk);
      else target.write(chunk.subarray(0, rest), cut);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port');
  return {
    port: address.port,
    sent: () => sent,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
