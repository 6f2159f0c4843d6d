/** Where the kit lies that belongs to an invitation: beside it, under the same name. */
import { isTieupError, TieupError } from '../errors.ts';
import { openKitOf, type OpenedKit } from '../partner-site/kit.ts';
import type { Invitation } from '../protocol/invitation.ts';
import { MAX_KIT } from '../protocol/kit.ts';
import type { Context } from './command-context.ts';

/** `harbour.kit` for `harbour.invitation`. */
export function kitFileFor(invitationFile: string): string {
  return `${invitationFile.replace(/\.invitation$/, '')}.kit`;
}

/**
 * The kit of an invitation, verified; undefined when there is none or the manager does without.
 * @param given what `--kit` says; false for `--no-kit`
 */
export async function findKit(
  ctx: Context,
  invitation: Invitation,
  invitationFile: string,
  given: string | boolean | undefined,
): Promise<OpenedKit | undefined> {
  if (given === false) return undefined;
  const file = typeof given === 'string' ? given : kitFileFor(invitationFile);
  if (invitation.kit === undefined) {
    return typeof given === 'string' ? openKitOf(invitation, await ctx.readFile(file, MAX_KIT)) : undefined;
  }
  try {
    return openKitOf(invitation, await ctx.readFile(file, MAX_KIT));
  } catch (cause) {
    if (!isTieupError(cause, 'TIEUP_E_NOT_FOUND')) throw cause;
    throw new TieupError(
      'TIEUP_E_NOT_FOUND',
      `the invitation comes with a kit, but there is no ${JSON.stringify(file)}`,
      {
        hint: 'put it there, name it with --kit, or join without it: --no-kit',
        cause,
      },
    );
  }
}
