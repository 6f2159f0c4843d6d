import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderRedirects, type Redirect } from '../../src/merge/redirects.ts';
import { startNginx } from '../support/nginx.ts';
import { realPart } from '../support/real-parts.ts';

const nginx = realPart('nginx');

/** Names that mean something to nginx, unless they are quoted. */
const NAMES = [
  'plain',
  'a blank',
  '$uri',
  '${document_root}',
  '{brace}',
  'semi;colon',
  "quote's",
  '~ regex',
  'f\u00FCnf',
  '100%',
  '#hash',
];

describe.skipIf(nginx === undefined)('the redirects of moved pages in a real nginx', () => {
  it('answer exactly the old address of each, with the new one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tieup-'));
    const redirects = NAMES.map((name): Redirect => ({ from: `m/${name}.html`, to: `m/new/${name}.html` }));
    const server = await startNginx(nginx ?? '', folder, undefined, renderRedirects(redirects, 'nginx'));
    try {
      for (const { from, to } of redirects) {
        const { status, location } = await ask(server.port, address(from));
        expect([from, status, decodeURIComponent(new URL(location).pathname)]).toEqual([from, 301, `/${to}`]);
        expect((await ask(server.port, `${address(from)}x`)).status).toBe(404);
      }
    } finally {
      await server.stop();
      await rm(folder, { recursive: true });
    }
  });
});

function address(path: string): string {
  return `/${path.split('/').map(encodeURIComponent).join('/')}`;
}

async function ask(port: number, path: string): Promise<{ readonly status: number; readonly location: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? '' }));
    });
    sent.on('error', reject);
    sent.end();
  });
}
