/** Asks for one page as a visitor's browser would, with the headers it is given and no other of its own. */
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { TieupError } from '../errors.ts';
import { sha256 } from '../protocol/digest.ts';

export interface PageVisit {
  /** `http:` or `https:`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface PageAnswer {
  readonly status: number;
  /** SHA-256 of the page as it was before it was compressed; null when it was too long or cannot be read. */
  readonly digest: string | null;
}

const TIMEOUT_MS = 20_000;
const MAX_BODY = 8 * 1024 * 1024;

/**
 * What was answered, once its body has come; redirects are not followed.
 * @throws TIEUP_E_CONNECTION when there is no answer.
 */
export async function visitPage({ url, headers }: PageVisit, signal: AbortSignal): Promise<PageAnswer> {
  const address = new URL(url);
  const request = address.protocol === 'https:' ? secureRequest : plainRequest;
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      reject(new TieupError('TIEUP_E_CONNECTION', `${address.host} did not answer`, { cause }));
    };
    const sent = request(address, { headers, signal, timeout: TIMEOUT_MS }, (answer) => {
      const chunks: Uint8Array[] = [];
      let length = 0;
      answer.on('data', (chunk: Uint8Array) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length > MAX_BODY) answer.destroy();
      });
      answer.on('error', fail);
      answer.on('close', () => {
        const isWhole = answer.complete && length <= MAX_BODY;
        const digest = isWhole ? digestOf(Buffer.concat(chunks), answer.headers['content-encoding']) : null;
        resolve({ status: answer.statusCode ?? 0, digest });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', fail);
    sent.end();
  });
}

function digestOf(body: Uint8Array, encoding = 'identity'): string | null {
  const limit = { maxOutputLength: MAX_BODY };
  try {
    switch (encoding.trim().toLowerCase()) {
      case 'identity':
        return sha256(body);
      case 'gzip':
        return sha256(gunzipSync(body, limit));
      case 'br':
        return sha256(brotliDecompressSync(body, limit));
      case 'deflate':
        return sha256(inflateSync(body, limit));
      default:
        return null;
    }
  } catch {
    // Not what it says it is, or far longer than any page.
    return null;
  }
}
