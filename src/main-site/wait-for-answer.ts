/** Waits until a partner has answered a release: `tieup push --wait`. */
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { MainSite } from './main-site.ts';
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

type Heard = Outbox & Pick<Answers, 'rejections'>;

const POLL_MS = 2000;

/** Looks into the outbox every two seconds until `deadline`, reconnecting when it must. */
export async function waitForAnswer(
  site: MainSite,
  partner: string,
  releaseDigest: string,
  deadline: Date,
  signal?: AbortSignal,
): Promise<WaitResult> {
  let partnership = await loadPartnership(site, partner);
  let exchange: FileTree | undefined;
  // A connection that breaks while waiting is no answer: the next look opens another one.
  const look = async (): Promise<Heard | TieupError> => {
    try {
      exchange ??= await site.connect(partnership);
      // Another machine may push meanwhile, and be answered.
      const { versions } = await learnRemote(site, partnership, exchange);
      const answers = await takeInAnswers(site, partnership, exchange, versions.targets);
      partnership = answers.partnership;
      return answers;
    } catch (error) {
      if (!(error instanceof TieupError)) throw error;
      if (error.code !== 'TIEUP_E_CONNECTION') return error;
      exchange = undefined;
      return { ...NO_ANSWER, rejections: [] };
    }
  };
  try {
    for (;;) {
      const outbox = await look();
      if (outbox instanceof TieupError) return { kind: 'failed', error: outbox };
      const rejection = outbox.rejections.find((each) => each.releaseDigest === releaseDigest);
      if (rejection !== undefined) return { kind: 'rejected', reason: rejection.reason };
      const answered = outbox.decision?.releaseDigest === releaseDigest ? outbox.decision : undefined;
      if (answered !== undefined && receiptFollows(outbox)) return { kind: 'live' };
      const left = deadline.getTime() - site.clock.now().getTime();
      if (left <= 0) return { kind: 'waited-too-long', accepted: answered !== undefined };
      await site.clock.sleep(Math.min(POLL_MS, left), signal);
    }
  } finally {
    await exchange?.close();
  }
}
