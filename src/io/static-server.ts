/** A small web server for static files on loopback, for `tieup demo`: what any web server does with a partner's web root. */
import { realpath, readFile, stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { join, sep } from 'node:path';
import { lookup } from 'mrmime';

export interface StaticServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves `root`, which may be a link that is switched while the server runs: it is resolved for every request. */
export async function startStaticServer(root: string): Promise<StaticServer> {
  const server = createServer((request, response) => {
    answer(root, request.url ?? '/', response).catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

async function answer(root: string, url: string, response: ServerResponse): Promise<void> {
  const file = await findFile(root, url);
  if (file === undefined) {
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('not found\n');
    return;
  }
  const type = lookup(file) ?? 'application/octet-stream';
  const charset = type.startsWith('text/') ? '; charset=utf-8' : '';
  response.writeHead(200, { 'content-type': `${type}${charset}`, 'cache-control': 'no-store' });
  response.end(await readFile(file));
}

/** The file that `url` names, nothing outside the root; undefined when there is none. */
async function findFile(root: string, url: string): Promise<string | undefined> {
  try {
    const base = await realpath(root);
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    const wanted = await realpath(join(base, path));
    if (wanted !== base && !wanted.startsWith(base + sep)) return undefined;
    const file = (await stat(wanted)).isDirectory() ? await realpath(join(wanted, 'index.html')) : wanted;
    return file.startsWith(base + sep) && (await stat(file)).isFile() ? file : undefined;
  } catch {
    // Whatever keeps a file from being read, the visitor sees no page.
    return undefined;
  }
}
