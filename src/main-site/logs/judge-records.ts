/** Judges records that a partner had only counted, once it has opened them: were they what it counted them as? */
import { compileFormat, FORMAT_NAMES } from '../../logs/format.ts';
import { normalPath, type PublishedFiles } from '../../logs/published-files.ts';
import { createScanner, type Scanner } from '../../logs/scanner.ts';
import { hostName } from '../../logs/site-hosts.ts';
import type { LogRecord } from '../../protocol/log-record.ts';
import type { LogFinding } from './findings.ts';
import { type KnownSwitch, releaseAt, releaseBefore } from './switches.ts';

export interface OpenedRecord {
  readonly index: number;
  readonly record: LogRecord;
}

export interface Judgement {
  readonly findings: readonly LogFinding[];
  /** Records that could not be judged, by why. */
  readonly unjudged: readonly string[];
}

/**
 * The page was not there, as it should be while none is live. Otherwise a status says nothing: it is the partner's word, and what it withholds it
 * names with the switch.
 */
const NOT_SERVED = new Set([404, 410]);
/** Formats whose lines say nothing without the directive before them. */
const NEEDS_DIRECTIVE = new Set(['iis', 'cloudfront']);

/** What records are judged by. */
export interface Standard {
  readonly epoch: number;
  readonly switches: readonly KnownSwitch[];
  /** The partner's, see {@link siteHosts}. */
  readonly hosts: ReadonlySet<string>;
  /** The tie-up files after a switch; undefined when this machine has no list of them. */
  readonly filesOf: (live: KnownSwitch) => Promise<PublishedFiles | undefined>;
}

export async function judgeRecords(
  records: readonly OpenedRecord[],
  { epoch, switches, hosts, filesOf }: Standard,
): Promise<Judgement> {
  const findings: LogFinding[] = [];
  const unjudged: string[] = [];
  const readable = new ReadableLines();
  for (const { index, record } of records) {
    if (record.class === 'X') {
      const format = readable.formatOf(record);
      if (format === undefined) continue;
      const message = `line ${record.seq} was counted as unreadable, but reads as ${format}`;
      findings.push({ kind: 'readable-as-unreadable', epoch, message, records: [index] });
      continue;
    }
    const inForce = releaseAt(switches, record.seq);
    if (inForce === undefined) continue;
    const isNothingLive = inForce.release === null;
    if (isNothingLive && record.status !== null && NOT_SERVED.has(record.status)) continue;
    const live = isNothingLive ? releaseBefore(switches, inForce) : inForce;
    const release = live?.release ?? null;
    if (live === undefined || release === null) continue;
    const files = await filesOf(live);
    if (files === undefined) {
      unjudged.push(`line ${record.seq}: this machine has no list of the files of release ${release.slice(0, 12)}`);
      continue;
    }
    const path = files.paths[files.find(record.path)];
    if (path === undefined) continue;
    if (record.host !== '' && !hosts.has(hostName(record.host))) {
      // The log of one server may be of several sites. Whether this is one of the partner's tie-up pages is for people to know.
      unjudged.push(
        `line ${record.seq}: asks for ${path} at ${JSON.stringify(record.host)}, which is no host of this partner by its partnership`,
      );
      continue;
    }
    const claim = isNothingLive ? ', when by log T no tie-up page was live; it was answered' : '';
    const message = `line ${record.seq} was counted as one of the partner's own, but asks for ${path} (${normalPath(record.path) ?? record.path})${claim}`;
    findings.push({ kind: 'tie-up-as-original', epoch, message, records: [index] });
  }
  return { findings, unjudged };
}

/** Tries every known format on a line. */
class ReadableLines {
  readonly #scanners: readonly (readonly [string, Scanner])[] = FORMAT_NAMES.filter(
    (name) => !NEEDS_DIRECTIVE.has(name),
  ).map((name) => {
    const scanner = createScanner({ saltOfDay: () => undefined });
    scanner.begin({ format: compileFormat(name), zone: '+0000' });
    return [name, scanner];
  });

  /** Of an X record, whose path is the raw line; undefined when it is what it was counted as. */
  formatOf({ path, signals }: LogRecord): string | undefined {
    // A line about the log itself is none about a request.
    if (path.startsWith('#') || signals.some((each) => each.endsWith('/directive'))) return undefined;
    const line = Buffer.from(`${path.replaceAll(/[\r\n]/g, ' ')}\n`);
    for (const [name, scanner] of this.#scanners) {
      const before = scanner.counts.X;
      scanner.push(line);
      scanner.flush();
      if (scanner.counts.X === before) return name;
    }
    return undefined;
  }
}
