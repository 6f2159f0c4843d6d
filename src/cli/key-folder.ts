/** Where keys are, and what must be typed before keys are replaced. */
import { resolve } from 'node:path';
import { TieupError } from '../errors.ts';
import type { MainSite } from '../main-site/main-site.ts';
import type { Context } from './command-context.ts';

/** What `--root-keys <folder>` is for. */
export const ROOT_KEYS = 'a further folder with root keys, such as the stick with the spare';

/** What `--key <place>` of a partner's commands is for. */
export const ACCEPT_KEY = 'where your accept key is, when it is not the file: agent://SHA256:… or env://VARIABLE';

/** The main site, with the root keys of `--root-keys`. @throws TIEUP_E_KEY when there is none in that folder. */
export async function mainSiteWith(ctx: Context, rootKeys: string | undefined): Promise<MainSite> {
  if (rootKeys === undefined) return ctx.mainSite();
  const found = (await (await ctx.keyShelf(rootKeys)).list()).filter(({ name }) => /^root(?:-|$)/.test(name));
  if (found.length > 0) return ctx.mainSite({ rootKeys: [rootKeys] });
  throw new TieupError('TIEUP_E_KEY', `there is no root key in ${JSON.stringify(rootKeys)}`, {
    hint: 'name the folder in which the file root-….key lies',
  });
}

/** The folder of `--keys`, or that of the main site; holders of a root need no site on their machines. */
export async function mainKeyFolder(ctx: Context, given: string | undefined): Promise<string> {
  if (given !== undefined) return resolve(ctx.folder, given);
  const { folder, config } = await ctx.mainConfig();
  return resolve(folder, config.folders.keys);
}

/** @throws TIEUP_E_USAGE unless `given` is `expected`, which names what will be changed. */
export function assertConfirmed(given: string | undefined, expected: string, what: string): void {
  if (given === expected) return;
  const why = given === undefined ? `${what} needs --confirm` : `${JSON.stringify(given)} does not confirm that`;
  throw new TieupError('TIEUP_E_USAGE', why, { hint: `if you mean it, add: --confirm ${expected}` });
}
