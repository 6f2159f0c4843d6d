/** Waits until partners have answered a release: `tieup push --wait`. */
import pLimit from 'p-limit';
import { asTieupError, isTieupError, TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { MainSite } from './main-site.ts';
import { carryOut } from './carry-out.ts';
import { withDeadline } from './deadline.ts';
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

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Each look waits for its own, and closes its connection. */
  readonly turn?: Turn | undefined;
  /** For making live what was decided on, which the end of the wait does not cut off; undefined: no bound. */
  readonly deadlineMs?: number | undefined;
}

const POLL_MS = 2000;
const LAST_LOOK_MS = 10_000;

/** Waits for all of them until `deadline`; no more than `concurrency` connections are open at a time. */
export async function waitForAnswers(
  site: MainSite,
  waiting: readonly Waiting[],
  deadline: Date,
  { concurrency, ...options }: Omit<WaitOptions, 'turn'> & { readonly concurrency: number },
): Promise<ReadonlyMap<string, WaitResult>> {
  const limit = pLimit(concurrency);
  // Who has a connection to itself keeps it; where there are more partners than connections each look opens one.
  const turn: Turn | undefined = waiting.length > concurrency ? (look) => limit(look) : undefined;
  const answers = waiting.map(
    async ({ partner, releaseDigest }) =>
      [partner, await waitForAnswer(site, partner, releaseDigest, deadline, { ...options, turn })] as const,
  );
  return new Map(await Promise.all(answers));
}

/**
 * Looks into the outbox every two seconds until `deadline`, reconnecting when it must. A server that answers slowly without end is cut
 * off: the last look has ten seconds more.
 */
export async function waitForAnswer(
  site: MainSite,
  partner: string,
  releaseDigest: string,
  deadline: Date,
  { signal, turn, deadlineMs }: WaitOptions = {},
): Promise<WaitResult> {
  let partnership = await loadPartnership(site, partner);
  let exchange: FileTree | undefined;
  const close = async (): Promise<void> => {
    const open = exchange;
    exchange = undefined;
    await open?.close();
  };
  const leftMs = (): number => deadline.getTime() - site.clock.now().getTime();
  const ask = async (limited: MainSite) => {
    const tree = (exchange ??= await limited.connect(partnership));
    // Another machine may push meanwhile, and be answered.
    const { versions } = await learnRemote(limited, partnership, tree);
    return { tree, answers: await takeInAnswers(limited, partnership, tree, versions.targets) };
  };
  // A connection that breaks while waiting is no answer: the next look opens another one.
  const nothing = async (): Promise<Heard> => {
    await close().catch(() => {});
    return { ...NO_ANSWER, rejections: [] };
  };
  const look = async (): Promise<Heard | TieupError> => {
    try {
      const asking = withDeadline(site, partner, Math.max(leftMs(), 0) + LAST_LOOK_MS, ask);
      const asked = await asking.catch((error: unknown) => {
        if (isTieupError(error, 'TIEUP_E_TIMEOUT')) return undefined;
        throw error;
      });
      if (asked === undefined) return await nothing();
      const { tree, answers } = asked;
      partnership = answers.partnership;
      const carried = await withDeadline(site, partner, deadlineMs, (limited) =>
        carryOut(limited, partnership, tree, answers.decision),
      );
      return { ...answers, published: carried?.releaseDigest };
    } catch (error) {
      const fault = asTieupError(error);
      return fault.code === 'TIEUP_E_CONNECTION' ? nothing() : fault;
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
      const left = leftMs();
      if (left <= 0) return { kind: 'waited-too-long', accepted: answered !== undefined };
      await site.clock.sleep(Math.min(POLL_MS, left), signal);
    }
  } finally {
    await close();
  }
}
