/** Text of the main site's files. */
import { TieupError } from '../errors.ts';

/** @throws TIEUP_E_CONTENT when the bytes are no UTF-8 */
export function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const problems = [{ message: 'the file is not valid UTF-8', file }];
    throw new TieupError('TIEUP_E_CONTENT', `${file} is not valid UTF-8`, { cause, problems });
  }
}
