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

const CONDITION = /^([a-z]+)(!?=|~)(.*)$/s;

/** @throws TIEUP_E_USAGE with what a filter looks like. */
export function compileFilter({ only, from, to }: FilterRequest): Condition {
  const conditions = only.map(compileCondition);
  if (from !== undefined) conditions.push(since(startOf(from, '--from', 'T00:00:00Z')));
  if (to !== undefined) conditions.push(before(endOf(to)));
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

/** A day ends when the next one begins. */
function endOf(text: string): string {
  const start = startOf(text, '--to', 'T00:00:00Z');
  return start === text ? text : new Date(Date.parse(start) + 86_400_000).toISOString();
}
