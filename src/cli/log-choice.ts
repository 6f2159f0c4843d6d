/** Which records of the logs the flags of `logs export` and `logs show` choose. */
import { TieupError } from '../errors.ts';
import { compileFilter, type FilterRequest } from '../logs/record-filter.ts';
import type { ExportRequest } from '../partner-site/export-logs.ts';

/** A filter chooses from log T unless `log` says otherwise. @throws TIEUP_E_USAGE. */
export function disclosure(log: string | undefined, filter: FilterRequest): ExportRequest['disclose'] {
  if (log !== undefined && log !== 'T' && log !== 'O' && log !== 'all') {
    throw new TieupError('TIEUP_E_USAGE', `there is no log ${JSON.stringify(log)}`, { hint: 'use T, O or all' });
  }
  const isFiltered = filter.only.length > 0 || filter.from !== undefined || filter.to !== undefined;
  if (!isFiltered && log === undefined) return {};
  const selection = isFiltered
    ? ({ kind: 'records', isWanted: compileFilter(filter) } as const)
    : ({ kind: 'whole' } as const);
  return { ...(log !== 'O' ? { T: selection } : {}), ...(log === 'O' || log === 'all' ? { O: selection } : {}) };
}
