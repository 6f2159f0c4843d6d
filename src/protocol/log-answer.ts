/**
 * The partner's answer to a demand for records; the body of a note of the log key, `outbox/logs/answer.note`. It names the file
 * `outbox/logs/answer.part.gz`: all of log O at the size of the demand, with the demanded records disclosed.
 */
import { canonical, fieldReader, type FieldShape, parseFields, renderFields } from './fields.ts';
import type { ExportedFile } from './log-export.ts';
import { PARTNER_ID } from './names.ts';

export interface LogAnswer {
  readonly partner: string;
  /** SHA-256 of the demand's text. */
  readonly demand: string;
  readonly file: ExportedFile;
  readonly time: string;
}

export const LOG_ANSWER_TYPE = 'tieup-log-answer/1';
export const MAX_LOG_ANSWER_NOTE = 8 * 1024;

const SHAPE: FieldShape<'partnership' | 'demand' | 'file' | 'time'> = [
  ['partnership', 1],
  ['demand', 1],
  ['file', 3],
  ['time', 1],
];

export function renderLogAnswer({ partner, demand, file, time }: LogAnswer): string {
  return renderFields(LOG_ANSWER_TYPE, SHAPE, {
    partnership: [partner],
    demand: [demand],
    file: [file.digest, String(file.length), String(file.rawLength)],
    time: [time],
  });
}

/** @throws TIEUP_E_VERIFY when the text is not exactly one answer. */
export function parseLogAnswer(text: string): LogAnswer {
  const read = fieldReader(LOG_ANSWER_TYPE, parseFields(LOG_ANSWER_TYPE, SHAPE, text));
  const answer: LogAnswer = {
    partner: read.matching('partnership', 0, PARTNER_ID, 'a partner id'),
    demand: read.digest('demand'),
    file: { digest: read.digest('file', 0), length: read.count('file', 1), rawLength: read.count('file', 2) },
    time: read.instant('time'),
  };
  return canonical('the answer to the demand', text, answer, renderLogAnswer);
}
