/**
 * Rules about requests: which look like attacks, which come from programs that say so. Set `t1`.
 *
 * A rule never changes within its set: a record says `t1/sql-injection`, and that must mean the same years later. They are
 * evaluated before anything is redacted, so that an attack stays visible when queries are dropped.
 */

import type { Line } from './line.ts';
import { decodePercent } from './percent.ts';

export const RULE_SET = 't1';

interface Rule {
  readonly id: string;
  /** Where it looks: the path of a request, its whole target, or the user agent and the referrer too. */
  readonly where: 'path' | 'target' | 'all';
  /** On the text as received and decoded. Linear in the text: a visitor writes it. */
  readonly pattern: RegExp;
  /** Three characters of which one group must occur for the rule to match; what makes clean lines cheap. */
  readonly anchors: readonly string[];
}

/** In the order in which a record names them. At most 8: they are bits of a byte. */
const RULES: readonly Rule[] = [
  {
    id: 'traversal',
    where: 'target',
    pattern: /(?:^|[/\\=])\.\.(?:[/\\;]|$)|\/etc\/passwd|\bboot\.ini\b|\/proc\/self\//i,
    anchors: ['/..', '\\..', '=..', '%2e', '.%2', '%5c', '%25', '%%3', '/et', '2fe', 'ot.', '/pr', '2fp'],
  },
  {
    id: 'sql-injection',
    where: 'all',
    pattern:
      /\bunion(?:\s|\+|\/\*\w{0,16}\*\/){1,8}(?:all[\s+]{1,8})?select\b|\bselect\b.{1,80}?\bfrom\b.{1,40}?(?:information_schema|sysibm|dual\b|pg_)|['")][\s+]{0,8}(?:or|and)[\s+]{1,8}['"(]?\w{1,32}['"]?[\s+]{0,8}=|\b(?:sleep|benchmark|pg_sleep|extractvalue|updatexml)\s{0,8}\(\s{0,8}['"\d(]|\bwaitfor[\s+]{1,8}delay\b/i,
    anchors: ['nio', 'lec', "'or", "' o", "'%2", "'an", "' a", '%27', '%22', 'eep', 'nch', 'tva', 'atx', 'itf', '%29'],
  },
  {
    id: 'script-injection',
    where: 'all',
    pattern:
      /<\s{0,8}(?:script|svg|img|iframe|body|object)\b|\bjavascript:\s{0,8}\w|[\s"'/+]on(?:error|load|mouseover|focus)\s{0,8}=/i,
    anchors: ['<sc', '<sv', '<im', '<if', '<bo', '<ob', '< s', '%3c', '<%2', '%25', 'vas', 'ror', 'oad', 'seo', 'ocu'],
  },
  {
    id: 'code-injection',
    where: 'all',
    pattern:
      /\$\{(?:jndi|lower|upper|env|::-)|\(\)\s{0,8}\{\s{0,8}[:_]|\ballow_url_include\b|\bauto_prepend_file\b|php:\/\/(?:input|filter)|\binvokefunction\b|\bclass\.module\.classloader\b|[;|&`]\s{0,8}(?:wget|curl|chmod|nc|bash|sh)(?:[\s+]|\$)/i,
    anchors: [
      '${j',
      '${l',
      '${u',
      '${e',
      '${:',
      '%24',
      '%7b',
      '() ',
      '(){',
      'w_u',
      'o_p',
      'hp:',
      'kef',
      's.m',
      'wge',
      'cur',
      'chm',
      ';nc',
      '; n',
      'bas',
      ';sh',
      '; s',
      '%3b',
      '%7c',
      '%26',
      '%60',
    ],
  },
  {
    id: 'scanner',
    where: 'path',
    pattern:
      /\/(?:\.(?:env|git|svn|hg|aws|ssh|htpasswd|htaccess|ds_store|vscode)\b|wp-(?:login|config|admin|includes|content\/plugins)\b|xmlrpc\.php|phpmyadmin|pma\b|phpinfo|phpunit|eval-stdin|cgi-bin\/|boaform|hnap1|actuator\b|owa\/auth|autodiscover\b|solr\/admin|manager\/html|_ignition|telescope\/requests|server-status\b|shell\.php)|\.(?:sql|bak|old)(?:\.gz|\.zip)?$/i,
    anchors: [
      '/.e',
      '/.g',
      '/.s',
      '/.h',
      '/.a',
      '/.d',
      '/.v',
      '/%2',
      '2f.',
      'wp-',
      'lrp',
      'pmy',
      'pma',
      'pin',
      'pun',
      'l-s',
      'cgi',
      'boa',
      'hna',
      'tua',
      'owa',
      'isc',
      'lr/',
      'r/h',
      '_ig',
      'pe/',
      'r-s',
      'l.p',
      '.sq',
      '.ba',
      '.ol',
      '%2e',
    ],
  },
];

/** A sign-in page of common systems; a refused POST to it is one try of a password. */
const LOGIN =
  /\/(?:wp-login\.php|xmlrpc\.php|(?:log|sign)-?in(?:\.\w{1,8})?|administrator(?:\/index\.php)?|admin|session|auth)\/?$/i;

/** Signals which are not found by a rule on text: noise instead of a request, a failed sign-in, a scanner by its name. */
export const SIGNAL = { noise: 1 << RULES.length, login: 2 << RULES.length, scannerAgent: 4 << RULES.length } as const;

const NAMES: readonly string[] = [...RULES.map(({ id }) => id), 'not-http', 'login-failed', 'scanner-agent'];

/** The record's field for a set of signals. */
export function signalText(signals: number): string {
  return NAMES.filter((_, bit) => (signals & (1 << bit)) !== 0)
    .map((name) => `${RULE_SET}/${name}`)
    .join(',');
}

/** No rule reads further than this: a bound on what a hostile line costs. */
const MAX_JUDGED = 4096;

/** Classes of characters in five bits: a letter of either case, `/`, `.`, `%`, a digit, marks that attacks need, all others. */
const CLASSES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const letter = byte | 0x20;
  if (letter >= 0x61 && letter <= 0x7a) return letter - 0x60;
  const mark = '/.%'.indexOf(String.fromCharCode(byte));
  if (mark >= 0) return 27 + mark;
  if (byte >= 0x30 && byte <= 0x39) return 30;
  return ' \'"()<>{};|&`$+\\='.includes(String.fromCharCode(byte)) ? 31 : 0;
});

/** For every three characters, by their classes, the rules of which a match may contain them. */
const TRIGRAMS = trigramsOf();
const FOR_ALL = RULES.reduce((bits, { where }, bit) => (where === 'all' ? bits | (1 << bit) : bits), 0);

/** Where a text is from: a request's target as received, or a user agent or referrer. */
export type Where = 'target' | 'all';

/**
 * The signals of `[start, end)` as bits. Most texts cost one table look-up for each byte: a rule is tried only when three
 * characters that it needs occur.
 */
export function signalsAt(line: Line, start: number, end: number, where: Where): number {
  const { bytes } = line;
  const stop = Math.min(end, start + MAX_JUDGED);
  let three = 0;
  let rules = 0;
  for (let at = start; at < stop; at++) {
    three = ((three << 5) | (CLASSES[bytes[at] ?? 0] ?? 0)) & 0x7fff;
    rules |= TRIGRAMS[three] ?? 0;
  }
  if (where === 'all') rules &= FOR_ALL;
  return rules === 0 ? 0 : matching(line.latin1(start, stop), rules);
}

/** Those of `rules` that match the text, as received or decoded. */
function matching(text: string, rules: number): number {
  const cut = text.indexOf('?');
  const path = cut < 0 ? text : text.slice(0, cut);
  let signals = 0;
  let [whole, paths] = [text, path];
  // Attackers encode twice.
  for (let spelling = 0; spelling < 3; spelling++) {
    for (let bit = 0; bit < RULES.length; bit++) {
      const rule = RULES[bit];
      if (rule === undefined || (rules & ~signals & (1 << bit)) === 0) continue;
      if (rule.pattern.test(rule.where === 'path' ? paths : whole)) signals |= 1 << bit;
    }
    const decoded = decodePercent(whole);
    if (decoded === whole) break;
    whole = decoded;
    paths = decodePercent(paths);
  }
  return signals;
}

/** True for the path of a sign-in page; a refused POST to it is {@link SIGNAL}.login. */
export function isLogin(path: string): boolean {
  return path.length <= 256 && LOGIN.test(path);
}

function trigramsOf(): Uint8Array {
  const table = new Uint8Array(1 << 15);
  RULES.forEach(({ anchors }, bit) => {
    for (const anchor of anchors) {
      let three = 0;
      for (const letter of anchor) three = (three << 5) | (CLASSES[letter.charCodeAt(0)] ?? 0);
      table[three] = (table[three] ?? 0) | (1 << bit);
    }
  });
  return table;
}
