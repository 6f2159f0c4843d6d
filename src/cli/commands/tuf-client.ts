/** The command line of https://github.com/theupdateframework/tuf-conformance/blob/main/CLIENT-CLI.md: exit 0 or 1. */
import { resolve } from 'node:path';
import { Argument } from '@commander-js/extra-typings';
import { TieupError } from '../../errors.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';

const MAX_ROOT = 512 * 1024;

export const define: Define = (command, context) => {
  command
    .requiredOption('--metadata-dir <folder>', 'where trusted metadata is kept')
    .option('--metadata-url <url>', 'where the repository has its metadata')
    .option('--target-name <path>', 'the target to download')
    .option('--target-dir <folder>', 'where downloaded targets are kept')
    .option('--target-base-url <url>', 'where the repository has its targets')
    .addArgument(new Argument('<action>', 'what to do').choices(['init', 'refresh', 'download']))
    .argument('[trusted-root]', 'for init: the root metadata to start from')
    .addHelpText(
      'after',
      examples({
        'tieup tuf-client --metadata-dir trusted init 1.root.json': 'start to trust a repository',
        'tieup tuf-client --metadata-dir trusted --metadata-url https://example.org/metadata refresh':
          'bring it up to date',
      }),
    )
    .action(async (action, trustedRoot, options) => {
      const ctx = context();
      const needed = (name: string, value: string | undefined): string => {
        if (value === undefined) throw new TieupError('TIEUP_E_USAGE', `tieup tuf-client ${action} needs ${name}`);
        return value;
      };
      const client = await ctx.tufClient(options.metadataDir);
      let target: string | null = null;
      if (action === 'init') {
        await client.init(await ctx.readFile(needed('the root to start from', trustedRoot), MAX_ROOT));
      } else if (action === 'refresh') {
        await client.refresh(needed('--metadata-url', options.metadataUrl));
      } else {
        target = await client.download({
          metadataUrl: needed('--metadata-url', options.metadataUrl),
          targetName: needed('--target-name', options.targetName),
          targetBaseUrl: needed('--target-base-url', options.targetBaseUrl),
          targetFolder: resolve(ctx.folder, needed('--target-dir', options.targetDir)),
        });
      }
      ctx.output.result('tuf-client', { action, target }, () => (target === null ? '' : `${target}\n`));
    });
};
