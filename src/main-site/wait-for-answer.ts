/** Waits until partners have answered a release: `tieup push --wait`. */
import pLimit from 'p-limit';
import { asTieupError, TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { MainSite } from './main-site.ts';
import { carryOut } from './carry-out.ts';
import { loadPartnership } from './partnerships.ts';
import { learnRemote } from './learn-remote.ts';
import { NO_ANSWER, receiptFollows, type Outbox } from './read-outbox.ts';
import { takeInAnswers, type Answers } from './take-in-answers.ts';

export type WaitResult =
  | { readonly kind: 'live' }
  | { readonly kind: 'rejected'; readonly reason: string | null }
  | { readonly kind: 'waited-too-long'; readonly accepted: boolean }
  /** What the partner says cannot be read or believed. */
  | { readonly kind: 'failed'; readonly error: TieupError };

interface Waiting {
  readonly partner: string;
  readonly releaseDigest: string;
}

type Heard = Outbox &
  Pick<Answers, 'rejections'> & {
    /** The release that this side has made live by the partner's word. */
    readonly published?: string | undefined;
  };

/** Runs one look, when it is its turn. */
type Turn = <T>(look: () => Promise<T>) => Promise<T>;

const POLL_MS = 2000;

/** Waits for all of them until `deadline`; no more than `concurrency` connections are open at a time. */
export async function waitForAnswers(
  site: MainSite,
  waiting: readonly Waiting[],
  deadline: Date,
  { concurrency, signal }: { readonly concurrency: number; readonly signal?: AbortSignal | undefined },
): Promise<ReadonlyMap<string, WaitResult>> {
  const limit = pLimit(concurrency);
  // Who has a connection to itself keeps it; where there are more partners than connections each look opens one.
  const turn: Turn | undefined = waiting.length > concurrency ? (look) => limit(look) : undefined;
  const answers = waiting.map(
    async ({ partner, releaseDigest }) =>
      [partner, await waitForAnswer(site, partner, releaseDigest, deadline, signal, turn)] as const,
  );
  return new Map(await Promise.all(answers));
}

/**
 * Looks into the outbox every two seconds until `deadline`, reconnecting when it must.
 * @param turn each look waits for its own, and closes its connection
 */
export async function waitForAnswer(
  site: MainSite,
  partner: string,
  releaseDigest: string,
  deadline: Date,
  signal?: AbortSignal,
  turn?: Turn,
): Promise<WaitResult> {
  let partnership = await loadPartnership(site, partner);
  let exchange: FileTree | undefined;
  const close = async (): Promise<void> => {
    await exchange?.close();
    exchange = undefined;
  };
  // A connection that breaks while waiting is no answer: the next look opens another one.
  const look = async (): Promise<Heard | TieupError> => {
    try {
      exchange ??= await site.connect(partnership);
      // Another machine may push meanwhile, and be answered.
      const { versions } = await learnRemote(site, partnership, exchange);
      const answers = await takeInAnswers(site, partnership, exchange, versions.targets);
      partnership = answers.partnership;
      const carried = await carryOut(site, partnership, exchange, answers.decision);
      return { ...answers, published: carried?.releaseDigest };
    } catch (error) {
      const fault = asTieupError(error);
      if (fault.code !== 'TIEUP_E_CONNECTION') return fault;
      await close();
      return { ...NO_ANSWER, rejections: [] };
    }
  };
  const lookOnce = async (): Promise<Heard | TieupError> => {
    try {
      return await look();
    } finally {
      await close();
    }
  };
  try {
    for (;;) {
      const outbox = await (turn === undefined ? look() : turn(lookOnce));
      if (outbox instanceof TieupError) return { kind: 'failed', error: outbox };
      const rejection = outbox.rejections.find((each) => each.releaseDigest === releaseDigest);
      if (rejection !== undefined) return { kind: 'rejected', reason: rejection.reason };
      if (outbox.published === releaseDigest) return { kind: 'live' };
      const answered = outbox.decision?.releaseDigest === releaseDigest ? outbox.decision : undefined;
      if (answered !== undefined && receiptFollows(outbox)) return { kind: 'live' };
      const left = deadline.getTime() - site.clock.now().getTime();
      if (left <= 0) return { kind: 'waited-too-long', accepted: answered !== undefined };
      await site.clock.sleep(Math.min(POLL_MS, left), signal);
    }
  } finally {
    await close();
  }
}
