/** Names the format of a log file and shows how its first lines are read, before anything is configured. */
import { TieupError } from '../errors.ts';
import type { LogFile, LogFiles } from '../io/log-files.ts';
import { type DetectedFormat, detectFormat, isLikely, sampleLines, tryFormat } from '../logs/detect.ts';
import { compileFormat, type LogFormat } from '../logs/format.ts';
import { countLog, type StartCounting } from '../logs/count-log.ts';
import { cannotRead, content, isUnreadable } from './logs/log-content.ts';

export interface Detected extends DetectedFormat {
  /** The file that was looked at. */
  readonly path: string;
  /** All of its lines, and those that the format cannot take apart. */
  readonly counted: { readonly lines: number; readonly unreadable: number };
  /** Why what it reads may be a visitor's doing rather than the server's; undefined when it cannot. */
  readonly caution: string | undefined;
}

/** Why visitors can write what a log in this format says of their visits; undefined when they cannot. */
export function forgeryCaution({ isRaw, unquoted }: LogFormat): string | undefined {
  if (isRaw)
    return 'with escape=none a visitor can write what the log says of a visit, also where tie-up pages are counted: take escape=json, or leave escape= out';
  return unquoted === undefined
    ? undefined
    : `${unquoted} stands in the format without quotes, so a visitor can write blanks and the fields behind it: put it between double quotes`;
}

/** What rotation puts behind the name of a log: a number or a date, and how it compressed the file. */
const ROTATED = /(?:[.-]\d{1,4}|[.-]?\d{4}-?\d{2}-?\d{2}(?:[-_T]?\d{2,6})?)?(?:\.gz)?$/;
/** IIS writes a file a day, `u_ex261123.log`. */
const DATED = /\d{6}(?:\d{2})?(?=\.log$)/;

/** What `files` in tieup.yaml has to be for a log and its rotated files, of which `path` is one. */
export function filesPattern(path: string): string {
  const slash = path.lastIndexOf('/') + 1;
  const name = path.slice(slash).replace(/\.gz$/, '');
  const dated = name.replace(DATED, '*');
  if (dated !== name) return `${path.slice(0, slash)}${dated}*`;
  const live = name.replace(ROTATED, '');
  return /log$/i.test(live) ? `${path.slice(0, slash)}${live}*` : path;
}

const SAMPLE = 1024 * 1024;
const MAX_SHOWN = 300;

/**
 * @param format a name or a server's own format string to try; the likeliest one unless given
 * @param startCounting for a second thread, where there is a second core
 * @throws TIEUP_E_NOT_FOUND without the file; TIEUP_E_CONTENT when no format, or not the given one, reads half of its lines.
 */
export async function detectLog(
  logFiles: LogFiles,
  path: string,
  format: string | undefined,
  startCounting?: StartCounting,
): Promise<Detected> {
  const files = await logFiles.open(path);
  try {
    const newest = files.toSorted((a, b) => b.modifiedMs - a.modifiedMs).find(({ length }) => length > 0);
    if (newest === undefined) {
      const why = files.length === 0 ? 'is not there' : 'is empty';
      throw new TieupError('TIEUP_E_NOT_FOUND', `the log ${JSON.stringify(path)} ${why}`, {
        hint: 'name a file in which the web server has logged some requests',
      });
    }
    if (isUnreadable(newest.path)) throw cannotRead(newest);
    let sample = new Uint8Array();
    for await (const chunk of content(newest, 0)) {
      sample = Uint8Array.from(Buffer.concat([sample, chunk]).subarray(0, SAMPLE));
      if (sample.length === SAMPLE) break;
    }
    const found = format === undefined ? detectFormat(sample) : tryFormat(compileFormat(format), sampleLines(sample));
    if (found !== undefined && !isLikely(found)) throw doesNotFit(newest.path, found);
    if (found !== undefined)
      return {
        ...found,
        path: newest.path,
        counted: await countLines(newest, found, startCounting),
        caution: cautionOf(found.format),
      };
    throw new TieupError('TIEUP_E_CONTENT', `no format that tieup knows reads ${JSON.stringify(newest.path)}`, {
      hint: 'try the log_format or LogFormat of your web server: tieup logs detect FILE --format "$remote_addr …"; with a format it says where the first line does not fit',
    });
  } finally {
    for (const file of files) await file.close();
  }
}

function cautionOf(format: LogFormat): string | undefined {
  const caution = forgeryCaution(format);
  if (caution !== undefined || format.name !== 'nginx-json') return caution;
  return 'look whether log_format in the configuration of nginx says escape=json; with escape=none a visitor can write what the log says of a visit';
}

function doesNotFit(path: string, { format, read, lines, failed }: DetectedFormat): TieupError {
  const what = `the format ${JSON.stringify(format.spec)} reads ${read} of the first ${lines} lines of ${JSON.stringify(path)}`;
  const at = failed?.at === undefined ? 'does not fit' : `does not fit at ${failed.at}`;
  const hint =
    failed === undefined
      ? 'name a file in which the web server has logged some requests'
      : `the first line that ${at}: ${failed.line.slice(0, MAX_SHOWN)}`;
  return new TieupError('TIEUP_E_CONTENT', what, { hint });
}

async function countLines(
  file: LogFile,
  { format }: DetectedFormat,
  startCounting: StartCounting | undefined,
): Promise<Detected['counted']> {
  const { lines, X } = await countLog(content(file, 0), { format }, new Map(), startCounting);
  return { lines, unreadable: X };
}
