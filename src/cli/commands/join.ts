import { join, openInvitation, type OpenedInvitation } from '../../partner-site/join.ts';
import { MAX_INVITATION } from '../../protocol/invitation.ts';
import { KIT_FOLDER, openKitOf, type OpenedKit } from '../../partner-site/kit.ts';
import { MAX_KIT } from '../../protocol/kit.ts';
import { isTieupError, TieupError } from '../../errors.ts';
import { Option } from '@commander-js/extra-typings';
import type { Define } from '../define.ts';
import { answer, newPassword, nobodyToAsk } from '../answers.ts';
import type { Context } from '../context.ts';
import { examples } from '../examples.ts';
import { jsonSchemaText } from '../json-schema-text.ts';
import { kitFileFor } from '../kit-file.ts';
import { count } from '../quantity.ts';
import { termsText } from '../terms-text.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .argument('<invitation>', 'the file that the main site sent')
    .option('--sftp <address>', 'where the main site reaches the exchange folder: sftp://user@host:port/path')
    .option('--host-key <line...>', 'host keys of that server; asked from it unless given')
    .option('--url <address>', 'the address of your site')
    .addOption(
      new Option('--publish <how>', 'how a release goes live')
        .choices(['link', 'overwrite'] as const)
        .default('link' as const),
    )
    .option('--public <folder>', 'the web root', 'public')
    .option('--original <folder>', 'your own pages; in-place when they live in the web root already', 'original')
    .option('--exchange <folder>', 'where the main site writes and reads', 'exchange')
    .option('--kit <file>', 'the kit that came with the invitation; looked for beside it unless given')
    .option('--no-kit', 'join without the kit')
    .option('-o, --out <file>', 'where to write the answer; <partner>.answer unless given')
    .option('--yes <words>', 'agree without being asked: the six words of the invitation')
    .addHelpText(
      'after',
      examples({
        'tieup join harbour.invitation': 'shows the terms, asks, makes your keys',
        'tieup join harbour.invitation --sftp sftp://main@shop.example/exchange': '',
      }),
    )
    .action(async (file, flags) => {
      const ctx = context();
      const opened = openInvitation(await ctx.readFile(file, MAX_INVITATION), ctx.clock.now());
      const kit = await findKit(ctx, opened, file, flags.kit);
      showInvitation(ctx, opened);
      await agree(ctx, opened, flags.yes);
      const sftp = await answer(ctx, {
        flag: '--sftp',
        given: flags.sftp,
        ask: 'Address for the main site’s SFTP login',
        suggestion: 'sftp://main@shop.example/exchange',
      });
      const url = await answer(ctx, { flag: '--url', given: flags.url, ask: 'Address of your site' });
      const hostKeys = flags.hostKey ?? (await ctx.scanHostKey(sftp));
      const folders = {
        original: flags.original,
        slots: 'slots',
        exchange: flags.exchange,
        public: flags.public,
        state: 'state',
        keys: 'keys',
      };
      const ports = await ctx.newPartnerSite(folders);
      const password = (await ports.keys.has('accept')) ? undefined : await newPassword(ctx, ports.keys, 'accept');
      const joined = await join(ports, {
        opened,
        sftp: { url: sftp, hostKeys },
        url,
        publish: flags.publish,
        folders,
        kit,
        password,
        schema: jsonSchemaText('partner-site'),
      });
      const { partner } = opened.invitation.terms;
      const out = flags.out ?? `${partner}.answer`;
      await ctx.writeFile(out, joined.answer);
      const { words, authorizedKey } = joined;
      const kitFiles = (kit?.files ?? []).map(({ path }) => `${KIT_FOLDER}/${path}`);
      ctx.output.result('join', { partner, answer: out, words, authorizedKey, hostKeys, kit: kitFiles }, () =>
        [
          ctx.output.mark('good', `this folder is now the partner site "${visible(partner)}"`),
          ...(kit === undefined
            ? []
            : [`To build pages of your own in its spirit: ${count(kitFiles.length, 'file')} in ${KIT_FOLDER}/`]),
          '',
          `1. Let the main site’s login in: put this line into the file authorized_keys of its account on your server.`,
          `   ${visible(authorizedKey)}`,
          `   That account needs a user id of its own, and write permission for ${visible(flags.exchange)}/inbox alone.`,
          `2. Send ${visible(out)} to the main site.`,
          `3. Read these six words to the main site; it must see the same:`,
          `   ${ctx.output.strong(words.join(' '))}`,
          `4. When it has pushed:  tieup accept\n`,
        ].join('\n'),
      );
    });
};

/** Verified before anything else is asked or made. */
async function findKit(
  ctx: Context,
  { invitation }: OpenedInvitation,
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

function showInvitation({ output }: Context, { invitation, words }: OpenedInvitation): void {
  output.message(
    [
      `${invitation.terms.main.name} (${invitation.terms.main.url}) invites you to a partnership.`,
      termsText(invitation.terms),
      `Let the main site read its six words to you. They must be:\n  ${words.join(' ')}`,
    ].join('\n'),
  );
}

/** The words are the digest's, so a script may name either. */
async function agree(ctx: Context, { words }: OpenedInvitation, yes: string | undefined): Promise<void> {
  const expected = words.join('-');
  if (yes !== undefined) {
    if (
      yes
        .trim()
        .split(/[\s-]+/)
        .join('-') === expected
    )
      return;
    throw new TieupError('TIEUP_E_VERIFY', 'these are not the words of this invitation, so nothing was made', {
      hint: 'ask the main site for its words again; if they differ, somebody changed the file on its way',
    });
  }
  const prompt = await ctx.prompt();
  if (!prompt.interactive) throw nobodyToAsk('--yes');
  if (!(await prompt.confirm('Are the words the same, and do you agree to the terms?'))) {
    throw new TieupError('TIEUP_E_DECLINED', 'you did not agree, so nothing was made');
  }
}
