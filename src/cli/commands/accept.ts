import { accept, type AcceptResult, type Answering } from '../../partner-site/accept.ts';
import { signPolicy } from '../../partner-site/policy.ts';
import type { Review } from '../../partner-site/review.ts';
import { EXIT, TieupError } from '../../errors.ts';
import { acceptUnattended } from '../accept-unattended.ts';
import type { Define } from '../define.ts';
import { ACCEPT_KEY } from '../key-folder.ts';
import { parseChoices } from '../choices.ts';
import type { Context } from '../command-context.ts';
import { examples } from '../examples.ts';
import { chooseForConflicts } from '../choose-for-conflicts.ts';
import { describeReview, reviewText } from '../review-text.ts';
import { describeWentLive, handedOverText, renderWentLive } from '../went-live.ts';

interface Flags {
  readonly yes?: string;
  readonly auto?: true;
  readonly diff?: true;
  readonly signPolicy?: true;
  readonly key?: string;
  readonly choose?: string[];
}

export const define: Define = (command, context) => {
  command
    .option('--yes <release-digest>', 'accept exactly this release without being asked')
    .option('--auto', 'accept what your signed policy allows, for cron')
    .option('--diff', 'show what changes in the text of every page')
    .option('--choose <path=choice...>', 'for a conflict: keep-mine, take-theirs or rename:<new path>')
    .option('--key <place>', ACCEPT_KEY)
    .option('--sign-policy', 'sign what tieup.yaml says under auto, for --auto, and accept nothing now')
    .addHelpText(
      'after',
      examples({
        'tieup accept': 'shows what changes, asks, publishes',
        'tieup accept --diff': 'the same with the text of every change',
        'tieup accept --auto --quiet': 'in a cron job: within the policy that you signed; prints what is for you, once',
      }),
    )
    .action((flags: Flags) =>
      flags.signPolicy === true ? sign(context(), flags.key) : acceptRelease(context(), flags),
    );
};

async function acceptRelease(ctx: Context, flags: Flags): Promise<void> {
  const site = await ctx.partnerSite(flags.key);
  let shown: Review | undefined;
  const show = async (review: Review): Promise<void> => {
    shown = review;
    ctx.output.styled(reviewText(ctx.output, review));
    if (flags.diff !== true) return;
    // Only here: the parser and the comparison that it brings along take time to load.
    const { pageDiffs } = await import('../page-diffs.ts');
    for (const text of await pageDiffs(ctx.output, site, review)) ctx.output.styled(text);
  };
  const request = { answering: await answering(ctx, flags, show), choices: parseChoices(flags.choose ?? []) };
  const isUnattended = flags.auto === true && ctx.output.quiet && !ctx.output.json;
  const result = isUnattended ? await acceptUnattended(ctx, site, request) : await accept(site, request);
  if (result !== undefined) report(ctx, result, shown);
}

function report(ctx: Context, result: AcceptResult, shown: Review | undefined): void {
  const review = shown === undefined ? {} : { review: describeReview(shown) };
  switch (result.kind) {
    case 'nothing-new':
      return ctx.output.result(
        'accept',
        { result: result.kind, release: result.release },
        () => `${ctx.output.mark('good', `nothing new: release ${result.release} is live`)}\n`,
      );
    case 'declined':
      throw new TieupError('TIEUP_E_DECLINED', `release ${result.release} was not accepted, nothing changed`, {
        hint: 'to tell the main site why: tieup reject --reason "…"',
      });
    case 'left-to-the-manager':
      ctx.endWith(EXIT.declined);
      return ctx.output.result(
        'accept',
        { result: result.kind, release: result.release, reasons: result.reasons, ...review },
        () =>
          [
            `${ctx.output.mark('waiting', `release ${result.release} waits for the manager`)}:`,
            ...result.reasons.map((reason) => `  ${reason}`),
            '',
          ].join('\n'),
      );
    case 'handed-over':
      return ctx.output.result('accept', { result: result.kind, release: result.decision.release, ...review }, () =>
        handedOverText(ctx.output),
      );
    case 'live':
      return ctx.output.result('accept', { result: result.kind, ...describeWentLive(result.wentLive), ...review }, () =>
        renderWentLive(ctx.output, result.wentLive),
      );
  }
}

async function answering(
  ctx: Context,
  { yes, auto }: Flags,
  show: (review: Review) => Promise<void>,
): Promise<Answering> {
  if (yes !== undefined && auto === true) throw new TieupError('TIEUP_E_USAGE', '--yes and --auto exclude each other');
  if (auto === true) return { kind: 'policy', show };
  if (yes !== undefined) return { kind: 'digest', releaseDigest: yes.toLowerCase(), show };
  const prompt = await ctx.prompt();
  return {
    kind: 'ask',
    choose: (conflicts) => chooseForConflicts(ctx.output, prompt, conflicts),
    async ask(review) {
      await show(review);
      if (!prompt.interactive) {
        throw new TieupError('TIEUP_E_USAGE', 'there is nobody to ask', {
          hint: `to accept this release: tieup accept --yes ${review.opened.releaseDigest}`,
        });
      }
      const isOurs = review.opened.terms.publisher === 'partner';
      return prompt.confirm(isOurs ? 'Accept it and publish now?' : 'Accept it, so that the main site publishes it?');
    },
  };
}

async function sign(ctx: Context, key: string | undefined): Promise<void> {
  const policy = await signPolicy(await ctx.partnerSite(key));
  const limit = (number: number | null) => (number === null ? 'any number of' : `at most ${number}`);
  ctx.output.result('policy', { ...policy }, () =>
    [
      ctx.output.mark('good', `signed: tieup accept --auto may accept releases until ${policy.until.slice(0, 10)}`),
      `  ${limit(policy.maxChanged)} new or changed files, ${limit(policy.maxRemoved)} removed ones`,
      '  never the first release, changed terms, scripts, or a page in place of yours\n',
    ].join('\n'),
  );
}
