/** What goes wrong beside the matter itself. */
import { TieupError } from '../errors.ts';
import type { PushResult } from './push.ts';

/** What went wrong beside a push that did what it had to: no failure, and nothing to keep silent about. */
export interface Trouble {
  /**
   * `answer`: what the partner answered could not be read · `tidying`: the release is there, what follows it was cut off ·
   * `publication`: what the partner had decided on could not be made live by this side.
   */
  readonly kind: 'answer' | 'tidying' | 'publication';
  readonly error: TieupError;
}

/** Why a push did not do for a partner all that it had to: send the release, or publish what was decided on before. */
export function faultOf(result: PushResult): TieupError | undefined {
  if (result.kind === 'failed') return result.error;
  return result.troubles.find(({ kind }) => kind === 'publication')?.error;
}

/** What `work` cannot do is added to the troubles. @throws what is no {@link TieupError} */
export async function quietly(kind: Trouble['kind'], troubles: Trouble[], work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    troubles.push({ kind, error });
  }
}
