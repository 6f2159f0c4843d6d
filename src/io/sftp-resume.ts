/**
 * Goes on with a file whose transfer was cut off.
 *
 * Its length says nothing: it may be another file, somebody may have changed it, and a server that handles requests at the same time
 * leaves gaps. So what it holds already is read back and compared, while the rest is on its way; and what was under way when the line
 * was cut is sent again.
 */
import type { SftpSession } from './sftp-session.ts';
import { hasStatus } from './sftp-session.ts';
import { lstatIfAny } from './sftp-folders.ts';
import { IN_FLIGHT } from './in-flight.ts';
import { download } from './sftp-transfer.ts';

/** What the file holds is not the beginning of what it should become. */
export class WrongBeginning extends Error {}

/**
 * Takes the file over under a name of its own, so that nobody else goes on with it too, and opens it.
 * @returns undefined when there is nothing to go on with
 */
export async function takeOver(
  session: SftpSession,
  from: string,
  to: string,
  length: number,
): Promise<{ readonly handle: Buffer; readonly start: number } | undefined> {
  const there = await lstatIfAny(session, from);
  if (there?.isFile() !== true || there.size > length) return undefined;
  const start = there.size - IN_FLIGHT;
  if (start <= 0) return undefined;
  try {
    await session.rename(from, to);
    return { handle: await session.open(to, 'r+', 0), start };
  } catch (error) {
    if (hasStatus(error)) return undefined;
    throw error;
  }
}

/** @throws WrongBeginning */
export async function assertBeginning(session: SftpSession, handle: Buffer, beginning: Uint8Array): Promise<void> {
  let at = 0;
  for await (const chunk of download(session, handle, beginning.length)) {
    if (!Buffer.from(chunk).equals(beginning.subarray(at, at + chunk.length))) throw new WrongBeginning();
    at += chunk.length;
  }
  if (at !== beginning.length) throw new WrongBeginning();
}
