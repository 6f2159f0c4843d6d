import { backUpKeys, restoreKeys } from '../../main-site/keys-backup.ts';
import { listKeys, type ListedKey } from '../../main-site/keys-list.ts';
import { MAX_KEY_BACKUP } from '../../protocol/key-backup.ts';
import type { Define } from '../define.ts';
import type { Context } from '../command-context.ts';
import { examples } from '../examples.ts';
import { mainKeyFolder } from '../key-folder.ts';
import { count } from '../quantity.ts';
import { table } from '../table.ts';
import { visible } from '../visible.ts';
import { defineCeremony } from './keys-ceremony.ts';
import { defineRotation } from './keys-rotate.ts';
import { defineTrust, showPartnerKeys } from './keys-partner.ts';

export const define: Define = (command, context) => {
  command
    .option('--open', 'open sealed keys as well, to show their fingerprints')
    .addHelpText(
      'after',
      examples({
        'tieup keys': 'what there is, and how long it lasts',
        'tieup keys rotate online --confirm northwind.example': 'a new key for CI, named in every partner’s root',
        'tieup keys backup keys.backup': 'one file to be kept in a safe place; it holds nothing that is not sealed',
      }),
    )
    .action(async ({ open }) => {
      const ctx = context();
      if ((await ctx.role()) === 'partner') return showPartnerKeys(ctx);
      const shelf = await ctx.keyShelf(await mainKeyFolder(ctx, undefined));
      show(ctx, await listKeys(await ctx.mainSite(), shelf, open === true));
    });
  defineRotation(command, context);
  defineCeremony(command, context);
  defineTrust(command, context);
  command
    .command('backup')
    .description('Writes all sealed keys, as they are, and the roots of all partners into one file.')
    .argument('<file>', 'where to write; keep it apart from this machine')
    .action(async (file) => {
      const ctx = context();
      const shelf = await ctx.keyShelf(await mainKeyFolder(ctx, undefined));
      const { bytes, keys, leftOut, roots } = await backUpKeys(await ctx.mainSite(), shelf);
      await ctx.writeFile(file, bytes);
      if (leftOut.length > 0) ctx.output.warning(`not sealed, so not in the backup: ${leftOut.join(', ')}`);
      ctx.output.result('keys-backup', { file, keys, leftOut, roots }, () => {
        const done = `${count(keys.length, 'key')} and ${count(roots, 'root')} in ${visible(file)}`;
        return `${ctx.output.mark('good', done)}\nIt opens with the password of the keys alone: keep that elsewhere.\n`;
      });
    });
  command
    .command('restore')
    .description('Puts back from a backup what is missing; overwrites nothing.')
    .argument('<file>', 'what tieup keys backup wrote')
    .action(async (file) => {
      const ctx = context();
      const shelf = await ctx.keyShelf(await mainKeyFolder(ctx, undefined));
      const restored = await restoreKeys(await ctx.mainSite(), shelf, await ctx.readFile(file, MAX_KEY_BACKUP));
      const { keys, roots, unchanged } = restored;
      ctx.output.result('keys-restore', restored, () => {
        const done = `restored ${count(keys.length, 'key')} and ${count(roots.length, 'root')}`;
        return `${ctx.output.mark('good', done)}; ${unchanged} were there already\n`;
      });
    });
};

function show({ output }: Context, keys: readonly ListedKey[]): void {
  output.result('keys', { keys }, () =>
    table(
      ['key', 'role', 'where', 'kept', 'roots until', 'fingerprint'],
      keys.map(({ name, role, where, state, fault, fingerprint, current, expires }) => [
        visible(name),
        current ? role : `${role} (replaced)`,
        visible(where),
        fault === null ? state : output.mark('bad', visible(fault)),
        expires?.slice(0, 10) ?? '-',
        fingerprint?.slice(0, 16) ?? '-',
      ]),
    ),
  );
}
