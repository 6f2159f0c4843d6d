import type { DocumentData } from '../documents/catalog.ts';
import { prove, type Proof } from '../../main-site/prove.ts';
import { EXIT, TieupError } from '../../errors.ts';
import type { Context } from '../command-context.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import type { Output } from '../output.ts';
import { byteCount } from '../quantity.ts';
import { visible } from '../visible.ts';

const MAX_PAGE = 50 * 1024 * 1024;

export const define: Define = (command, context) => {
  command
    .argument('<page>', 'a page, as in its address or its file')
    .requiredOption('-p, --partner <id>', 'at which partner')
    .option('--live', "look at the page at the partner's address")
    .option('--url <address>', 'look at the page at this address')
    .option('--file <path>', 'look at the page in this file')
    .addHelpText(
      'after',
      examples({
        'tieup prove rides --partner hostel':
          'what is the same everywhere, what was filled in, and whether it is as signed',
        'tieup prove rides --partner hostel --live': 'whether visitors get that',
      }),
    )
    .action(async (page, { partner, live, url, file }) => {
      const ctx = context();
      if ([live, url, file].filter((each) => each !== undefined).length > 1) {
        throw new TieupError('TIEUP_E_USAGE', '--live, --url and --file name different pages', {
          hint: 'give one of them',
        });
      }
      const read = reader(ctx, { live, url, file });
      const proof = await prove(await ctx.mainSite(), { page, partner, read });
      ctx.output.result('proof', describe(proof), () => proofText(ctx.output, proof));
      if (!proof.isAsSigned || proof.found?.match.kind === 'different' || (proof.found?.unclean.length ?? 0) > 0)
        ctx.endWith(EXIT.conflict);
    });
};

function reader(
  ctx: Context,
  { live, url, file }: { live?: true | undefined; url?: string | undefined; file?: string | undefined },
): ((address: string) => Promise<{ from: string; bytes: Uint8Array }>) | undefined {
  if (file !== undefined) return async () => ({ from: file, bytes: await ctx.readFile(file, MAX_PAGE) });
  if (live === undefined && url === undefined) return undefined;
  return async (address) => {
    const from = url ?? address;
    assertTrustworthy(from);
    const { status, body } = await ctx.fetch(from, MAX_PAGE);
    if (status !== 200)
      throw new TieupError('TIEUP_E_NOT_FOUND', `${from} was answered with ${status}`, {
        hint: 'it may be withheld, or not accepted yet: tieup status',
      });
    return { from, bytes: body };
  };
}

/** What anybody on the way could change proves nothing. */
function assertTrustworthy(address: string): void {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isLoopback = url?.protocol === 'http:' && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  if (url?.protocol === 'https:' || isLoopback) return;
  throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(address)} is no https address`, {
    hint: 'anybody on the way could change what comes over http: fetch the page on the server itself, then give it with --file',
  });
}

function describe(proof: Proof): DocumentData<'proof'> {
  const { found, ...rest } = proof;
  if (found === null) return { ...rest, found };
  const { match, ...read } = found;
  const slots =
    match.kind === 'equal'
      ? match.slots.map(({ name, isFilled, bytes }) => ({ name, isFilled, length: bytes.length }))
      : [];
  return {
    ...rest,
    found: { ...read, isEqual: match.kind === 'equal', difference: match.kind === 'equal' ? null : match, slots },
  };
}

function proofText(output: Output, proof: Proof): string {
  const { path, source, partner, release, since, found } = proof;
  const lines = [
    `${output.strong(visible(path))} at ${visible(partner)}, from ${visible(source)}`,
    `  the same everywhere: ${byteCount(proof.constantLength)}, SHA-256 ${proof.constantDigest}`,
    ...proof.holes.map(({ name, value }) => `  filled in: ${visible(name)} = ${visible(shortened(value))}`),
    ...proof.slots.map((name) => `  the partner's: slot ${visible(name)}`),
    proof.isAsSigned
      ? `  ${output.mark('good', 'as signed')} in release ${release}, unchanged since ${since}: SHA-256 ${proof.signedDigest}`
      : `  ${output.mark('bad', 'not as signed')}: the page, its template or a value changed here after release ${release}; push first`,
  ];
  if (found !== null) lines.push(...foundLines(output, found));
  return `${lines.join('\n')}\n`;
}

function foundLines(output: Output, { from, match, unclean }: NonNullable<Proof['found']>): readonly string[] {
  if (match.kind === 'different') {
    const place = `line ${match.line}, column ${match.column}`;
    return [
      `  ${output.mark('bad', `${visible(from)} is different`)}: ${visible(match.part)} is not there, at ${place}`,
    ];
  }
  const slots = match.slots.map(({ name, isFilled, bytes }) => {
    if (unclean.includes(name))
      return `    ${output.mark('bad', `slot ${visible(name)}`)}: holds what tieup would not have put there, and may hide the rest`;
    const what = isFilled ? `the partner's own, ${byteCount(bytes.length)}` : "the main site's words";
    return `    slot ${visible(name)}: ${what}`;
  });
  return [`  ${output.mark('good', `${visible(from)} has all of it`)}, from the first byte to the last`, ...slots];
}

function shortened(value: string): string {
  return value.length > 100 ? `${value.slice(0, 100)}…` : value;
}
