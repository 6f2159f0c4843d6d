/** Where the kit lies that belongs to an invitation: beside it, under the same name. */

/** `harbour.kit` for `harbour.invitation`. */
export function kitFileFor(invitationFile: string): string {
  return `${invitationFile.replace(/\.invitation$/, '')}.kit`;
}
