/** `tieup keys rotate ssh`. */
import type { MainSite } from '../../main-site/main-site.ts';
import { rotateSsh, type SshPartner } from '../../main-site/ssh-rotate.ts';
import type { Context } from '../command-context.ts';
import { visible } from '../visible.ts';

const WHAT: Readonly<Record<SshPartner['state'], string>> = {
  old: 'has to add the line',
  both: 'lets the new key in; has to remove the old line now',
  new: 'lets the new key in, and the old one no more',
  neither: 'lets none of the keys in: has to add the line',
  invited: 'was invited with the old key: invite it again',
  unreachable: 'cannot be asked',
};

export async function rotateSshKey(ctx: Context, site: MainSite): Promise<void> {
  const host = new URL(site.config.site.url).hostname;
  const { letsIn } = await ctx.mainDoctor();
  const rotation = await rotateSsh(site, { letsIn, makeKey: () => ctx.sshKey(`tieup@${host}`) });
  const { output } = ctx;
  output.result('keys-rotate-ssh', rotation, () => {
    const { kind, line, partners } = rotation;
    const rows = partners.map(({ partner, state, detail }) => {
      const mark = state === 'new' ? 'good' : state === 'both' ? 'warning' : 'waiting';
      return `  ${output.mark(mark, visible(partner))}: ${WHAT[state]}${detail === null ? '' : `: ${visible(detail)}`}`;
    });
    const again = `tieup keys rotate ssh --confirm ${host}`;
    const before = ['The line for authorized_keys of each partner, beside the old one:', `  ${visible(line)}`];
    switch (kind) {
      case 'begun':
        return [
          output.mark('added', 'made a new SSH key; the old one is used wherever the new one is not let in yet'),
          ...before,
          'Read its end to each of them by telephone when you send it by mail. Who has added it already, and the end of the matter:',
          `  ${again}\n`,
        ].join('\n');
      case 'waiting':
        return [
          output.mark('waiting', 'somebody still needs the old key, so it stays'),
          ...rows,
          ...before,
          `Then again:  ${again}\n`,
        ].join('\n');
      case 'done':
        return [
          output.mark('good', 'every partner lets the new key in; the old one was removed from this machine'),
          ...rows,
          'Where CI has the key in TIEUP_KEY_SSH, put the new one there.\n',
        ].join('\n');
    }
  });
}
