/** Text of the main site's files. */
import { isUtf8 } from 'node:buffer';
import { TieupError } from '../errors.ts';

/** Without a byte order mark. @throws TIEUP_E_CONTENT when the bytes are no UTF-8 */
export function decodeText(bytes: Uint8Array, file: string): string {
  if (!isUtf8(bytes)) {
    const problems = [{ message: 'the file is not valid UTF-8', file }];
    throw new TieupError('TIEUP_E_CONTENT', `${file} is not valid UTF-8`, { problems });
  }
  // Several times as quick as a TextDecoder.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
