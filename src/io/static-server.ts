/** A folder on loopback, for `tieup demo`: what any web server does with a partner's web root. */
import { realpath, readFile, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { startLoopbackServer, type LoopbackServer } from './loopback-server.ts';

/** Serves `root`, which may be a link that is switched while the server runs: it is resolved for every request. */
export async function startStaticServer(root: string): Promise<LoopbackServer> {
  return startLoopbackServer(async ({ path }) => {
    const file = await findFile(root, path);
    if (file === undefined) return { status: 404, name: 'answer.txt', body: 'not found\n' };
    return { status: 200, name: file, body: await readFile(file) };
  });
}

/** The file that the path of an address names, nothing outside the root; undefined when there is none. */
async function findFile(root: string, pathname: string): Promise<string | undefined> {
  try {
    const base = await realpath(root);
    const wanted = await realpath(join(base, decodeURIComponent(pathname)));
    if (wanted !== base && !wanted.startsWith(base + sep)) return undefined;
    const file = (await stat(wanted)).isDirectory() ? await realpath(join(wanted, 'index.html')) : wanted;
    return file.startsWith(base + sep) && (await stat(file)).isFile() ? file : undefined;
  } catch {
    // Whatever keeps a file from being read, the visitor sees no page.
    return undefined;
  }
}
