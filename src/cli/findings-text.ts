/** What `tieup doctor` found, a line each, and below it what mends it. */
import type { Finding } from '../report/finding.ts';
import type { Mark, Output } from './output.ts';
import { count } from './quantity.ts';
import { visible } from './visible.ts';

const MARKS: Readonly<Record<Finding['state'], Mark>> = { ok: 'good', warning: 'warning', problem: 'bad' };

export function findingsText(output: Output, findings: readonly Finding[]): string {
  return findings
    .map(({ state, check, message, fix }) => {
      const line = `${output.mark(MARKS[state], state.padEnd('warning'.length))} ${check}: ${visible(message)}\n`;
      return fix === null ? line : `${line}    ${output.faint('to mend it:')} ${visible(fix)}\n`;
    })
    .join('');
}

export function tallyText(output: Output, problems: number, warnings: number): string {
  if (problems > 0) return output.mark('bad', `${count(problems, 'problem')}, ${count(warnings, 'warning')}`);
  if (warnings > 0) return output.mark('warning', `no problem, ${count(warnings, 'warning')}`);
  return output.mark('good', 'all is well');
}
