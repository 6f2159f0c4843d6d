/** What goes wrong beside the matter itself. */
import { TieupError } from '../errors.ts';

/** What went wrong beside a push that did what it had to: no failure, and nothing to keep silent about. */
export interface Trouble {
  /** `answer`: what the partner answered could not be read · `tidying`: the release is there, what follows it was cut off. */
  readonly kind: 'answer' | 'tidying';
  readonly error: TieupError;
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
