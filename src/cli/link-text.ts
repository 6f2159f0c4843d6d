/** What leads nowhere, one line each with its place. */
import { formatProblem, type Problem } from '../errors.ts';
import type { LinkFinding } from '../main-site/check-links.ts';
import type { DeadLink } from '../merge/link-check.ts';
import type { Output } from './output.ts';
import { count } from './quantity.ts';
import { visible } from './visible.ts';

/** Of the main site's sources. */
export function linkFindingsText(output: Output, findings: readonly LinkFinding[]): string {
  const lines = findings.map(({ published, ...finding }) => {
    const [first = ''] = published;
    const more = published.length > 1 ? ` and ${published.length - 1} more` : '';
    return lineOf(output, finding, ` ${output.faint(`(${visible(first)}${more})`)}`);
  });
  return summed(output, lines);
}

/** Of a live tree. */
export function deadLinksText(output: Output, dead: readonly DeadLink[]): string {
  return summed(
    output,
    dead.map(({ path, ...each }) => lineOf(output, { file: path, ...each }, '')),
  );
}

function lineOf(output: Output, problem: Problem & Pick<DeadLink, 'kind'>, end: string): string {
  return `  ${output.mark('bad', problem.kind)} ${visible(formatProblem(problem))}${end}\n`;
}

function summed(output: Output, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `${output.mark('bad', count(lines.length, 'finding'))}: links, anchors, files or ids that are wrong\n${lines.join('')}`;
}
