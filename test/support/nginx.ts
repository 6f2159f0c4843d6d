/** A real nginx on loopback with a configuration of its own; works as root and as anybody. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'node:http';
import { freePort } from './free-port.ts';

export interface Nginx {
  readonly port: number;
  /** Of the process that signals go to. */
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Serves `root`, which may be a link; the link is looked up for every request. Logs to `accessLog`, an absolute path, if given.
 * @param lines further ones of the server block
 */
export async function startNginx(program: string, root: string, accessLog?: string, lines = ''): Promise<Nginx> {
  const prefix = await mkdtemp(join(tmpdir(), 'tieup-'));
  await mkdir(join(prefix, 'temp'));
  const port = await freePort();
  await writeFile(join(prefix, 'nginx.conf'), configuration(prefix, root, port, lines, accessLog));
  const child = spawn(program, ['-p', prefix, '-c', join(prefix, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(prefix, { recursive: true, force: true });
  };
  try {
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`nginx did not start: ${complaint}`);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, pid: child.pid ?? 0, stop };
}

function configuration(prefix: string, root: string, port: number, lines: string, accessLog = 'off'): string {
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${prefix}/temp/${name};\n`)
    .join('');
  return `${user}daemon off;
worker_processes 2;
pid ${prefix}/nginx.pid;
error_log stderr error;
events { worker_connections 256; }
http {
${temporary}  access_log ${accessLog};
  default_type text/html;
  keepalive_requests 100000;
  server { listen 127.0.0.1:${port}; root ${root};
${lines}
  }
}
`;
}

/** One attempt; refused connections come back at once, so that waiting for a start is a loop of attempts. */
function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const attempt = request({ port, host: '127.0.0.1', path: '/' }, (response) => {
      response.resume();
      done(true);
    });
    attempt.on('error', () => setImmediate(() => done(false)));
    attempt.end();
  });
}
