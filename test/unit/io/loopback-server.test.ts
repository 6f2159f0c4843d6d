import { request, type IncomingHttpHeaders } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startLoopbackServer, type AnswerRequest } from '../../../src/io/loopback-server.ts';

async function serving(answer: AnswerRequest = async () => ({ status: 200, name: 'page.html', body: 'a secret' })) {
  const server = await startLoopbackServer(answer);
  onTestFinished(() => server.close());
  return server;
}

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** With exactly these headers: `fetch` would set some of them itself. */
function ask(port: number, headers: Record<string, string> = {}, path = '/', method = 'GET'): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text: string) => (body += text));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('a server on loopback', () => {
  test('answers the browser of this machine, by either of its names and through a tunnel', async () => {
    const { port } = await serving();
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'LOCALHOST:9', '[::1]:80', '127.0.0.1']) {
      expect(await ask(port, { host })).toMatchObject({ status: 200, body: 'a secret' });
    }
  });

  test('answers no name that somebody else has made lead here', async () => {
    const { port } = await serving();
    const names = [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      '127.0.0.1@evil',
    ];
    for (const host of [...names, '2130706433', '[::1']) {
      const { status, body } = await ask(port, { host });
      expect([host, status, body.includes('secret')]).toEqual([host, 421, false]);
    }
  });

  test('lets no other origin read, be it another port of this machine', async () => {
    const { port } = await serving();
    const host = `127.0.0.1:${port}`;
    const refused: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `https://${host}` },
      { origin: 'http://127.0.0.1:1' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    ];
    for (const headers of refused) {
      const { status, body } = await ask(port, { host, ...headers });
      expect([headers, status, body.includes('secret')]).toEqual([headers, 403, false]);
    }
    const followed = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect((await ask(port, { host, ...followed })).status).toBe(200);
    expect((await ask(port, { host, origin: `http://${host}` })).status).toBe(200);
  });

  test('tells browsers to keep the answer from others, and gives nobody leave to read it', async () => {
    const { port } = await serving();
    const { headers } = await ask(port);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'x-frame-options': 'SAMEORIGIN',
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  test('is asked to read, and nothing else', async () => {
    const { port } = await serving();
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      expect((await ask(port, {}, '/', method)).status).toBe(405);
    expect(await ask(port, {}, '/', 'HEAD')).toMatchObject({ status: 200, body: '' });
    expect((await ask(port, {}, 'http://evil.example/')).status).toBe(400);
  });

  test('hands out what comes bit by bit, and stops when the browser has gone', async () => {
    let gone: AbortSignal | undefined;
    const { port } = await serving(async ({ signal, path, query }) => {
      gone = signal;
      async function* body() {
        yield `${path} ${query.get('a')}`;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        yield 'nobody reads this';
      }
      return { status: 200, name: 'events', body: body() };
    });
    const leaving = new AbortController();
    const answer = await fetch(`http://127.0.0.1:${port}/x/y?a=b`, { signal: leaving.signal });
    const { value } = (await answer.body?.getReader().read()) ?? {};
    expect(new TextDecoder().decode(value)).toBe('/x/y b');
    const noticed = new Promise<void>((resolve) => gone?.addEventListener('abort', () => resolve()));
    leaving.abort();
    await noticed;
  });

  test('survives an answer that fails', async () => {
    const { port } = await serving(async ({ path }) => {
      if (path === '/bad') throw new Error('with a secret');
      return { status: 200, name: 'x.txt', body: 'fine' };
    });
    expect(await ask(port, {}, '/bad')).toMatchObject({ status: 500, body: 'tieup failed unexpectedly\n' });
    expect((await ask(port)).body).toBe('fine');
  });

  test('says that its port is taken', async () => {
    const { port } = await serving();
    const second = startLoopbackServer(async () => ({ status: 200, name: 'x.txt', body: '' }), port);
    await expect(second).rejects.toMatchObject({
      code: 'TIEUP_E_EXISTS',
      message: expect.stringContaining(String(port)),
    });
  });
});
