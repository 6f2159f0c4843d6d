/** The manager's choices about single paths and withheld pages, remembered in `state/choices.json`. */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { NO_CHOICES, type Choices } from '../merge/choices.ts';
import type { PartnerSite } from './partner-site.ts';

const FILE = 'choices.json';
const MAX_CHOICES = 16 * 1024 * 1024;

const choicesSchema: z.ZodType<Choices> = z.strictObject({
  withheld: z.array(z.string()),
  paths: z.record(z.string(), z.union([z.enum(['keep-mine', 'take-theirs']), z.strictObject({ rename: z.string() })])),
});

/** @throws TIEUP_E_VERIFY when the file is damaged. */
export async function readChoices(site: PartnerSite): Promise<Choices> {
  const bytes = await readIfThere(site.state, FILE, MAX_CHOICES);
  if (bytes === undefined) return NO_CHOICES;
  try {
    return choicesSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', `${FILE} in the state folder is damaged`, {
      cause,
      hint: 'remove it and choose again',
    });
  }
}

export async function writeChoices(site: PartnerSite, choices: Choices): Promise<void> {
  await site.state.write(FILE, Buffer.from(`${JSON.stringify(choices, undefined, 2)}\n`));
}
