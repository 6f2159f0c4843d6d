/** What a pull of access logs did, for people and as data. */
import type { DocumentData } from './documents/catalog.ts';
import type { PullResult } from '../main-site/pull-logs.ts';
import type { Output } from './output.ts';
import { describeFailure } from './partner-results.ts';
import { count } from './quantity.ts';
import { visible } from './visible.ts';

type Pulled = Exclude<PullResult, { readonly kind: 'failed' }>;

export function describePull(each: PullResult): DocumentData<'logs-pull'>['partners'][number] {
  if (each.kind === 'failed') return describeFailure(each);
  const { kind, partner, pins, added, epoch, findings, audit, canaries, imported } = each;
  const { T, O, lines, pulledAt } = pins;
  const known = {
    epoch: pins.epoch,
    T: { size: T.size, root: T.root },
    O: { size: O.size, root: O.root },
    lines,
    pulledAt,
  };
  const failed = imported.kind === 'failed' ? { kind: imported.kind, message: imported.error.message } : imported;
  return { partner, result: kind, pins: known, added, newEpoch: epoch, findings, audit, canaries, imported: failed };
}

export function pullText(output: Output, each: PullResult): string {
  const partner = visible(each.partner);
  switch (each.kind) {
    case 'failed':
      return `${output.mark('bad', `${partner}: refused or not reached`)}\n`;
    case 'none':
      return `${output.mark('waiting', `${partner}: nothing exported yet`)}\n${details(each)}`;
    case 'unchanged':
      return `${output.mark('good', `${partner}: nothing new`)}\n${details(each)}`;
    case 'behind':
      return `${output.mark('waiting', `${partner}: cosigned again`)}, its next export goes on from there\n${details(each)}`;
    case 'pulled': {
      const { lines } = each.pins;
      const added = `${count(each.added.T, 'new record')} of tie-up pages, ${each.added.O} of its own`;
      const total = `${lines.T + lines.O + lines.X} lines = ${lines.T} + ${lines.O} + ${lines.X} unreadable`;
      return `${output.mark('good', `${partner}: verified and cosigned`)}, ${added}; in all ${total}\n${details(each)}`;
    }
  }
}

function details({ epoch, audit, canaries, imported }: Pulled): string {
  const lines: string[] = [];
  if (epoch !== null) {
    const reason = epoch.reason === null ? '' : `: ${visible(epoch.reason)}`;
    lines.push(`epoch ${epoch.epoch} of its logs has begun, by its manager${reason}`);
  }
  if (audit.shown > 0) lines.push(`${count(audit.shown, 'record')} that had only been counted were shown, as demanded`);
  if (audit.demanded > 0)
    lines.push(`${count(audit.demanded, 'record')} of its own pages are to be shown with the next export`);
  for (const each of audit.unjudged) lines.push(`not judged: ${visible(each)}`);
  for (const [month, visits] of Object.entries(canaries)) {
    lines.push(`${month}: ${count(visits, 'visit')} of your own in its log, to be deducted`);
  }
  if (imported.kind === 'imported' && imported.records > 0) lines.push(`${count(imported.records, 'record')} imported`);
  return lines.map((line) => `  ${line}\n`).join('');
}

/** What a person must see: a finding refuses nothing, and must not pass unnoticed either. */
export function tellFindings(output: Output, results: readonly PullResult[]): void {
  for (const each of results) {
    if (each.kind === 'failed') continue;
    for (const { kind, message } of each.findings) output.warning(`${each.partner}: ${message} (${kind})`);
    if (each.imported.kind === 'failed') {
      output.warning(`${each.partner}: pulled, but not imported: ${each.imported.error.message}`);
    }
  }
  if (results.some((each) => each.kind === 'pulled' && each.imported.kind === 'off')) {
    output.message('the hits were not imported: DuckDB is not installed (npm install @duckdb/node-api)');
  }
}
