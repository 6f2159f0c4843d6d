/** The formats of access logs: by name, or as the server's own format string. */
import { TieupError } from '../errors.ts';
import { createJsonReader } from './json-reader.ts';
import type { LineReader } from './line.ts';
import type { TimeForm } from './log-time.ts';
import { compilePattern } from './pattern.ts';
import { createPatternReader, type Hop } from './pattern-reader.ts';
import { createW3cReader } from './w3c-reader.ts';

export interface LogFormat {
  /** `combined`; `custom` for a format string. */
  readonly name: string;
  /** What {@link compileFormat} makes it of. */
  readonly spec: string;
  /** True when lines such as `#Fields` say how the lines behind them are read. */
  readonly hasDirectives: boolean;
  readonly time: TimeForm;
  /** Microseconds in one unit of the log's durations. */
  readonly durationUnit: number;
  /** True when the server writes what a visitor sends as it is (nginx's `escape=none`): it can pass for fields of the server's. */
  readonly isRaw: boolean;
  /** The first field without quotes that a visitor can write blanks into, in the server's words. */
  readonly unquoted?: string | undefined;
  /** True for servers on which `/A` and `/a` are one file. */
  readonly ignoreCase: boolean;
  /** `directive` is the last {@link LineReader.directive} when reading goes on in the middle of a file. */
  createReader(directive?: string): LineReader;
}

/** The format strings of nginx's and Apache's documentation; one that ends like another and goes on comes first. */
const PATTERNS: Readonly<Record<string, string>> = {
  'nginx-main':
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"',
  combined: '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"',
  common: '%h %l %u %t "%r" %>s %b',
  'vhost-combined': '%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"',
};

const OTHERS: readonly Omit<LogFormat, 'spec' | 'hasDirectives' | 'isRaw'>[] = [
  {
    name: 'nginx-json',
    time: 'iso',
    durationUnit: 1_000_000,
    ignoreCase: false,
    createReader: () => createJsonReader('nginx'),
  },
  {
    name: 'caddy',
    time: 'iso',
    durationUnit: 1_000_000,
    ignoreCase: false,
    createReader: () => createJsonReader('caddy'),
  },
  {
    name: 'traefik',
    time: 'iso',
    durationUnit: 0.001,
    ignoreCase: false,
    createReader: () => createJsonReader('traefik'),
  },
  {
    name: 'iis',
    time: 'w3c',
    durationUnit: 1000,
    ignoreCase: true,
    createReader: (fields) => createW3cReader('iis', fields),
  },
  {
    name: 'cloudfront',
    time: 'w3c',
    durationUnit: 1_000_000,
    ignoreCase: false,
    createReader: (fields) => createW3cReader('cloudfront', fields),
  },
];

/** The names that {@link compileFormat} knows. */
export const FORMAT_NAMES: readonly string[] = [...Object.keys(PATTERNS), ...OTHERS.map(({ name }) => name)];

/**
 * The format for a name or for a server's `log_format` or `LogFormat` string.
 *
 * @param hop which of the addresses that proxies passed on is the visitor's; unless given, the server's own word, or the last of them
 * where that is all there is
 * @throws TIEUP_E_CONFIG for an unknown name, or a string which lacks the time or the request.
 */
export function compileFormat(spec: string, hop?: Hop): LogFormat {
  const other = OTHERS.find(({ name }) => name === spec);
  if (other !== undefined && hop !== undefined) {
    throw new TieupError('TIEUP_E_CONFIG', `forwarded is not for the format ${JSON.stringify(spec)}`, {
      hint: 'it is for formats of nginx and Apache with X-Forwarded-For in them; take it out of tieup.yaml',
    });
  }
  if (other !== undefined) return { ...other, spec, hasDirectives: other.time === 'w3c', isRaw: false };
  const named = PATTERNS[spec];
  if (named === undefined && !/[%$]/.test(spec)) {
    throw new TieupError('TIEUP_E_CONFIG', `there is no log format ${JSON.stringify(spec)}`, {
      hint: `use one of ${FORMAT_NAMES.join(', ')}, or the log_format or LogFormat of the web server`,
    });
  }
  const { pattern, time, durationUnit, unquoted } = compilePattern(named ?? spec, hop);
  return {
    name: named === undefined ? 'custom' : spec,
    spec,
    hasDirectives: false,
    time,
    durationUnit,
    isRaw: !pattern.isEscaped,
    unquoted,
    ignoreCase: false,
    createReader: () => createPatternReader(pattern),
  };
}
