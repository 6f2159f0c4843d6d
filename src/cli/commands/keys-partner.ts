/** The keys of a partner site: listed and rotated there, a new accept key trusted at the main site. */
import { resolve } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { TieupError } from '../../errors.ts';
import { pendingKeys, trustKeys } from '../../main-site/partner-key-change.ts';
import { asOwnRole, listOwnKeys, rotateOwnKey } from '../../partner-site/keys-rotate.ts';
import { newPassword, nobodyToAsk } from '../answers.ts';
import type { Context } from '../context.ts';
import { assertConfirmed } from '../key-folder.ts';
import { table } from '../table.ts';
import { visible } from '../visible.ts';

const ROLES = {
  accept: 'the manager’s: signs decisions',
  site: 'signs receipts, and decisions by policy',
  log: 'signs logs',
} as const;

export async function showPartnerKeys(ctx: Context): Promise<void> {
  const site = await ctx.partnerSite();
  const keys = await listOwnKeys(site);
  const { folder, config } = await ctx.partnerConfig();
  const files = await (await ctx.keyShelf(resolve(folder, config.folders.keys))).list();
  const rows = keys.map((key) => {
    const file = files.find(({ name }) => name === key.name);
    return { ...key, state: file?.state ?? (key.here ? 'variable' : 'missing'), fault: file?.fault ?? null };
  });
  ctx.output.result('site-keys', { keys: rows }, () =>
    table(
      ['key', 'role', 'kept', 'replaced', 'public'],
      rows.map(({ role, name, state, fault, replaced, vkey }) => [
        visible(name),
        ROLES[role],
        fault === null ? state : ctx.output.mark('bad', visible(fault)),
        String(replaced),
        visible(vkey),
      ]),
    ),
  );
}

export async function rotatePartnerKey(ctx: Context, key: string, confirm: string | undefined): Promise<void> {
  const role = asOwnRole(key);
  const site = await ctx.partnerSite();
  assertConfirmed(confirm, site.config.partner, `rotating the ${role} key`);
  const { name, seq, words, epoch } = await rotateOwnKey(site, role, (made) => newPassword(ctx, site.keys, made));
  const { output } = ctx;
  output.result('site-keys-rotate', { name, seq, words, epoch }, () => {
    const made = `${output.mark('added', `made the key ${name}; it signs from now on`)}\n`;
    if (words === null) {
      const logs =
        epoch === null
          ? ''
          : epoch === 'needed'
            ? 'The logs must begin anew with it, and their state was lost:  tieup logs new-epoch\n'
            : `Epoch ${epoch} of the access logs begins with it.\n`;
      return `${made}The main site takes it in by itself, with its next status or push.\n${logs}`;
    }
    return (
      `${made}The main site has to trust it: read these words to its operator, who runs tieup keys trust ${visible(site.config.partner)}:\n` +
      `  ${output.strong(words.join(' '))}\n`
    );
  });
}

export function defineTrust(keys: Command<[], { open?: true }>, context: () => Context): void {
  keys
    .command('trust')
    .description('Trusts the new accept key of a partner, after its manager has read six words to you.')
    .argument('<partner>', 'the id of the partner')
    .option('--yes <words>', 'the six words that the manager read to you, joined by blanks or dashes')
    .action(async (partner, { yes }) => trust(context(), partner, yes));
}

async function trust(ctx: Context, partner: string, yes: string | undefined): Promise<void> {
  const site = await ctx.mainSite();
  const pending = await pendingKeys(site, partner);
  if (pending === undefined) {
    throw new TieupError('TIEUP_E_NOT_FOUND', `${partner} has no new accept key that waits to be trusted`, {
      hint: 'its manager runs tieup keys rotate accept first; without the old key, a new invitation is needed',
    });
  }
  const words = pending.words.join(' ');
  if (yes === undefined) {
    ctx.output.message(
      `${partner} has a new accept key. Ask its manager to read the six words. They must be:\n  ${words}`,
    );
    const prompt = await ctx.prompt();
    if (!prompt.interactive) throw nobodyToAsk('--yes');
    if (!(await prompt.confirm('Are they the same?')))
      throw new TieupError('TIEUP_E_DECLINED', 'the words differ, so nothing was recorded');
  } else if (
    yes
      .trim()
      .split(/[\s-]+/)
      .join(' ') !== words
  ) {
    throw new TieupError('TIEUP_E_VERIFY', 'these are not the words of the new key, so nothing was recorded', {
      hint: 'if the manager reads other words to you, somebody else writes into its outbox: end the partnership and invite anew',
    });
  }
  await trustKeys(site, pending);
  ctx.output.result('keys-trust', { partner, accept: pending.keys.accept }, () => {
    return `${ctx.output.mark('good', `the new accept key of ${visible(partner)} is trusted`)}\n`;
  });
}
