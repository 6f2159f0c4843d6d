import { TieupError } from '../../errors.ts';
import { STATES, type PartnerState } from '../../main-site/partner-state.ts';
import { nearest } from '../../protocol/nearest.ts';
import { parseShard } from '../../protocol/shard.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { showMerged, showPartners, type FleetView } from '../fleet-status-text.ts';
import { given, parseNumber, requireDuration } from '../quantity.ts';
import { showSite } from '../site-status-text.ts';

const CONCURRENCY = 16;
const DEADLINE = '1m';
const EVERY = '1m';

export const define: Define = (command, context) => {
  command
    .argument('[partner...]', 'main site: only these partners, by id or tag')
    .option('--state <state...>', 'main site: only partners in these states')
    .option('--cached', 'main site: ask nobody, show what this machine knew last')
    .option('--shard <i/n>', 'main site: the i-th of n shares of the partners')
    .option('--merge <file...>', 'main site: join what status --json and push --json of other machines printed')
    .option('--watch', 'look again and again, until Ctrl-C')
    .option('--every <time>', 'with --watch: how long to wait in between', EVERY)
    .option('--concurrency <n>', 'main site: partners at a time', String(CONCURRENCY))
    .option('--deadline <time>', 'main site: cut off a partner that takes longer', DEADLINE)
    .addHelpText(
      'after',
      examples({
        'tieup status': 'main site: one line a partner; partner site: what is live and what waits',
        'tieup status --state failed rejected': 'main site: only where something is to be done',
        'tieup status --merge shard-*.json': 'main site: one table of what twenty machines found',
      }),
    )
    .action(async (partners, { state, cached, shard, merge, watch, every, concurrency, deadline }) => {
      const ctx = context();
      const states =
        state === undefined ? undefined : new Set(state.flatMap((each) => each.split(',')).map(parseState));
      if (merge !== undefined) {
        if (partners.length > 0 || cached === true || watch === true || shard !== undefined)
          throw new TieupError('TIEUP_E_USAGE', '--merge goes with --state alone: it asks nobody');
        return showMerged(ctx, merge, states);
      }
      const view: FleetView = {
        partners,
        states,
        cached: cached === true,
        shard: given(shard, parseShard),
        concurrency: parseNumber(concurrency, '--concurrency'),
        deadlineMs: requireDuration(deadline),
      };
      const pauseMs = requireDuration(every);
      const role = await ctx.role();
      for (;;) {
        await (role === 'main' ? showPartners(ctx, view) : showSite(ctx));
        if (watch !== true) return;
        ctx.output.message(`looked at ${ctx.clock.now().toISOString().slice(0, 19)}Z; again in ${every}`);
        await ctx.clock.sleep(pauseMs, ctx.interruption);
      }
    });
};

function parseState(text: string): PartnerState {
  const found = STATES.find((each) => each === text);
  if (found !== undefined) return found;
  const meant = nearest(text, STATES);
  throw new TieupError('TIEUP_E_USAGE', `there is no state ${JSON.stringify(text)}`, {
    hint: meant === undefined ? `states are: ${STATES.join(', ')}` : `did you mean ${JSON.stringify(meant)}?`,
  });
}
