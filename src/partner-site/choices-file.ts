/** The manager's choices about single paths and withheld pages, remembered in `state/choices.json`. */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { NO_CHOICES, type Choices } from '../merge/choices.ts';
import { nearest } from '../protocol/nearest.ts';
import type { Release } from '../protocol/release.ts';
import type { PartnerSite } from './partner-site.ts';

const FILE = 'choices.json';
const MAX_CHOICES = 16 * 1024 * 1024;

export const pathChoicesSchema: z.ZodType<Choices['paths']> = z.record(
  z.string(),
  z.union([z.enum(['keep-mine', 'take-theirs']), z.strictObject({ rename: z.string() })]),
);
const choicesSchema: z.ZodType<Choices> = z.strictObject({ withheld: z.array(z.string()), paths: pathChoicesSchema });

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

/**
 * What was remembered, and what the manager chooses at this moment, which counts more.
 * @throws TIEUP_E_USAGE for a choice about a path that the release does not have: it would wait there, and change nothing.
 */
export function withChosen(
  remembered: Choices['paths'],
  chosen: Choices['paths'],
  { files }: Pick<Release, 'files'>,
): Choices['paths'] {
  const paths = new Set(files.map(({ path }) => path));
  for (const path of Object.keys(chosen)) {
    if (paths.has(path)) continue;
    const close = nearest(path, paths);
    throw new TieupError('TIEUP_E_USAGE', `the release has no file ${JSON.stringify(path)} to choose for`, {
      hint: close === undefined ? 'tieup status lists what is in the way' : `did you mean ${JSON.stringify(close)}?`,
    });
  }
  return { ...remembered, ...chosen };
}

/**
 * The same choices where the terms move the mount: what was withheld at the old place is withheld at the new one.
 * Only paths that the release no longer has, and has at the new place, are moved.
 */
export function choicesAtMount(choices: Choices, from: string, to: string, release: Pick<Release, 'files'>): Choices {
  if (from === to) return choices;
  const paths = new Set(release.files.map(({ path }) => path));
  const below = (path: string): string =>
    path.startsWith(from.slice(1)) ? to.slice(1) + path.slice(from.length - 1) : path;
  const moved = (path: string): string => (!paths.has(path) && paths.has(below(path)) ? below(path) : path);
  return {
    withheld: choices.withheld.map(moved),
    paths: Object.fromEntries(
      Object.entries(choices.paths).map(([path, choice]) => {
        const isMoved = moved(path) !== path;
        return [moved(path), isMoved && typeof choice === 'object' ? { rename: below(choice.rename) } : choice];
      }),
    ),
  };
}
