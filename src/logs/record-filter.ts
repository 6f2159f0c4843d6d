/** Filters for a part of a log: which records are disclosed, the others being counted. */
import { TieupError } from '../errors.ts';
import { isInstant } from '../protocol/instant.ts';
import type { LogRecord } from '../protocol/log-record.ts';

export interface FilterRequest {
  /** Conditions such as `status=404`, which all must hold. */
  readonly only: readonly string[];
  /** A day, `2026-11-01`, or an instant; the first that is wanted. */
  readonly from: string | undefined;
  /** The last day, or the instant before which records are wanted. */
  readonly to: string | undefined;
}

type Condition = (record: LogRecord) => boolean;

const FIELDS = ['class', 'page', 'method', 'path', 'status', 'host', 'agent', 'referrer', 'bot', 'signals'] as const;
type FilterField = (typeof FIELDS)[number];

/** What a value must look like where only few make sense: a mistyped one would choose nothing, and nobody would notice. */
const VALUES: Partial<Record<FilterField, { readonly whole: RegExp; readonly part: RegExp; readonly like: string }>> = {
  status: { whole: /^\d{3}$/, part: /^\d{1,3}$/, like: 'status=404, or status~40 for all that have it in them' },
  class: { whole: /^[TOXSG]$/, part: /^[TOXSG]$/, like: 'class=T; classes are T, O, X, S and G' },
};

const CONDITION = /^([a-z]+)(!?=|~)(.*)$/s;

/** @throws TIEUP_E_USAGE with what a filter looks like. */
export function compileFilter({ only, from, to }: FilterRequest): Condition {
  const conditions = only.map(compileCondition);
  if (from !== undefined) conditions.push(since(startOf(from, '--from', 'T00:00:00Z')));
  if (to !== undefined) conditions.push(before(endOf(to)));
  if (from !== undefined && to !== undefined) assertSpan(from, to);
  return (record) => conditions.every((holds) => holds(record));
}

function compileCondition(text: string): Condition {
  const [, name, operator, value] = CONDITION.exec(text) ?? [];
  const field = FIELDS.find((each) => each === name);
  if (field === undefined || value === undefined) {
    throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(text)} is no filter`, {
      hint: `write it like status=404, path~/shop or method!=GET; fields are ${FIELDS.join(', ')}`,
    });
  }
  const values = VALUES[field];
  if (values !== undefined && !values[operator === '~' ? 'part' : 'whole'].test(value)) {
    throw new TieupError('TIEUP_E_USAGE', `there is no ${field} ${JSON.stringify(value)}`, {
      hint: `write it like ${values.like}`,
    });
  }
  if (operator === '~') return (record) => valueOf(record, field).includes(value);
  return (record) => (valueOf(record, field) === value) === (operator === '=');
}

function valueOf(record: LogRecord, field: FilterField): string {
  if (field === 'status') return record.status === null ? '' : String(record.status).padStart(3, '0');
  return field === 'signals' ? record.signals.join(',') : record[field];
}

/** Records without a time belong to no span. */
function since(start: string): Condition {
  return ({ time }) => time !== '' && Date.parse(time) >= Date.parse(start);
}

function before(end: string): Condition {
  return ({ time }) => time !== '' && Date.parse(time) < Date.parse(end);
}

function startOf(text: string, flag: string, rest: string): string {
  const start = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}${rest}` : text;
  if (isInstant(start)) return start;
  throw new TieupError('TIEUP_E_USAGE', `${flag} ${JSON.stringify(text)} is neither a day nor an instant`, {
    hint: 'write 2026-11-01 or 2026-11-01T12:00:00Z; days are those of UTC',
  });
}

function assertSpan(from: string, to: string): void {
  if (Date.parse(startOf(from, '--from', 'T00:00:00Z')) < Date.parse(endOf(to))) return;
  throw new TieupError('TIEUP_E_USAGE', `nothing lies between --from ${from} and --to ${to}`, {
    hint: 'the first day comes first',
  });
}

/** A day ends when the next one begins. */
function endOf(text: string): string {
  const start = startOf(text, '--to', 'T00:00:00Z');
  return start === text ? text : new Date(Date.parse(start) + 86_400_000).toISOString();
}
