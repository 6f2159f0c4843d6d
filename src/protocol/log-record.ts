/**
 * One record of an access log, `tieup-log/1`: a line of 20 fields with a tab between. Its bytes are what the tree of the log commits
 * to, so a record has exactly one spelling and a reader takes no other.
 */
import { TieupError } from '../errors.ts';
import { FIELD, type FieldName, FIELD_STRIDE, MAX_RAW_LINE, scanRecord, viewOf } from './log-scan.ts';
import { readText, spellText } from './log-text.ts';

/**
 * `T` a hit on a tie-up file, `O` any other hit, `X` a line that cannot be parsed. Of no line are `S`, a live switch, and `G`, a gap in
 * the log that the manager accepted: classes of their own, because a visitor can send any method and path.
 */
export type RecordClass = 'T' | 'O' | 'X' | 'S' | 'G';

export interface LogRecord {
  /** Number of the line among all lines read in this epoch, from 1 on. S and G repeat that of the line before them, or 0. */
  readonly seq: number;
  /** `2026-11-23T22:00:00Z`, with `.mmm` when the log has it; empty when unknown (X, and G at will). */
  readonly time: string;
  /** The offset in which the log was written, `+0500`. Empty when unknown, as every text below. */
  readonly zone: string;
  readonly host: string;
  readonly class: RecordClass;
  /** Published path of the tie-up page when the hit is on one; empty for assets, redirects and everything that is not T. */
  readonly page: string;
  readonly method: string;
  /** As received; for X the raw line, for S the release digest or a path of the partner's own, for G the source. */
  readonly path: string;
  /** What the allow-list leaves; for S `publication=<n>&release=<n>`, for G why. */
  readonly query: string;
  readonly protocol: string;
  /** 0 to 999. */
  readonly status: number | null;
  readonly bytes: number | null;
  readonly referrer: string;
  readonly agent: string;
  /** Anonymised by the policy. */
  readonly ip: string;
  readonly visitor: string;
  readonly user: string;
  /** Microseconds. */
  readonly duration: number | null;
  /** Id of the rule that took the visitor for a bot. */
  readonly bot: string;
  /** Ids of rules, `<set>/<id>`; `cut` when a value of the record was too long. */
  readonly signals: readonly string[];
}

/** The tree a record belongs to. */
export function treeOf(recordClass: RecordClass): 'T' | 'O' {
  return recordClass === 'O' || recordClass === 'X' ? 'O' : 'T';
}

/**
 * The line of a record, without a line end. Values that are too long are cut, and `cut` joins the signals.
 * @throws TIEUP_E_FAILED when the values make no record.
 */
export function renderRecord(record: LogRecord): string {
  let cut = false;
  const text = (name: FieldName, value: string, limit = FIELD[name].limit): string => {
    const spelt = spellText(value, limit);
    cut ||= spelt.cut;
    return spelt.text;
  };
  const count = (value: number | null): string => (value === null ? '-' : String(value));
  const fields: Omit<Record<FieldName, string>, 'signals'> = {
    seq: String(record.seq),
    time: record.time === '' ? '-' : record.time,
    zone: record.zone === '' ? '-' : record.zone,
    host: text('host', record.host),
    class: record.class,
    page: text('page', record.page),
    method: text('method', record.method),
    path: text('path', record.path, record.class === 'X' ? MAX_RAW_LINE : FIELD.path.limit),
    query: text('query', record.query),
    protocol: text('protocol', record.protocol),
    status: record.status === null ? '-' : String(record.status).padStart(3, '0'),
    bytes: count(record.bytes),
    referrer: text('referrer', record.referrer),
    agent: text('agent', record.agent),
    ip: text('ip', record.ip),
    visitor: text('visitor', record.visitor),
    user: text('user', record.user),
    duration: count(record.duration),
    bot: record.bot === '' ? '-' : record.bot,
  };
  const signals = cut && !record.signals.includes('cut') ? [...record.signals, 'cut'] : record.signals;
  const line = [...Object.values(fields), signals.length === 0 ? '-' : signals.join(',')].join('\t');
  const bytes = Buffer.from(line);
  const fault = scanRecord(bytes, viewOf(bytes), 0, bytes.length, new Int32Array(FIELD_STRIDE), 0);
  if (fault !== undefined) throw new TieupError('TIEUP_E_FAILED', `these values make no record: ${fault}`);
  return line;
}

/** The record of a line without its line end. @throws TIEUP_E_VERIFY when it is not exactly one record. */
export function parseRecord(line: Uint8Array): LogRecord {
  const offsets = new Int32Array(FIELD_STRIDE);
  const fault = scanRecord(line, viewOf(line), 0, line.length, offsets, 0);
  if (fault !== undefined) throw malformed(fault);
  if (offsets[FIELD_STRIDE - 1] !== line.length + 1) throw malformed('it has more than one line');
  const view = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const field = (name: FieldName): string => {
    const { index } = FIELD[name];
    return view.toString('utf8', offsets[index], (offsets[index + 1] ?? 0) - 1);
  };
  const plain = (name: FieldName): string => (field(name) === '-' ? '' : field(name));
  const text = (name: FieldName): string => readText(field(name));
  const count = (name: FieldName): number | null => (field(name) === '-' ? null : Number(field(name)));
  return {
    seq: Number(field('seq')),
    time: plain('time'),
    zone: plain('zone'),
    host: text('host'),
    class: classOf(field('class')),
    page: text('page'),
    method: text('method'),
    path: text('path'),
    query: text('query'),
    protocol: text('protocol'),
    status: count('status'),
    bytes: count('bytes'),
    referrer: text('referrer'),
    agent: text('agent'),
    ip: text('ip'),
    visitor: text('visitor'),
    user: text('user'),
    duration: count('duration'),
    bot: plain('bot'),
    signals: plain('signals') === '' ? [] : plain('signals').split(','),
  };
}

function classOf(text: string): RecordClass {
  switch (text) {
    case 'T':
    case 'O':
    case 'X':
    case 'S':
    case 'G':
      return text;
    default:
      throw malformed(`its class is ${JSON.stringify(text)}`);
  }
}

/** What of a record stays when there is nothing to say: all fields of S, G and X but a few. */
const NOTHING: Omit<LogRecord, 'seq' | 'class'> = {
  time: '',
  zone: '',
  host: '',
  page: '',
  method: '',
  path: '',
  query: '',
  protocol: '',
  status: null,
  bytes: null,
  referrer: '',
  agent: '',
  ip: '',
  visitor: '',
  user: '',
  duration: null,
  bot: '',
  signals: [],
};

/** The moment from which on other pages were live. */
export interface LiveSwitch {
  readonly time: string;
  /** Number of the publication at the partner, and of its release. */
  readonly publication: number;
  readonly release: number;
  /** Null when no tie-up page is live any more. */
  readonly releaseDigest: string | null;
}

/** `seq` is that of the line before the switch; 0 when there is none. */
export function switchRecord(seq: number, live: LiveSwitch): LogRecord {
  return {
    ...NOTHING,
    seq,
    class: 'S',
    time: live.time,
    method: 'LIVE',
    path: live.releaseDigest ?? '',
    query: `publication=${live.publication}&release=${live.release}`,
  };
}

/** What a record of class S says; undefined for every other record. */
export function switchOf(record: LogRecord): LiveSwitch | undefined {
  const [, publication, release] = /^publication=(\d+)&release=(\d+)$/.exec(record.query) ?? [];
  if (record.class !== 'S' || record.method !== 'LIVE' || publication === undefined || release === undefined)
    return undefined;
  return {
    time: record.time,
    publication: Number(publication),
    release: Number(release),
    releaseDigest: record.path === '' ? null : record.path,
  };
}

/**
 * From the switch before it on, what is at this path is the partner's own: a page that it withholds or keeps, or a file whose short
 * address would otherwise be that of a tie-up page.
 */
export function ownPathRecord(seq: number, time: string, path: string): LogRecord {
  return { ...NOTHING, seq, class: 'S', time, method: 'OWN', path };
}

/** The path that a record of class S says is the partner's own; undefined for every other record. */
export function ownPathOf({ class: kind, method, path }: LogRecord): string | undefined {
  return kind === 'S' && method === 'OWN' && path !== '' ? path : undefined;
}

/** A gap in the log that the manager accepted. `source` is the file, `why` a few words. */
export function gapRecord(seq: number, time: string, source: string, why: string): LogRecord {
  return { ...NOTHING, seq, class: 'G', time, method: 'GAP', path: source, query: why };
}

/** A line that could not be parsed, masked by the policy already. */
export function unparsedRecord(seq: number, line: string): LogRecord {
  return { ...NOTHING, seq, class: 'X', path: line };
}

function malformed(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `a record of the log is malformed: ${why}`);
}
