/** What a thread runs: the `serve` of the module that it was started for. See threads.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { TieupError } from '../errors.ts';
import type { Parcel } from './threads.ts';

await serveMessages();

async function serveMessages(): Promise<void> {
  const given: unknown = workerData;
  const address = member(given, 'module');
  if (typeof address !== 'string' || parentPort === null) {
    throw new TieupError('TIEUP_E_FAILED', 'this file is only run as a thread');
  }
  const module: unknown = await import(address);
  const serve = member(module, 'serve');
  if (typeof serve !== 'function') throw new TieupError('TIEUP_E_FAILED', `${address} serves no thread`);
  const answer: unknown = Reflect.apply(serve, undefined, [member(given, 'data')]);
  const port = parentPort;
  // Answers keep the order of the messages, however long each takes. One that fails ends the thread.
  let last: Promise<void> = Promise.resolve();
  const reply = async (message: unknown, before: Promise<void>): Promise<void> => {
    await before;
    if (typeof answer !== 'function') return;
    const answered: unknown = await Reflect.apply(answer, undefined, [message]);
    if (isParcel(answered)) port.postMessage(answered.message, [...answered.transfer]);
    else port.postMessage(answered);
  };
  port.on('message', (message: unknown) => {
    last = reply(message, last);
  });
}

function isParcel(value: unknown): value is Parcel {
  return Array.isArray(member(value, 'transfer'));
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
