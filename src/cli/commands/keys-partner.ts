/** The keys of a partner site: listed and rotated there, a new accept key trusted at the main site. */
import { resolve } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { TieupError } from '../../errors.ts';
import { pendingKeys, trustKeys } from '../../main-site/partner-key-change.ts';
import { asOwnRole, listOwnKeys, rotateOwnKey } from '../../partner-site/keys-rotate.ts';
import { compareWords, newPassword, READ_BY_MANAGER, wordLines } from '../answers.ts';
import type { Context } from '../command-context.ts';
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

export async function rotatePartnerKey(
  ctx: Context,
  key: string,
  confirm: string | undefined,
  inAgent: string | undefined,
): Promise<void> {
  const role = asOwnRole(key);
  const site = await ctx.partnerSite();
  assertConfirmed(confirm, site.config.partner, `rotating the ${role} key`);
  const { name, seq, words, digest, epoch } = await rotateOwnKey(site, role, {
    passwordFor: (made) => newPassword(ctx, site.keys, made),
    inAgent,
  });
  const { output } = ctx;
  output.result('site-keys-rotate', { name, seq, words, digest: words === null ? null : digest, epoch }, () => {
    const what = inAgent === undefined ? `made the key ${name}` : `took the key of the ssh-agent as ${name}`;
    const made = `${output.mark('added', `${what}; it signs from now on`)}\n`;
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
      `${made}The main site has to trust it: its operator runs tieup keys trust ${visible(site.config.partner)}, which shows what the\n` +
      `six words must be. By telephone, read them out:\n${wordLines(words, digest, output).join('\n')}\n`
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
  const { words, digest } = pending;
  ctx.output.message(`${partner} has a new accept key.`);
  await compareWords(ctx, {
    ...READ_BY_MANAGER,
    words,
    digest,
    yes,
    hint: 'if the manager reads other words to you, somebody else writes into its outbox: end the partnership and invite anew',
  });
  await trustKeys(site, pending);
  ctx.output.result('keys-trust', { partner, accept: pending.keys.accept }, () => {
    return `${ctx.output.mark('good', `the new accept key of ${visible(partner)} is trusted`)}\n`;
  });
}
