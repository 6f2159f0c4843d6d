import { playDemo } from '../demo-story.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { visible, visibleLines } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .option('--auto', 'end when the story is told; without it the sites stay up on a terminal until Ctrl-C')
    .addHelpText(
      'after',
      examples({ 'tieup demo': 'two sample sites, an SFTP server and a web server, all on this machine' }),
    )
    .action(async ({ auto }) => {
      const ctx = context();
      const { output } = ctx;
      const folder = await ctx.temporaryFolder('tieup-demo-');
      const end = await playDemo({
        ...ctx.demoStage(),
        folder,
        tree: await ctx.tree(folder),
        environment: ctx.environment,
        tell: (text) => output.styled(`\n${output.strong(`— ${text}`)}`),
        show: (line, text) => output.styled(`${output.faint(visible(line))}\n${indent(visibleLines(text))}`),
      });
      try {
        output.result(
          'demo',
          { folder, url: end.url, result: 'passed' },
          () => `\n${output.mark('good', 'the demo went as it should')}\n  everything it made is in ${folder}\n`,
        );
        if (auto !== true && ctx.canAsk) {
          output.message(`  the partner's site is at ${end.url} until you press Ctrl-C`);
          await ctx.interrupted();
        }
      } finally {
        await end.close();
      }
    });
};

function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
