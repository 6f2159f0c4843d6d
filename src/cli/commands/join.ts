import { Option } from '@commander-js/extra-typings';
import type { PartnerSiteConfig } from '../../config/partner-site.ts';
import { assertNoSite, join, openInvitation, planJoin, type OpenedInvitation } from '../../partner-site/join.ts';
import { MAX_INVITATION } from '../../protocol/invitation.ts';
import { KIT_FOLDER } from '../../partner-site/kit.ts';
import { compareWords, newPassword } from '../answers.ts';
import type { Context } from '../command-context.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { confirmHostKeys, findHostKeys, findSiteKeys, hostKeysText, type FoundHostKeys } from '../host-keys.ts';
import { askPlaces, joinedText } from '../join-text.ts';
import { jsonSchemaText } from '../json-schema-text.ts';
import { findKit } from '../kit-file.ts';
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
    .option(
      '--key <place>',
      'your accept key, when your ssh-agent holds it: agent://SHA256:…; made as a file unless given',
    )
    .option('-o, --out <file>', 'where to write the answer; <partner>.answer unless given')
    .option('--yes <words>', 'agree without being asked: the six words that the main site read to you')
    .addHelpText(
      'after',
      examples({
        'tieup join harbour.invitation': 'shows the terms, asks, makes your keys',
        'tieup join harbour.invitation --sftp sftp://main@shop.example/exchange': '',
        'tieup join harbour.invitation --site sftp://me@shop.example/home/me':
          'from a laptop: the site lies on that server',
      }),
    )
    .action(async (file, flags) => {
      const ctx = context();
      const opened = openInvitation(await ctx.readFile(file, MAX_INVITATION), ctx.clock.now());
      const { partner } = opened.invitation.terms;
      const kit = await findKit(ctx, opened.invitation, file, flags.kit);
      const { original, exchange } = flags;
      const folders = { original, slots: 'slots', exchange, public: flags.public, state: 'state', keys: 'keys' };
      const out = flags.out ?? `${partner}.answer`;
      await assertNoSite(await ctx.tree('.'));
      await agree(ctx, opened, flags.yes);

      const { sftp, url } = await askPlaces(ctx, flags);
      const hostKeys = await findHostKeys(ctx, sftp, flags.hostKey);
      ctx.output.message(hostKeysText(hostKeys));
      if (flags.yes === undefined) await confirmHostKeys(ctx, hostKeys);
      const site = await findSite(ctx, { address: sftp, keys: hostKeys });
      const ports = await ctx.newPartnerSite(folders, out, site);

      const request = {
        opened,
        sftp: { url: sftp, hostKeys: hostKeys.lines },
        url,
        site,
        publish: flags.publish,
        folders,
        kit,
        acceptInAgent: flags.key,
        schema: jsonSchemaText('partner-site'),
      };
      // Judged as a whole before anybody thinks of a password.
      await planJoin(ports, request);
      const makes = flags.key === undefined && !(await ports.keys.has('accept'));
      const password = makes ? await newPassword(ctx, ports.keys, 'accept') : undefined;
      const { digest, words, authorizedKey } = await join(ports, { ...request, password });
      const kitFiles = (kit?.files ?? []).map(({ path }) => `${KIT_FOLDER}/${path}`);
      const { lines, fingerprints, source } = hostKeys;
      ctx.output.result(
        'join',
        {
          partner,
          answer: out,
          words,
          digest,
          authorizedKey,
          hostKeys: lines,
          hostKeyFingerprints: fingerprints,
          hostKeySource: source,
          kit: kitFiles,
        },
        () => joinedText(ctx.output, { partner, out, exchange, kitFiles, digest, words, authorizedKey }),
      );
    });
};

/** The server of the site, written into tieup.yaml so that nobody has to name it again. */
async function findSite(
  ctx: Context,
  exchange: { readonly address: string; readonly keys: FoundHostKeys },
): Promise<PartnerSiteConfig['site']> {
  const url = ctx.siteAddress;
  return url === undefined ? undefined : { url, hostKeys: await findSiteKeys(ctx, url, exchange) };
}

async function agree(ctx: Context, { invitation, digest, words }: OpenedInvitation, yes?: string): Promise<void> {
  const { main } = invitation.terms;
  ctx.output.message(
    [
      `${visible(main.name)} (${visible(main.url)}) invites you to a partnership.`,
      termsText(invitation.terms),
      `The invitation is good until ${invitation.until}.`,
    ].join('\n'),
  );
  await compareWords(ctx, {
    reader: 'the main site',
    words,
    digest,
    yes,
    ask: 'Did the main site read these words, and do you agree to the terms?',
    otherwise: 'nothing was made',
    hint: 'if the main site read other words, somebody changed the file on its way: ask for it again, by another way',
  });
}
