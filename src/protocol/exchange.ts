/** Where things lie in `exchange/`, and how much of them a reader takes at most. Both sides must agree on each. */

/** Written by the main site alone. */
export const INBOX = 'inbox';
export const INBOX_METADATA = 'inbox/metadata';
export const INBOX_TARGETS = 'inbox/targets';
export const INBOX_PACKS = 'inbox/packs';
export const INBOX_OBJECTS = 'inbox/objects';
export const INBOX_LOCK = 'inbox/lock';

/** Written by the partner alone. */
export const OUTBOX_DECISION = 'outbox/decision.note';
export const OUTBOX_DECISIONS = 'outbox/decisions';
export const OUTBOX_RECEIPT = 'outbox/receipt.note';
export const OUTBOX_POLICY = 'outbox/policy.note';
/** What the main site needs to carry out a decision itself: `<merge>.txt` and the contents that it names, `<sha256>`. */
export const OUTBOX_MERGE = 'outbox/merge';
/** Where the main site publishes: the records of what was published, which both sides write. */
export const LEDGER_FOLDER = 'ledger';
export const LEDGER_LOCK = `${LEDGER_FOLDER}/lock`;
export const OUTBOX_KEYS = 'outbox/keys.note';

/** The three targets of a release; with consistent snapshots each lies at `inbox/targets/<sha256>.<name>`. */
export const TARGET_SUMS = 'SHA256SUMS';
export const TARGET_RELEASE = 'release.json';
export const TARGET_TERMS = 'partnership.json';

/** Ten short lines, signatures, and a reason whose characters may take three bytes each, a third more in base64. */
export const MAX_DECISION_NOTE = 24 * 1024;
export const MAX_RECEIPT_NOTE = 8 * 1024;
export const MAX_KEYS_NOTE = 16 * 1024;

/** Bounds before anything is read (TUF metadata has its own in the client). */
export const MAX_MERGE_TEXT = 16 * 1024 * 1024;
export const MAX_SUMS = 64 * 1024 * 1024;
export const MAX_PACK = 2 ** 31 - 1;
/** More packs than this in an inbox is not work in progress, it is an attack on the reader. */
export const MAX_PACKS = 1000;
/** Whoever makes a pack puts no more objects into it, so that whoever reads it need not hold more names at a time. */
export const PACK_OBJECTS = 2 ** 16;

/** `inbox/packs/<sha256>.pack`. */
export function packPath(digest: string): string {
  return `${INBOX_PACKS}/${digest}.pack`;
}

/** `inbox/targets/<sha256>.<name>`. */
export function targetPath(digest: string, name: string): string {
  return `${INBOX_TARGETS}/${digest}.${name}`;
}

/** Answers of the main site to exported logs: cosigned checkpoints, and what it wants to see of what was only counted. */
export const INBOX_LOGS = 'inbox/logs';
export const INBOX_DEMAND = 'inbox/logs/demand.note';

/** The exported logs. `export.note` is written last: what it names is there. */
export const OUTBOX_LOGS = 'outbox/logs';
export const OUTBOX_EXPORT = 'outbox/logs/export.note';
export const OUTBOX_ANSWER = 'outbox/logs/answer.note';
export const OUTBOX_ANSWER_PART = 'outbox/logs/answer.part.gz';
export const OUTBOX_EPOCH = 'outbox/logs/epoch.note';

/** Bounds of one exported log, as it lies there and decompressed. Its statement names its own lengths below them. */
export const MAX_PART_FILE = 64 * 1024 ** 3;
export const MAX_PART_RAW = 1024 ** 4;

/** `inbox/logs/<log>.cosigned`. */
export function cosignedPath(log: 'T' | 'O'): string {
  return `${INBOX_LOGS}/${log}.cosigned`;
}

/** `outbox/logs/<log>.checkpoint`, the newest one that the partner has signed. */
export function checkpointPath(log: 'T' | 'O'): string {
  return `${OUTBOX_LOGS}/${log}.checkpoint`;
}

/** `outbox/logs/<sha256>.part.gz`. */
export function partPath(digest: string): string {
  return `${OUTBOX_LOGS}/${digest}.part.gz`;
}
