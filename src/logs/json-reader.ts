/** Lines of JSON: nginx with `escape=json` under the usual names, Caddy, Traefik. */
import { type Field, FIELD, type FieldName, type Line, type LineReader, type Reading } from './line.ts';

export type JsonDialect = 'nginx' | 'caddy' | 'traefik';

/** For each field the members that may hold it, the best first; a dot goes into an object. */
type Members = Partial<Record<FieldName, readonly string[]>>;

const NGINX: Members = {
  time: ['time_iso8601', 'time_local', 'timestamp', '@timestamp', 'time', 'msec'],
  host: ['http_host', 'host', 'server_name', 'vhost'],
  request: ['request'],
  method: ['request_method', 'method'],
  target: ['request_uri', 'uri', 'url'],
  protocol: ['server_protocol', 'protocol'],
  status: ['status'],
  bytes: ['body_bytes_sent', 'bytes_sent', 'bytes', 'size'],
  referrer: ['http_referer', 'http_referrer', 'referer', 'referrer'],
  agent: ['http_user_agent', 'user_agent', 'agent'],
  ip: ['remote_addr', 'remote_ip', 'client_ip', 'client', 'ip'],
  user: ['remote_user', 'user'],
  duration: ['request_time'],
};

const MEMBERS: Readonly<Record<JsonDialect, Members>> = {
  nginx: NGINX,
  caddy: {
    time: ['ts'],
    host: ['request.host'],
    method: ['request.method'],
    target: ['request.uri'],
    protocol: ['request.proto'],
    status: ['status'],
    bytes: ['size'],
    referrer: ['request.headers.Referer'],
    agent: ['request.headers.User-Agent'],
    ip: ['request.client_ip', 'request.remote_ip'],
    user: ['user_id'],
    duration: ['duration'],
  },
  traefik: {
    time: ['StartUTC', 'StartLocal', 'time'],
    host: ['RequestHost', 'RequestAddr'],
    method: ['RequestMethod'],
    target: ['RequestPath'],
    protocol: ['RequestProtocol'],
    status: ['DownstreamStatus', 'OriginStatus'],
    bytes: ['DownstreamContentSize'],
    referrer: ['request_Referer'],
    agent: ['request_User-Agent'],
    ip: ['ClientHost', 'ClientAddr'],
    user: ['ClientUsername'],
    duration: ['Duration'],
  },
};

/** Every name that is looked for in an object. */
export const JSON_NAMES: ReadonlySet<string> = new Set(
  Object.values(MEMBERS).flatMap((members) =>
    Object.values(members).flatMap((paths) => paths.flatMap((path) => path.split('.'))),
  ),
);

/** The parser's work on one line is bounded; a longer one is unreadable. */
const MAX_JSON = 128 * 1024;

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const BRACE = 0x7b;

export function createJsonReader(dialect: JsonDialect): LineReader {
  const fields = Object.entries(MEMBERS[dialect]).map(([name, members]) => ({
    field: fieldNamed(name),
    paths: members.map((member) => member.split('.')),
  }));
  return new JsonReader(fields);
}

interface FieldPaths {
  readonly field: Field;
  readonly paths: readonly (readonly string[])[];
}

class JsonReader implements LineReader {
  readonly directive = undefined;
  stoppedAt: string | undefined;
  readonly #fields: readonly FieldPaths[];

  constructor(fields: readonly FieldPaths[]) {
    this.#fields = fields;
  }

  read(line: Line, start: number, end: number): Reading {
    const value =
      end - start > MAX_JSON || line.bytes[start] !== BRACE
        ? undefined
        : parsed(line.bytes.toString('utf8', start, end));
    if (value === undefined) return this.#stop('the object of JSON');
    // What a visitor sent ends its string and goes on with members of its own when the server does not escape it.
    if (memberCount(value) !== colonCount(line.bytes, start, end)) return this.#stop('a name that is there twice');
    if (isContradictory(value)) return this.#stop('request, which is not for request_uri');
    line.freeScratch();
    for (const { field, paths } of this.#fields) {
      const text = textAt(value, paths, field);
      if (text === undefined) line.set(field, 0, 0);
      else line.setText(field, field === FIELD.time ? isoTime(text) : text);
    }
    // Caddy and Traefik write other lines too.
    return line.has(FIELD.request) || line.has(FIELD.target) ? 'hit' : this.#stop('the request');
  }

  #stop(at: string): Reading {
    this.stoppedAt = at;
    return 'unreadable';
  }
}

function fieldNamed(name: string): Field {
  return Object.entries(FIELD).find(([known]) => known === name)?.[1] ?? FIELD.ignored;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The reader says so: the line is X.
    return undefined;
  }
}

/** How many members the objects in `value` have, at any depth. */
function memberCount(value: unknown): number {
  let count = 0;
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== 'object' || next === null) continue;
    const inner: unknown[] = Object.values(next);
    if (!Array.isArray(next)) count += inner.length;
    for (const each of inner) left.push(each);
  }
  return count;
}

/** How many members the text of JSON in `[start, end)` names: more than it has when one is named twice. */
function colonCount(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  let isText = false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) isText = !isText;
    else if (isText) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === COLON) count++;
  }
  return count;
}

/** nginx's `$request` holds its `$request_uri`, in absolute form behind scheme and host; where not, one of them is a visitor's. */
function isContradictory(value: unknown): boolean {
  const [request, uri] = [memberOf(value, 'request'), memberOf(value, 'request_uri')];
  if (typeof request !== 'string' || typeof uri !== 'string' || uri === '' || uri === '-') return false;
  const target = request.replace(/^\S+ /, '').replace(/ HTTP\/[\d.]{1,3}$/, '');
  const path = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*/i, '');
  return target !== uri && (path === '' ? '/' : path) !== uri;
}

function textAt(value: unknown, paths: readonly (readonly string[])[], field: Field): string | undefined {
  for (const path of paths) {
    const found = path.reduce(memberOf, value);
    // Headers are lists.
    const first: unknown = Array.isArray(found) ? found[0] : found;
    if (typeof first === 'number') return numberText(first, field);
    if (typeof first === 'string' && first !== '' && first !== '-') return first;
  }
  return undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

function numberText(value: number, field: Field): string {
  if (field === FIELD.status) return String(value).padStart(3, '0');
  // Nine digits of a time would show how doubles round, and the millisecond before.
  return Number.isInteger(value) || field === FIELD.time ? String(value) : value.toFixed(9);
}

/** Seconds since 1970 and nginx's local time as ISO 8601, so that one field has one form. */
function isoTime(text: string): string {
  if (/^\d{1,11}(?:\.\d+)?$/.test(text)) {
    const [seconds = '0', fraction = ''] = text.split('.');
    return new Date(Number(seconds) * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3))).toISOString();
  }
  const common = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):([\d:]{8}) ([+-]\d{4})$/.exec(text);
  if (common === null) return text;
  const [, day = '', month = '', year = '', time = '', zone = ''] = common;
  const number = 'JanFebMarAprMayJunJulAugSepOctNovDec'.indexOf(month) / 3 + 1;
  return `${year}-${String(number).padStart(2, '0')}-${day}T${time}${zone}`;
}
