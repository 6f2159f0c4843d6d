/**
 * W3C extended logs: IIS and CloudFront. The `#Fields` line says what follows, and may say something else later in the file.
 *
 * Source: W3C working draft WD-logfile-960323; the field lists of IIS and of CloudFront standard logs.
 */
import { type Field, FIELD, type Line, type LineReader, type Reading } from './line.ts';

export type W3cDialect = 'iis' | 'cloudfront';

const NAMES: Readonly<Record<string, Field>> = {
  date: FIELD.date,
  time: FIELD.time,
  'cs-method': FIELD.method,
  'cs-uri-stem': FIELD.path,
  'cs-uri-query': FIELD.query,
  'cs-username': FIELD.user,
  'c-ip': FIELD.ip,
  'cs(user-agent)': FIELD.agent,
  'cs(referer)': FIELD.referrer,
  'cs(host)': FIELD.host,
  'cs-host': FIELD.host,
  'x-host-header': FIELD.host,
  'sc-status': FIELD.status,
  'sc-bytes': FIELD.bytes,
  'time-taken': FIELD.duration,
  'cs-version': FIELD.protocol,
  'cs-protocol-version': FIELD.protocol,
};

const HASH = 0x23;
const BLANK = 0x20;
const TAB = 0x09;
const PLUS = 0x2b;
const PERCENT = 0x25;
const MAX_FIELDS = 128;

export function createW3cReader(dialect: W3cDialect, directive?: string): LineReader {
  return new W3cReader(dialect, directive);
}

class W3cReader implements LineReader {
  #directive: string | undefined;
  #fields: readonly Field[] = [];
  readonly #separator: number;
  readonly #dialect: W3cDialect;

  constructor(dialect: W3cDialect, directive: string | undefined) {
    this.#dialect = dialect;
    this.#separator = dialect === 'iis' ? BLANK : TAB;
    if (directive !== undefined) this.#take(directive);
  }

  get directive(): string | undefined {
    return this.#directive;
  }

  read(line: Line, start: number, end: number): Reading {
    if (line.bytes[start] === HASH) {
      const text = line.latin1(start, Math.min(end, start + 4096));
      if (text.startsWith('#Fields:')) this.#take(text);
      return 'directive';
    }
    const fields = this.#fields;
    if (fields.length === 0) return 'unreadable';
    line.freeScratch();
    line.clear();
    let at = start;
    for (let index = 0; index < fields.length; index++) {
      if (at > end) return 'unreadable';
      let to = at;
      while (to < end && line.bytes[to] !== this.#separator) to++;
      this.#keep(line, fields[index] ?? FIELD.ignored, at, to);
      at = to + 1;
    }
    return at === end + 1 ? 'hit' : 'unreadable';
  }

  #take(text: string): void {
    const names = text.slice('#Fields:'.length).trim().toLowerCase().split(/\s+/).slice(0, MAX_FIELDS);
    const taken = new Set<Field>();
    this.#fields = names.map((name) => {
      const field = NAMES[name] ?? FIELD.ignored;
      if (taken.has(field)) return FIELD.ignored;
      taken.add(field);
      return field;
    });
    this.#directive = text;
  }

  #keep(line: Line, field: Field, start: number, end: number): void {
    if (field === FIELD.ignored) return;
    const { bytes } = line;
    const isText = field === FIELD.agent || field === FIELD.user || field === FIELD.referrer;
    if (!isText) {
      line.set(field, start, end);
      return;
    }
    // IIS writes blanks as `+`; CloudFront percent-encodes, and twice where the visitor did.
    const mark = this.#dialect === 'iis' ? PLUS : PERCENT;
    const found = bytes.indexOf(mark, start);
    if (found < 0 || found >= end) line.set(field, start, end);
    else if (this.#dialect === 'iis') {
      const at = line.scratch;
      for (let index = start; index < end; index++)
        bytes[at + index - start] = bytes[index] === PLUS ? BLANK : (bytes[index] ?? 0);
      line.keepScratch(field, at + end - start);
    } else keepDecoded(line, field, start, end);
  }
}

function keepDecoded(line: Line, field: Field, start: number, end: number): void {
  const text = line
    .latin1(start, end)
    .replace(/%(?:25)?([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const at = line.scratch;
  line.keepScratch(field, at + line.bytes.write(text, at, 'latin1'));
}
