/** Reads what a partner answers before it is asked for, and tells whether it has answered anything since. */
import type { FileTree } from '../io/file-tree.ts';
import { readAhead } from '../io/read-ahead.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';
import {
  MAX_DECISION_NOTE,
  MAX_KEYS_NOTE,
  MAX_RECEIPT_NOTE,
  OUTBOX_DECISION,
  OUTBOX_KEYS,
  OUTBOX_RECEIPT,
} from '../protocol/exchange.ts';

const NOTES: ReadonlyMap<string, number> = new Map([
  [OUTBOX_KEYS, MAX_KEYS_NOTE],
  [OUTBOX_RECEIPT, MAX_RECEIPT_NOTE],
  [OUTBOX_DECISION, MAX_DECISION_NOTE],
]);

export interface OutboxAhead {
  /** The exchange, with what the partner answers on its way already. */
  readonly tree: FileTree;
  /** The same for the same notes. @throws what reading them throws */
  digest(): Promise<string>;
}

export function outboxAhead(exchange: FileTree): OutboxAhead {
  const found = new Map<string, Promise<Uint8Array | undefined>>();
  const noting: FileTree = {
    ...exchange,
    read: (path, maxLength, room) => {
      const reading = exchange.read(path, maxLength, room);
      if (!found.has(path)) {
        const noted = readIfThere({ read: () => reading }, path, maxLength);
        noted.catch(() => {});
        found.set(path, noted);
      }
      return reading;
    },
  };
  return {
    tree: readAhead(noting, NOTES),
    digest: async () => {
      const notes = await Promise.all([...NOTES.keys()].map(async (path) => found.get(path)));
      return sha256(notes.map((note) => (note === undefined ? '-' : sha256(note))).join(' '));
    },
  };
}
