/** Reads `timestamp.json` of an inbox: whatever is pushed changes it. */
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { INBOX_METADATA } from '../protocol/exchange.ts';

const MAX_TIMESTAMP = 64 * 1024;

/** Undefined before the first push. */
export async function readHead(exchange: FileTree): Promise<Uint8Array | undefined> {
  return readIfThere(exchange, `${INBOX_METADATA}/timestamp.json`, MAX_TIMESTAMP);
}
