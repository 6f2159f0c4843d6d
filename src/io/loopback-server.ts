/**
 * A small web server on loopback, for the browser of the person who started it. Other sites that are open in that browser can
 * send requests here too, so none of them may read an answer:
 *
 * - a name of theirs that leads to this machine (DNS rebinding) is refused by the Host header;
 * - their scripts, pictures and frames are refused by what browsers say of where a request comes from, and by what they are told
 *   of the answer. A link that somebody follows is fine.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { lookup } from 'mrmime';
import { isTieupError, TieupError } from '../errors.ts';

export interface LoopbackRequest {
  /** As it was asked for, percent-encoded: `/with-main/index.html`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Aborts when the browser has gone. */
  readonly signal: AbortSignal;
}

export interface LoopbackAnswer {
  readonly status: number;
  /** By whose ending the browser is told what it is: `index.html`. */
  readonly name: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array | string>;
}

export type AnswerRequest = (request: LoopbackRequest) => Promise<LoopbackAnswer>;

export interface LoopbackServer {
  readonly port: number;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const OWN_NAMES: ReadonlySet<string> = new Set([HOST, 'localhost', '[::1]']);

const FOR_NOBODY_ELSE = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'SAMEORIGIN',
};

/**
 * @param port 0 for any that is free
 * @throws TIEUP_E_EXISTS when another program has the port, TIEUP_E_STORAGE when it may not be used
 */
export async function startLoopbackServer(answer: AnswerRequest, port = 0): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    respond(answer, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(portFault(port, cause)));
    server.listen(port, HOST, resolve);
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

async function respond(answer: AnswerRequest, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const { status, name, headers, body } = await answerTo(answer, request, gone.signal);
  const type = lookup(name) ?? 'application/octet-stream';
  const charset = type.startsWith('text/') ? '; charset=utf-8' : '';
  response.writeHead(status, { 'content-type': `${type}${charset}`, ...FOR_NOBODY_ELSE, ...headers });
  if (request.method === 'HEAD') response.end();
  else if (typeof body === 'string' || body instanceof Uint8Array) response.end(body);
  else {
    for await (const chunk of body) {
      if (gone.signal.aborted) break;
      if (!response.write(chunk)) await drained(response, gone.signal);
    }
    response.end();
  }
}

async function answerTo(answer: AnswerRequest, request: IncomingMessage, signal: AbortSignal): Promise<LoopbackAnswer> {
  const { method, headers, url = '/' } = request;
  if (method !== 'GET' && method !== 'HEAD')
    return plain(405, 'only GET and HEAD are answered', { allow: 'GET, HEAD' });
  if (!isOwnHost(headers.host))
    return plain(421, 'this server is for its own machine: open it as 127.0.0.1 or localhost');
  if (isFromElsewhere(request)) return plain(403, 'pages of another site may not read this');
  if (!url.startsWith('/') || !URL.canParse(`http://${HOST}${url}`)) return plain(400, 'this is no address');
  const { pathname, searchParams } = new URL(`http://${HOST}${url}`);
  try {
    return await answer({ path: pathname, query: searchParams, signal });
  } catch (error) {
    return plain(500, isTieupError(error) ? error.message : 'tieup failed unexpectedly');
  }
}

/** Whatever its port: it may have come through a tunnel. */
function isOwnHost(host: string | undefined): boolean {
  const [, name] = /^(\[[0-9a-f:]+\]|[^:]+)(?::\d+)?$/i.exec(host ?? '') ?? [];
  return name !== undefined && OWN_NAMES.has(name.toLowerCase());
}

/** Another port of this machine is elsewhere too: any program may serve there. */
function isFromElsewhere({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  if (origin !== undefined && origin !== `http://${host}`) return true;
  const from = headers['sec-fetch-site'];
  const isSite = from === undefined || from === 'same-origin' || from === 'none';
  return !isSite && !(headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document');
}

function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): LoopbackAnswer {
  return { status, name: 'answer.txt', headers, body: `${text}\n` };
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}

function portFault(port: number, cause: NodeJS.ErrnoException): TieupError {
  if (cause.code === 'EADDRINUSE')
    return new TieupError('TIEUP_E_EXISTS', `another program uses port ${port}`, {
      hint: 'end it, or choose another port',
      cause,
    });
  const why = cause.code === 'EACCES' ? 'may not be used' : 'cannot be used';
  return new TieupError('TIEUP_E_STORAGE', `port ${port} ${why} on this machine`, {
    hint: 'choose one above 1024',
    cause,
  });
}
