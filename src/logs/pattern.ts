/**
 * The server's own format string, compiled to a pattern: nginx `log_format` (with `escape=`), Apache `LogFormat`.
 *
 * Sources: nginx ngx_http_log_module and its variables; Apache mod_log_config.
 */
import { TieupError } from '../errors.ts';
import { FIELD, type FieldName } from './line.ts';
import type { Hop, Pattern, PatternPiece } from './pattern-reader.ts';
import type { TimeForm } from './log-time.ts';
import { compileTime, FRACTIONS } from './strftime.ts';

/** A pattern and what its numbers mean. */
export interface CompiledPattern {
  readonly pattern: Pattern;
  readonly time: TimeForm;
  /** How many microseconds a unit of the duration is; `Infinity` never occurs. */
  readonly durationUnit: number;
  /** The first field that a visitor can write with blanks, without quotes around it: what it says there can pass for the fields behind it. */
  readonly unquoted: string | undefined;
}

/** What a field of the server's is. */
interface Meaning {
  readonly field: FieldName;
  readonly time?: TimeForm;
  readonly unit?: number;
  /** Literals which the server writes around the value. */
  readonly around?: readonly [string, string];
  /** True for values with `, ` (nginx: or ` : `) between them: of the servers that were tried, or of the proxies on the way. */
  readonly isList?: boolean;
  /** True for the addresses that proxies passed on, which a visitor may have begun. */
  readonly isForwarded?: boolean;
}

/** A meaning where it stands in a format: `$status`. */
interface Placed extends Meaning {
  readonly text: string;
}

/** A literal, or a field. */
type Token = string | Placed;

const IGNORED: Meaning = { field: 'ignored' };
const UPSTREAM: Meaning = { field: 'ignored', isList: true };
const FORWARDED: Meaning = { field: 'ip', isList: true, isForwarded: true };

/** The length of a time that always has the same one. */
const LENGTH_OF_TIME: Readonly<Record<string, number>> = { common: 26, 'iso-seconds': 25 };

const NGINX: Readonly<Record<string, Meaning>> = {
  remote_addr: { field: 'ip' },
  http_x_forwarded_for: FORWARDED,
  remote_user: { field: 'user' },
  time_local: { field: 'time', time: 'common' },
  time_iso8601: { field: 'time', time: 'iso-seconds' },
  msec: { field: 'time', time: 'seconds' },
  request: { field: 'request' },
  request_method: { field: 'method' },
  request_uri: { field: 'target' },
  uri: { field: 'path' },
  document_uri: { field: 'path' },
  args: { field: 'query' },
  query_string: { field: 'query' },
  server_protocol: { field: 'protocol' },
  status: { field: 'status' },
  body_bytes_sent: { field: 'bytes' },
  bytes_sent: { field: 'bytes' },
  http_referer: { field: 'referrer' },
  http_user_agent: { field: 'agent' },
  host: { field: 'host' },
  http_host: { field: 'host' },
  server_name: { field: 'host' },
  request_time: { field: 'duration', unit: 1_000_000 },
};

const APACHE: Readonly<Record<string, Meaning>> = {
  a: { field: 'ip' },
  h: { field: 'ip' },
  u: { field: 'user' },
  t: { field: 'time', time: 'common', around: ['[', ']'] },
  r: { field: 'request' },
  m: { field: 'method' },
  U: { field: 'path' },
  q: { field: 'query' },
  H: { field: 'protocol' },
  s: { field: 'status' },
  b: { field: 'bytes' },
  B: { field: 'bytes' },
  O: { field: 'bytes' },
  v: { field: 'host' },
  V: { field: 'host' },
  D: { field: 'duration', unit: 1 },
  T: { field: 'duration', unit: 1_000_000 },
};

/** Apache's fields with an argument, by `letter:argument` in lower case. */
const APACHE_ARGUMENTS: Readonly<Record<string, Meaning>> = {
  'a:c': { field: 'ip' },
  'i:x-forwarded-for': FORWARDED,
  'i:referer': { field: 'referrer' },
  'i:user-agent': { field: 'agent' },
  'i:host': { field: 'host' },
  't:sec': { field: 'time', time: 'seconds' },
  't:msec': { field: 'time', time: 'milliseconds' },
  't:usec': { field: 'time', time: 'microseconds' },
  'T:us': { field: 'duration', unit: 1 },
  'T:ms': { field: 'duration', unit: 1000 },
  'T:s': { field: 'duration', unit: 1_000_000 },
};

/**
 * Compiles a `log_format` or `LogFormat`, with or without its directive.
 *
 * @param hop which of the forwarded addresses is the visitor's, and that none else is; unless given, the last one where the format
 * has no other address
 * @throws TIEUP_E_CONFIG when the format has no time or no request, or two fields with nothing between them, or no forwarded
 * addresses where `hop` says which.
 */
export function compilePattern(spec: string, hop?: Hop): CompiledPattern {
  if (!/\$[\w{]/.test(spec)) return assemble(spec, apacheTokens(apacheText(spec)), { isEscaped: true, hop });
  const { text, isEscaped } = nginxText(spec);
  return assemble(spec, nginxTokens(text), { isEscaped, hop });
}

function nginxText(spec: string): { text: string; isEscaped: boolean } {
  const rest = /^\s*log_format\s+\S+\s+(?<rest>[\s\S]*?);?\s*$/.exec(spec)?.groups?.['rest'];
  const directive = rest ?? spec;
  const option = /^\s*escape=(?<how>default|json|none)\s+/.exec(directive);
  const text = option === null ? directive : directive.slice(option[0].length);
  return { text: withoutQuotes(text.trim(), rest !== undefined), isEscaped: option?.groups?.['how'] !== 'none' };
}

/** nginx joins the strings of a directive: `'…' "…"`. What is no directive may be of fields in double quotes: `"$request" "$status"`. */
function withoutQuotes(text: string, isDirective: boolean): string {
  const string = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/gs;
  const strings = [...text.matchAll(string)].map(([, single, double]) => single ?? double ?? '');
  const isQuoted = strings.length > 0 && text.replace(string, '').trim() === '';
  const areFields =
    !isDirective && text.startsWith('"') && strings.length > 1 && !strings.some((each) => each.includes('\\"'));
  const joined = isQuoted && !areFields ? strings.join('') : text;
  return joined.replace(/\\(["'\\t])/g, (_, escaped: string) => (escaped === 't' ? '\t' : escaped));
}

function apacheText(spec: string): string {
  const quoted = /^\s*(?:LogFormat|CustomLog\s+\S+)\s+"(?<text>(?:[^"\\]|\\.)*)"/i.exec(spec)?.groups?.['text'];
  const text = quoted ?? spec.trim();
  return text.replace(/\\(["\\])/g, '$1').replaceAll(String.raw`\t`, '\t');
}

function nginxTokens(text: string): Token[] {
  return tokensOf(text, /\$(?:\{(?<braced>\w+)\}|(?<name>\w+))/g, (groups) => {
    const name = groups['braced'] ?? groups['name'] ?? '';
    return NGINX[name] ?? (name.startsWith('upstream_') ? UPSTREAM : IGNORED);
  });
}

function apacheTokens(text: string): Token[] {
  const field = /%[!\d,<>]*(?:\{(?<argument>[^}]*)\})?[!\d,<>]*(?<letter>\^t[io]|[A-Za-z%])/g;
  return tokensOf(withOneTime(text), field, ({ argument, letter = '' }) => {
    if (letter === '%') return '%';
    if (argument === undefined) return APACHE[letter] ?? IGNORED;
    return APACHE_ARGUMENTS[`${letter}:${argument.toLowerCase()}`] ?? (letter === 't' ? ownTime(argument) : IGNORED);
  });
}

/**
 * A time that is written in several pieces becomes one, as in Apache's own example for fractions of a second:
 * `%{%d/%b/%Y %T}t.%{msec_frac}t %{%z}t`.
 */
function withOneTime(text: string): string {
  const piece = String.raw`%[<>]?\{(?:begin:|end:)?(?:msec_frac|usec_frac|[^}]*%[^}]*)\}[<>]?t`;
  return text.replace(new RegExp(`${piece}(?:[^%]*${piece})+`, 'g'), (pieces) => {
    const form = pieces.replace(new RegExp(piece, 'g'), (each) =>
      formOf(/\{(?<form>[^}]*)\}/.exec(each)?.groups?.['form'] ?? ''),
    );
    return `%{${form}}t`;
  });
}

/** The time of the request's beginning is what logs say otherwise; its end does as well. */
function formOf(argument: string): string {
  const form = argument.replace(/^(?:begin|end):/, '');
  return FRACTIONS[form] ?? form;
}

function ownTime(argument: string): Meaning {
  // Beside a time that is whole without it.
  if (Object.hasOwn(FRACTIONS, argument)) return IGNORED;
  const time = compileTime(formOf(argument));
  if (time !== undefined) return { field: 'time', time };
  throw new TieupError('TIEUP_E_CONFIG', `the time %{${argument}}t of this LogFormat cannot be read`, {
    hint: 'write %t, %{sec}t, or a form with the whole date and time to the second, such as %{%Y-%m-%dT%H:%M:%S%z}t',
  });
}

function tokensOf(
  text: string,
  field: RegExp,
  meaning: (groups: Record<string, string | undefined>) => string | Meaning,
): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (const match of text.matchAll(field)) {
    const found = meaning(match.groups ?? {});
    tokens.push(text.slice(at, match.index), typeof found === 'string' ? found : { ...found, text: match[0] });
    at = match.index + match[0].length;
  }
  tokens.push(text.slice(at));
  return tokens;
}

interface Reading {
  readonly isEscaped: boolean;
  readonly hop: Hop | undefined;
}

function assemble(spec: string, tokens: readonly Token[], { isEscaped, hop }: Reading): CompiledPattern {
  const literals: string[] = [''];
  const found: Placed[] = [];
  const add = (literal: string): void => {
    literals.push((literals.pop() ?? '') + literal);
  };
  for (const token of withWholeTargets(tokens)) {
    if (typeof token === 'string') add(token);
    else {
      add(token.around?.[0] ?? '');
      found.push(token);
      literals.push(token.around?.[1] ?? '');
    }
  }
  refuseUnusable(spec, found, literals, hop);
  const fields = withOneAddress(found, hop);
  const taken = new Set<FieldName>();
  const pieces = fields.map((meaning, index): PatternPiece => {
    const field = taken.has(meaning.field) ? 'ignored' : meaning.field;
    taken.add(field);
    const [before = '', after = ''] = [literals[index], literals[index + 1]];
    return {
      text: meaning.text,
      field: FIELD[field],
      quoted: before.endsWith('"') && after.startsWith('"'),
      length: lengthOf(meaning.time),
      isList: meaning.isList === true,
      after: Buffer.from(after),
    };
  });
  const isForwarded = fields.some(({ field, isForwarded: is }) => field === 'ip' && is === true);
  return {
    pattern: {
      before: Buffer.from(literals[0] ?? ''),
      pieces,
      isEscaped,
      hop: isForwarded ? (hop ?? 'last') : undefined,
    },
    time: fields.find(({ time }) => time !== undefined)?.time ?? 'common',
    durationUnit: fields.find(({ unit }) => unit !== undefined)?.unit ?? 1,
    unquoted: fields.find(({ text }, index) => isVisitors(text) && literals[index + 1]?.startsWith(' '))?.text,
  };
}

/** Headers, cookies, and paths that the server has decoded. */
function isVisitors(text: string): boolean {
  return /^\$\{?(?:http_|cookie_|uri\b|document_uri\b)|^%.*(?:\}[iC]|U)(?:%q)?$/.test(text);
}

/** A path with its query right behind it is a target: `%U%q`, `$uri$is_args$args`. */
function withWholeTargets(tokens: readonly Token[]): Token[] {
  const whole: Token[] = [];
  for (const token of tokens) {
    if (token === '') continue;
    const last = whole.at(-1);
    const isQuery = typeof token !== 'string' && (token.field === 'query' || /^\$\{?is_args/.test(token.text));
    if (isQuery && typeof last === 'object' && (last.field === 'path' || last.field === 'target'))
      whole.splice(-1, 1, { field: 'target', text: last.text + token.text });
    else whole.push(token);
  }
  return whole;
}

/** Forwarded addresses count where `hop` says so, or where there is no other one. */
function withOneAddress(fields: readonly Placed[], hop: Hop | undefined): readonly Placed[] {
  const isUsed = hop !== undefined || !fields.some(({ field, isForwarded }) => field === 'ip' && isForwarded !== true);
  return fields.map((each) =>
    each.field === 'ip' && (each.isForwarded === true) !== isUsed ? { ...each, field: 'ignored' } : each,
  );
}

function lengthOf(time: TimeForm | undefined): number {
  if (time === undefined) return 0;
  return typeof time === 'string' ? (LENGTH_OF_TIME[time] ?? 0) : time.length;
}

function refuseUnusable(
  spec: string,
  fields: readonly Placed[],
  literals: readonly string[],
  hop: Hop | undefined,
): void {
  const hint = 'copy the log_format or LogFormat from the configuration of the web server';
  const shown = JSON.stringify(spec.length > 120 ? `${spec.slice(0, 120)}…` : spec);
  const has = (...names: FieldName[]): boolean => fields.some(({ field }) => names.includes(field));
  if (!has('time')) throw new TieupError('TIEUP_E_CONFIG', `the log format ${shown} has no time`, { hint });
  if (!has('request', 'target', 'path')) {
    throw new TieupError('TIEUP_E_CONFIG', `the log format ${shown} does not say what was requested`, { hint });
  }
  if (hop !== undefined && !fields.some(({ isForwarded }) => isForwarded === true)) {
    throw new TieupError('TIEUP_E_CONFIG', `the log format ${shown} has no X-Forwarded-For`, {
      hint: 'take forwarded out of tieup.yaml, or let the server write $http_x_forwarded_for or %{X-Forwarded-For}i',
    });
  }
  // A host is told from the path behind it by its slash.
  const isApart = (literal: string, index: number): boolean =>
    literal !== '' || (fields[index]?.field === 'host' && ['target', 'path'].includes(fields[index + 1]?.field ?? ''));
  if (!literals.slice(1, -1).every(isApart)) {
    throw new TieupError('TIEUP_E_CONFIG', `the log format ${shown} has two fields with nothing between them`, {
      hint,
    });
  }
}
