/**
 * Rules about requests: which look like attacks, which come from programs that say so. Set `t1`.
 *
 * A rule never changes within its set: a record says `t1/sql-injection`, and that must mean the same years later. They are
 * evaluated before anything is redacted, so that an attack stays visible when queries are dropped.
 */

export const RULE_SET = 't1';

interface Rule {
  readonly id: string;
  /** Where it looks: the request's target as received, or the user agent and the referrer too. */
  readonly where: 'target' | 'all';
  /** On the text as received and once decoded. */
  readonly pattern: RegExp;
  /** Three letters of which one must occur, in whatever case, for the rule to match; what makes clean lines cheap. */
  readonly anchors: readonly string[];
}

/** In the order in which a record names them. At most 30: they are bits of a number. */
const RULES: readonly Rule[] = [
  {
    id: 'traversal',
    where: 'target',
    pattern: /(?:^|[/\\=])\.\.(?:[/\\;]|$)|\/etc\/passwd|\bboot\.ini\b|\/proc\/self\//i,
    anchors: ['../', '..\\', '..;', '..%', '%2e', '%5c', '%25', '/..', '=..', 'etc', 'boo', 'pro'],
  },
  {
    id: 'sql-injection',
    where: 'all',
    pattern:
      /\bunion(?:\s|\+|\/\*.*?\*\/)+(?:all(?:\s|\+)+)?select\b|\bselect\b.{1,80}?\bfrom\b.{1,40}?(?:information_schema|sysibm|dual\b|pg_)|['")](?:\s|\+)*(?:or|and)(?:\s|\+)+['"(]?\w+['"]?(?:\s|\+)*=|\b(?:sleep|benchmark|pg_sleep|extractvalue|updatexml)\s*\(\s*['"\d(]|\bwaitfor(?:\s|\+)+delay\b/i,
    anchors: [
      'uni',
      'sel',
      "'or",
      "' o",
      "'+o",
      "'%2",
      "'an",
      "' a",
      "'+a",
      '%27',
      '%22',
      '"or',
      '" o',
      ')or',
      ') o',
      ')an',
      ') a',
      'sle',
      'ben',
      'pg_',
      'ext',
      'upd',
      'wai',
      '%29',
      ')+o',
      ')+a',
      '"+o',
      '"an',
      '" a',
      '"+a',
      '"%2',
      ')%2',
    ],
  },
  {
    id: 'script-injection',
    where: 'all',
    pattern: /<\s*(?:script|svg|img|iframe|body|object)\b|\bjavascript:\s*\w+|\bon(?:error|load|mouseover|focus)\s*=/i,
    anchors: [
      '<sc',
      '<sv',
      '<im',
      '<if',
      '<bo',
      '<ob',
      '%3c',
      '< s',
      '< i',
      '<%2',
      '%25',
      'jav',
      'one',
      'onl',
      'onm',
      'onf',
    ],
  },
  {
    id: 'code-injection',
    where: 'all',
    pattern:
      /\$\{(?:jndi|lower|upper|env|::-)|\(\)\s*\{\s*[:_]|\ballow_url_include\b|\bauto_prepend_file\b|php:\/\/(?:input|filter)|\binvokefunction\b|\bclass\.module\.classloader\b|[;|&`]\s*(?:wget|curl|chmod|nc|bash|sh)\b(?:\s|\+|\$)/i,
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
      'all',
      'aut',
      'php',
      'inv',
      'cla',
      'wge',
      'cur',
      'chm',
      ';nc',
      '|nc',
      '; n',
      'bas',
      ';sh',
      '|sh',
      '`sh',
      '; s',
      '%3b',
      '%7c',
      '%26',
      '%60',
      '&nc',
      '&sh',
      '`nc',
      '| s',
      '| n',
    ],
  },
  {
    id: 'scanner',
    where: 'target',
    pattern:
      /^\/+(?:[^?]*\/)?(?:\.(?:env|git|svn|hg|aws|ssh|htpasswd|htaccess|ds_store|vscode)\b|wp-(?:login|config|admin|includes|content\/plugins)\b|xmlrpc\.php|phpmyadmin|pma\b|phpinfo|phpunit|eval-stdin|cgi-bin\/|boaform|hnap1|actuator\b|owa\/auth|autodiscover|vendor\/phpunit|solr\/admin|manager\/html|_ignition|telescope\/requests|server-status\b|shell\.php|[^?]*\.(?:sql|bak|old)(?:\.gz|\.zip)?$)/i,
    anchors: [
      '/.e',
      '/.g',
      '/.s',
      '/.h',
      '/.a',
      '/.d',
      '/.v',
      '/%2',
      'wp-',
      'xml',
      'php',
      'pma',
      'eva',
      'cgi',
      'boa',
      'hna',
      'act',
      'owa',
      'aut',
      'ven',
      'sol',
      'man',
      '_ig',
      'tel',
      'ser',
      'she',
      '.sq',
      '.ba',
      '.ol',
    ],
  },
];

const LOGIN_ANCHORS = ['wp-', 'xml', 'log', 'sig', 'adm', 'use', 'ses', 'aut'];

/** A sign-in page of common systems; a refused POST to it is one try of a password. */
const LOGIN =
  /^\/+(?:[^?]*\/)?(?:wp-login\.php|xmlrpc\.php|(?:log|sign)-?in(?:\.\w+)?|admin(?:istrator)?(?:\/index\.php|\/login)?|user\/login|session|auth)\/?(?:\?|$)/i;

const OWN_BITS = { noise: 1 << RULES.length, login: 1 << (RULES.length + 1), agent: 1 << (RULES.length + 2) } as const;

/** What a target can be besides a rule that matched: noise instead of a request, a sign-in page (no signal by itself), a scanner by name. */
export const SIGNAL = { noise: OWN_BITS.noise, login: OWN_BITS.login, scannerAgent: OWN_BITS.agent } as const;

const NAMES: readonly string[] = [...RULES.map(({ id }) => id), 'not-http', 'login-failed', 'scanner-agent'];

/** The record's field for a set of signals. */
export function signalText(signals: number): string {
  return NAMES.filter((_, bit) => (signals & (1 << bit)) !== 0)
    .map((name) => `${RULE_SET}/${name}`)
    .join(',');
}

/** Every three bytes that may begin a match, by the low five bits of each, which makes letters of either case the same. */
const TRIGRAMS = trigramsOf([...RULES.flatMap(({ anchors }) => anchors), ...LOGIN_ANCHORS]);
const TRIGRAMS_ALL = trigramsOf(RULES.filter(({ where }) => where === 'all').flatMap(({ anchors }) => anchors));

/** True when a rule might match; false is certain. One table look-up for each byte. */
export function isSuspicious(bytes: Uint8Array, start: number, end: number, where: 'target' | 'all'): boolean {
  const table = where === 'target' ? TRIGRAMS : TRIGRAMS_ALL;
  let three = 0;
  for (let at = start; at < end; at++) {
    three = ((three << 5) | ((bytes[at] ?? 0) & 31)) & 0x7fff;
    if (table[three] === 1) return true;
  }
  return false;
}

/** The rules that match `text`, one byte a character, as bits. */
export function signalsOf(text: string, where: 'target' | 'all'): number {
  const bounded = text.length > MAX_JUDGED ? text.slice(0, MAX_JUDGED) : text;
  const decoded = decoded1(bounded);
  let signals = 0;
  RULES.forEach((rule, bit) => {
    if (where === 'all' && rule.where === 'target') return;
    if (rule.pattern.test(bounded) || (decoded !== bounded && rule.pattern.test(decoded))) signals |= 1 << bit;
  });
  return signals;
}

/** A sign-in page: see {@link SIGNAL}. */
export function isLogin(target: string): boolean {
  return LOGIN.test(target.slice(0, MAX_JUDGED));
}

/** No rule reads further than this: a bound on what a hostile line costs. */
const MAX_JUDGED = 4096;

/** Decoded, and decoded again when that gives new escapes: attackers encode twice. */
function decoded1(text: string): string {
  if (!text.includes('%')) return text;
  const decode = (from: string): string =>
    from.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const once = decode(text);
  return once.includes('%') ? decode(once) : once;
}

function trigramsOf(anchors: readonly string[]): Uint8Array {
  const table = new Uint8Array(1 << 15);
  for (const anchor of anchors) {
    let three = 0;
    for (const letter of anchor) three = ((three << 5) | (letter.charCodeAt(0) & 31)) & 0x7fff;
    table[three] = 1;
  }
  return table;
}
