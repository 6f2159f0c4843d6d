/** `tieup keys sign|apply`: the root ceremony. */
import type { Command } from '@commander-js/extra-typings';
import { TieupError } from '../../errors.ts';
import { loadPartnerships } from '../../main-site/partnerships.ts';
import { addHolderKeys, addSignatures, applyRoots } from '../../main-site/root-ceremony.ts';
import { rootHolders } from '../../main-site/partner-keys.ts';
import {
  isComplete,
  MAX_ROOT_REQUEST,
  missingHolders,
  parseRootRequest,
  renderRootRequest,
  requestDigest,
  type RootRequest,
} from '../../protocol/root-request.ts';
import type { Context } from '../command-context.ts';
import { mainKeyFolder } from '../key-folder.ts';
import { count } from '../quantity.ts';
import { rootRequestText } from '../root-request-text.ts';
import { visible } from '../visible.ts';

export function defineCeremony(keys: Command<[], { open?: true }>, context: () => Context): void {
  keys
    .command('sign')
    .description('Adds to a root request what your root master can: public keys first, then signatures.')
    .argument('<file>', 'the request; it is written again in place')
    .option('--keys <folder>', 'where your root master is; that of the site unless given')
    .option('--yes <digest>', 'sign exactly what has this digest, without being asked')
    .action(async (file, { keys: given, yes }) => sign(context(), file, given, yes));
  keys
    .command('apply')
    .description('Takes in a root request that enough holders have signed.')
    .argument('<file>', 'the request')
    .action(async (file) => {
      const ctx = context();
      const site = await ctx.mainSite();
      const request = parseRootRequest(await ctx.readFile(file, MAX_ROOT_REQUEST));
      const roots = await applyRoots(site, request, await loadPartnerships(site));
      ctx.output.result('keys-apply', { roots }, () =>
        [
          ctx.output.mark('good', `kept ${count(roots.length, 'new root')}`),
          'Keep them in version control, then bring them to your partners:  tieup push\n',
        ].join('\n'),
      );
    });
}

async function sign(ctx: Context, file: string, given: string | undefined, yes: string | undefined): Promise<void> {
  const folder = await mainKeyFolder(ctx, given);
  const store = await ctx.keyStore(folder);
  if ((await rootHolders(store)).length === 0) {
    throw new TieupError('TIEUP_E_KEY', `there is no root master in ${JSON.stringify(folder)}`, {
      hint: 'name the folder with --keys, or make one with tieup keys create <holder>',
    });
  }
  const request = await addHolderKeys(store, parseRootRequest(await ctx.readFile(file, MAX_ROOT_REQUEST)));
  if (missingHolders(request).length > 0) return finish(ctx, file, request);
  ctx.output.message(rootRequestText(request));
  await agree(ctx, requestDigest(request), yes);
  await finish(ctx, file, await addSignatures(store, request));
}

async function agree(ctx: Context, digest: string, yes: string | undefined): Promise<void> {
  if (yes === digest) return;
  if (yes !== undefined) {
    throw new TieupError('TIEUP_E_DRIFT', 'the request is not the one with this digest, so nothing was signed', {
      hint: `look at it without --yes; its digest is ${digest}`,
    });
  }
  const prompt = await ctx.prompt();
  if (!prompt.interactive) {
    throw new TieupError('TIEUP_E_USAGE', '--yes is needed, because there is nobody to ask', {
      hint: `to sign exactly this: --yes ${digest}`,
    });
  }
  if (!(await prompt.confirm('Do the other holders see the same words, and do you want this?')))
    throw new TieupError('TIEUP_E_DECLINED', 'nothing was signed');
}

async function finish(ctx: Context, file: string, request: RootRequest): Promise<void> {
  await ctx.writeFile(file, renderRootRequest(request));
  const missing = missingHolders(request);
  const complete = missing.length === 0 && isComplete(request);
  const digest = missing.length === 0 ? requestDigest(request) : null;
  ctx.output.result('keys-sign', { file, missing, digest, complete }, () => {
    const text = rootRequestText(request);
    if (missing.length > 0)
      return `${text}\n${ctx.output.mark('waiting', `added your public keys; pass ${visible(file)} on to ${missing.map(visible).join(', ')}`)}\n`;
    const next = complete
      ? `at the main site:  tieup keys apply ${visible(file)}`
      : `pass ${visible(file)} on to the next holder`;
    return `${text}\n${ctx.output.mark('good', 'signed')}; ${next}\n`;
  });
}
