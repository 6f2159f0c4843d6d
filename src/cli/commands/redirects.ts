import { Option } from '@commander-js/extra-typings';
import { renderRedirects, WEB_SERVERS } from '../../merge/redirects.ts';
import { redirects } from '../../partner-site/redirects.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { count } from '../quantity.ts';

export const define: Define = (command, context) => {
  command
    .addOption(new Option('-s, --server <name>', 'for which web server').choices(WEB_SERVERS).makeOptionMandatory())
    .addHelpText(
      'after',
      examples({
        'tieup redirects --server nginx > /etc/nginx/tieup-redirects.conf': 'then include it in the server block',
        'tieup redirects --server apache': '',
      }),
    )
    .action(async ({ server }) => {
      const ctx = context();
      const found = await redirects(await ctx.partnerSite());
      const rules = renderRedirects(found.redirects, server);
      ctx.output.result('redirects', { ...found, server, rules }, () => rules);
      ctx.output.message(`${count(found.redirects.length, 'redirect')} of release ${found.release}`);
    });
};
