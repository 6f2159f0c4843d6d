import { createServer, type IncomingHttpHeaders } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { sha256 } from '../../../src/protocol/digest.ts';
import { visitPage } from '../../../src/io/page-visit.ts';
import { freePort } from '../../support/free-port.ts';

const never = new AbortController().signal;

async function server(status: number, body: string | Uint8Array = 'hello', headers = {}) {
  const asked: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
  const http = createServer((request, response) => {
    asked.push({ url: request.url, headers: request.headers });
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void http.close());
  const address = http.address();
  if (typeof address !== 'object' || address === null) throw new Error('there is no port');
  return { url: `http://127.0.0.1:${address.port}/with-main/index.html`, asked };
}

describe('a visit to a page', () => {
  test('brings no other headers than those it was given, and what HTTP cannot do without', async () => {
    const { url, asked } = await server(200);
    expect(
      await visitPage({ url, headers: { 'User-Agent': 'Mozilla/5.0', Referer: 'https://search.example/' } }, never),
    ).toEqual({ status: 200, digest: sha256('hello') });
    expect(asked).toHaveLength(1);
    expect(Object.keys(asked[0]?.headers ?? {}).toSorted()).toEqual(['connection', 'host', 'referer', 'user-agent']);
  });

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ])('knows a page again that was sent with %s', async (encoding, compress) => {
    const { url } = await server(200, compress('hello'), { 'Content-Encoding': encoding });
    expect(await visitPage({ url, headers: {} }, never)).toEqual({ status: 200, digest: sha256('hello') });
    const bomb = await server(200, compress('x'.repeat(20_000_000)), { 'Content-Encoding': encoding });
    expect(await visitPage({ url: bomb.url, headers: {} }, never)).toEqual({ status: 200, digest: null });
    const other = await server(200, 'hello', { 'Content-Encoding': encoding });
    expect(await visitPage({ url: other.url, headers: {} }, never)).toEqual({ status: 200, digest: null });
  });

  test('follows no redirect: only the partner’s own site is asked', async () => {
    const elsewhere = await server(200);
    const { url } = await server(302, '', { Location: elsewhere.url });
    expect(await visitPage({ url, headers: {} }, never)).toMatchObject({ status: 302 });
    expect(elsewhere.asked).toEqual([]);
  });

  test('takes no endless page', async () => {
    const { url } = await server(200, 'x'.repeat(20_000_000));
    expect(await visitPage({ url, headers: {} }, never)).toEqual({ status: 200, digest: null });
  });

  test('fails when nobody answers, and when it is interrupted', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}/`;
    await expect(visitPage({ url: nobody, headers: {} }, never)).rejects.toMatchObject({ code: 'TIEUP_E_CONNECTION' });
    const { url } = await server(200);
    await expect(visitPage({ url, headers: {} }, AbortSignal.abort())).rejects.toMatchObject({
      code: 'TIEUP_E_CONNECTION',
    });
  });
});
