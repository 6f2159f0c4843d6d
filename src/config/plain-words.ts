/** What a schema finds, in the words of the person who wrote the file. */
import { z } from 'zod';
import { nearest } from '../protocol/nearest.ts';

/** One thing that is wrong, with its place in the value. */
export interface Finding {
  readonly path: readonly (string | number)[];
  /** What to point at: the key itself, or its value. */
  readonly at: 'key' | 'value';
  /** A sentence that names the key. */
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** More known keys than these are no help in a message. */
const MAX_LISTED = 12;
const MAX_QUOTED = 60;

/** All findings of a failed parse that was given {@link plainIssue} as its error map, one for each unknown key. */
export function findings(issues: readonly Issue[]): Finding[] {
  return issues.flatMap((issue) => findingsOf(issue, []));
}

function findingsOf(issue: Issue, above: readonly (string | number)[]): Finding[] {
  const path = [...above, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message === '' ? [] : issue.message.split(' ');
    return issue.keys.map((key) => ({ path: [...path, key], at: 'key', message: unknownKey([...path, key], known) }));
  }
  if (issue.code === 'invalid_key') {
    const [first] = issue.issues;
    return [{ path, at: 'key', message: `${name(path)} ${first?.message ?? 'is not allowed as a key'}` }];
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const nested = fittingBranch(issue.errors);
    if (nested !== undefined) return nested.flatMap((inner) => findingsOf(inner, path));
  }
  return [{ path, at: 'value', message: `${name(path)} ${issue.message}${actual(issue)}` }];
}

/** The branch of a union whose kind of value was written; undefined when none fits at all. */
function fittingBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find((issues) =>
    issues.every((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'),
  );
}

function unknownKey(path: readonly (string | number)[], known: readonly string[]): string {
  const meant = nearest(String(path.at(-1)), known);
  if (meant !== undefined) return `unknown key ${name(path)} (did you mean \`${meant}\`?)`;
  const listed = known.length > 0 && known.length <= MAX_LISTED ? ` (known here: ${known.join(', ')})` : '';
  return `unknown key ${name(path)}${listed}`;
}

/** `site.values.city`, `tags[2]`; the whole file when the path is empty. */
function name(path: readonly (string | number)[]): string {
  if (path.length === 0) return 'the file';
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return `\`${text.replace(/^\./, '')}\``;
}

/** What stands there instead, and what may have been meant. */
function actual(issue: Issue): string {
  const { input } = issue;
  // A rule over several keys has their mapping as its input, which says nothing.
  if (input === undefined || (issue.code === 'custom' && typeof input === 'object')) return '';
  const words = issue.code === 'invalid_value' ? issue.values.filter((value) => typeof value === 'string') : [];
  const meant = typeof input === 'string' ? nearest(input, words) : undefined;
  return ` (it is ${describe(input)}${meant === undefined ? '' : `; did you mean ${meant}?`})`;
}

function describe(input: unknown): string {
  if (input === null) return 'empty';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a mapping';
  // YAML has no other scalars than these.
  if (typeof input !== 'string' && typeof input !== 'number' && typeof input !== 'boolean') return typeof input;
  const text = typeof input === 'string' ? JSON.stringify(input) : String(input);
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys and values',
  record: 'a mapping of keys and values',
  null: 'empty',
  never: 'left out',
};

const FORMATS: Readonly<Record<string, string>> = {
  url: 'must be an address such as https://shop.example/',
  date: 'must be a date such as 2026-11-23',
  datetime: 'must be a time such as 2026-11-23T22:00:00Z',
  email: 'must be an e-mail address',
};

/** The error map for `safeParse`: a predicate for every issue whose schema brings no message of its own. */
export function plainIssue(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      if (issue.input === undefined) return 'is missing';
      return issue.values.length === 1
        ? `must be ${String(issue.values[0])}`
        : `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must ${atLeast(issue.origin, Number(issue.minimum), issue.inclusive !== false)}`;
    case 'too_big':
      return `must ${atMost(issue.origin, Number(issue.maximum), issue.inclusive !== false)}`;
    case 'invalid_format':
      return FORMATS[issue.format] ?? 'has a form that is not allowed';
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      // Not a sentence: it carries the keys that the schema knows to `findings`, which writes one sentence a key.
      return issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape).join(' ') : '';
    case 'invalid_union':
      return issue.input === undefined ? 'is missing' : `must be ${unionOf(issue.errors)}`;
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return 'is not allowed here';
    default:
      return 'is not valid';
  }
}

function atLeast(origin: string, minimum: number, inclusive: boolean): string {
  if (origin === 'string') return minimum === 1 ? 'not be empty' : `have at least ${minimum} characters`;
  if (origin === 'array') return minimum === 1 ? 'not be an empty list' : `have at least ${minimum} entries`;
  return inclusive ? `be at least ${minimum}` : `be more than ${minimum}`;
}

function atMost(origin: string, maximum: number, inclusive: boolean): string {
  if (origin === 'string') return `have at most ${maximum} characters`;
  if (origin === 'array') return `have at most ${maximum} entries`;
  return inclusive ? `be at most ${maximum}` : `be less than ${maximum}`;
}

/** The kinds of value that the branches of a union take: `false or text`. */
function unionOf(branches: readonly (readonly Issue[])[]): string {
  const kinds = branches.flatMap((issues) =>
    issues.filter((issue) => issue.path.length === 0).map((issue) => issue.message.replace(/^must be /, '')),
  );
  const unique = [...new Set(kinds)];
  return unique.length === 0 ? 'something else' : unique.join(' or ');
}
