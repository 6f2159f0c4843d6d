/** How a command ends that worked for many partners: one that failed alone fails as itself, some of many with exit 3. */
import type { DocumentData } from './documents/catalog.ts';
import { EXIT, formatProblem, type Problem, type TieupError } from '../errors.ts';
import type { Context } from './command-context.ts';
import { visible } from './visible.ts';

export interface FailedPartner {
  readonly partner: string;
  readonly error: TieupError;
}

/**
 * Prints every failure as a warning, and sets the exit code.
 * @param partners how many there were, those that were not reached for among them
 * @param retry the command for those that failed, see {@link naming}
 * @throws the error itself when there was one partner alone
 */
export function endWithFailures(
  context: Context,
  failures: readonly FailedPartner[],
  partners: number,
  retry: (failed: readonly string[]) => string,
): void {
  const [first] = failures;
  if (first === undefined) return;
  if (partners === 1) throw first.error;
  for (const { partner, error } of failures) context.output.warning(`${partner}: ${failureText(error)}`);
  context.output.message(`to try only these again: ${retry(failures.map(({ partner }) => visible(partner)))}`);
  const codes = new Set(failures.map(({ error }) => error.exitCode));
  context.endWith(failures.length === partners && codes.size === 1 ? first.error.exitCode : EXIT.somePartnersFailed);
}

/** A failure with all that was found, and what mends it. */
export function failureText({ message, problems, hint }: TieupError): string {
  const found = problems.map((problem) => `\n  ${formatProblem(problem)}`).join('');
  return `${message}${found}${hint === undefined ? '' : `\n  ${hint}`}`;
}

/** The command with the partners after it. */
export function naming(command: string): (partners: readonly string[]) => string {
  return (partners) => `${command} ${partners.join(' ')}`;
}

/** Partners that nobody named and that nothing is done for, and why. */
export function sayPassedOver(
  { output }: Context,
  passedOver: readonly { readonly partner: string; readonly why: string }[],
): void {
  for (const { partner, why } of passedOver) output.message(`${partner}: passed over, ${why}`);
}

/** What is worth mending in the pages, though they can be built and pushed. */
export function sayContentWarnings({ output }: Context, warnings: readonly Problem[]): void {
  for (const warning of warnings) output.warning(formatProblem(warning));
}

type DescribedFailure = Extract<DocumentData<'refresh'>['partners'][number], { readonly result: 'failed' }>;

/** A failure as data, for `--json`. */
export function describeFailure({ partner, error }: FailedPartner): DescribedFailure {
  return { partner, result: 'failed', error: describeError(error) };
}

export function describeError({ code, message, hint, problems }: TieupError): DescribedFailure['error'] {
  return { code, message, hint: hint ?? null, problems };
}
