/** `tieup keys create|rotate|renew|revoke`. */
import { Option } from '@commander-js/extra-typings';
import type { Command } from '@commander-js/extra-typings';
import { TieupError } from '../../errors.ts';
import { renewRoots, rotateDocument, rotateMaster, rotateRoot, type Rotation } from '../../main-site/keys-rotate.ts';
import type { MainSite } from '../../main-site/main-site.ts';
import { rootKeyName } from '../../main-site/partner-keys.ts';
import { ROOT_HOLDER } from '../../protocol/names.ts';
import { renderRootRequest } from '../../protocol/root-request.ts';
import { newPassword } from '../answers.ts';
import type { Context } from '../command-context.ts';
import { assertConfirmed, mainKeyFolder, mainSiteWith, ROOT_KEYS } from '../key-folder.ts';
import { count } from '../quantity.ts';
import { rootRequestText } from '../root-request-text.ts';
import { visible } from '../visible.ts';
import { rotatePartnerKey } from './keys-partner.ts';
import { rotateSshKey } from './keys-ssh.ts';

const OUT = 'roots.request';

export function defineRotation(keys: Command<[], { open?: true }>, context: () => Context): void {
  keys
    .command('create')
    .description('Makes the master of a root holder, on the machine where it stays.')
    .argument('<holder>', 'the name of the holder, as in tieup.yaml: alice')
    .option('--keys <folder>', 'where keys are; that of the site unless given')
    .action(async (holder, { keys: given }) => create(context(), holder, given));
  keys
    .command('rotate')
    .description('Replaces a key by a new one. main: root, release, online, document, ssh; partner: accept, site, log.')
    .argument('<key>', 'which key')
    .option('--confirm <name>', 'the host of the main site, or the id of the partner')
    .option('--holder <name>', 'root: whose key is replaced, when there are several holders')
    .option('--by <name>', 'root: the holder who takes the place')
    .option('--key <place>', 'accept: the new key, when your ssh-agent holds it: agent://SHA256:…')
    .option('--root-keys <folder>', ROOT_KEYS)
    .addOption(new Option('-o, --out <file>', 'where the request for other root holders goes').default(OUT))
    .action(async (name, { confirm, holder, by, key, rootKeys, out }) => {
      const ctx = context();
      if ((await ctx.role()) === 'partner') return rotatePartnerKey(ctx, name, confirm, key);
      const site = await confirmedSite(ctx, confirm, rootKeys, `rotating the ${name} key`);
      if (name === 'ssh') return rotateSshKey(ctx, site);
      await report(ctx, await rotate(site, name, holder, by), out);
    });
  keys
    .command('renew')
    .description('Signs roots anew with the keys and holders of now: later expiry, or the first root of a partner.')
    .argument('[partner...]', 'only these partners, by id or tag')
    .option('--root-keys <folder>', ROOT_KEYS)
    .addOption(new Option('-o, --out <file>', 'where the request for other root holders goes').default(OUT))
    .action(async (partners, { rootKeys, out }) => {
      const ctx = context();
      await report(ctx, await renewRoots(await mainSiteWith(ctx, rootKeys), partners), out);
    });
  keys
    .command('revoke')
    .description('Takes a root holder’s key out of every root, with nobody in its place.')
    .argument('<holder>', 'the name of the holder')
    .option('--confirm <host>', 'the host of the main site')
    .option('--root-keys <folder>', ROOT_KEYS)
    .addOption(new Option('-o, --out <file>', 'where the request for other root holders goes').default(OUT))
    .action(async (holder, { confirm, rootKeys, out }) => {
      const ctx = context();
      const site = await confirmedSite(ctx, confirm, rootKeys, `revoking the root key of ${holder}`);
      if (!site.config.roots.holders.includes(holder) && /^(?:release|online|document)/.test(holder)) {
        throw new TieupError(
          'TIEUP_E_USAGE',
          `nothing can be signed without ${holder}, so it is replaced, not revoked`,
          {
            hint: `run tieup keys rotate ${holder.replace(/-\d+$/, '')}; from then on no partner takes the one before`,
          },
        );
      }
      await report(ctx, await rotateRoot(site, { holder, by: null }), out);
    });
}

async function create(ctx: Context, holder: string, given: string | undefined): Promise<void> {
  if (!ROOT_HOLDER.test(holder)) {
    throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(holder)} cannot be the name of a holder`, {
      hint: 'use a-z, 0-9 and -',
    });
  }
  const folder = await mainKeyFolder(ctx, given);
  const store = await ctx.keyStore(folder);
  const name = rootKeyName(holder);
  await store.create(name, ctx.random(32), await newPassword(ctx, store, name));
  ctx.output.result(
    'keys-create',
    { name, folder },
    () =>
      `${ctx.output.mark('good', `made ${visible(name)} in ${visible(folder)}`)}\n` +
      `It signs nothing yet: name ${visible(holder)} under roots in the main site’s tieup.yaml, then tieup keys renew.\n`,
  );
}

async function confirmedSite(
  ctx: Context,
  confirm: string | undefined,
  rootKeys: string | undefined,
  what: string,
): Promise<MainSite> {
  const site = await mainSiteWith(ctx, rootKeys);
  assertConfirmed(confirm, new URL(site.config.site.url).hostname, what);
  return site;
}

async function rotate(
  site: MainSite,
  key: string,
  holder: string | undefined,
  by: string | undefined,
): Promise<Rotation> {
  switch (key) {
    case 'release':
    case 'online':
      return rotateMaster(site, key);
    case 'root':
      return rotateRoot(site, { holder, by });
    case 'document':
      return rotateDocument(site);
    default:
      throw new TieupError('TIEUP_E_USAGE', `a main site has no key ${JSON.stringify(key)} to rotate`, {
        hint: 'keys are root, release, online, document and ssh',
      });
  }
}

async function report(ctx: Context, rotation: Rotation, out: string): Promise<void> {
  const { output } = ctx;
  const made = rotation.made === null ? [] : [output.mark('added', `made the key ${rotation.made}`)];
  if (rotation.kind === 'needs-holders') {
    await ctx.writeFile(out, renderRootRequest(rotation.request));
    output.result('keys-rotate', { made: rotation.made, roots: [], request: out }, () =>
      [
        ...made,
        output.mark('waiting', `other holders must sign: pass ${visible(out)} on`),
        rootRequestText(rotation.request),
        `Each of them runs:  tieup keys sign ${visible(out)}`,
        `When enough have signed:  tieup keys apply ${visible(out)}\n`,
      ].join('\n'),
    );
    return;
  }
  const { roots } = rotation;
  output.result('keys-rotate', { made: rotation.made, roots, request: null }, () =>
    [
      ...made,
      ...(roots.length === 0 ? [] : [output.mark('good', `signed ${count(roots.length, 'new root')}`)]),
      ...(roots.length === 0 ? [] : ['Keep them in version control, then bring them to your partners:  tieup push']),
      '',
    ].join('\n'),
  );
}
