/** Asks for one page as a visitor's browser would, with the headers it is given and no other of its own. */
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { TieupError } from '../errors.ts';

export interface PageVisit {
  /** `http:` or `https:`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 20_000;
const MAX_BODY = 8 * 1024 * 1024;

/**
 * The status of the answer, once its body has come; redirects are not followed.
 * @throws TIEUP_E_CONNECTION when there is no answer.
 */
export async function visitPage({ url, headers }: PageVisit, signal: AbortSignal): Promise<number> {
  const address = new URL(url);
  const request = address.protocol === 'https:' ? secureRequest : plainRequest;
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      reject(new TieupError('TIEUP_E_CONNECTION', `${address.host} did not answer`, { cause }));
    };
    const sent = request(address, { headers, signal, timeout: TIMEOUT_MS }, (answer) => {
      let length = 0;
      answer.on('data', (chunk: Uint8Array) => {
        length += chunk.length;
        if (length > MAX_BODY) answer.destroy();
      });
      answer.on('error', fail);
      answer.on('close', () => resolve(answer.statusCode ?? 0));
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', fail);
    sent.end();
  });
}
