/** Both sides read and write these paths, so the documentation must not say others. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  checkpointPath,
  cosignedPath,
  INBOX_DEMAND,
  OUTBOX_ANSWER,
  OUTBOX_ANSWER_PART,
  OUTBOX_EPOCH,
  OUTBOX_EXPORT,
  partPath,
} from '../../../src/protocol/exchange.ts';
import { pathFault } from '../../../src/protocol/names.ts';

const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');

test.each([
  [INBOX_DEMAND, INBOX_DEMAND],
  [OUTBOX_EXPORT, OUTBOX_EXPORT],
  [OUTBOX_ANSWER, OUTBOX_ANSWER],
  [OUTBOX_ANSWER_PART, OUTBOX_ANSWER_PART],
  [OUTBOX_EPOCH, OUTBOX_EPOCH],
  [cosignedPath('T'), 'inbox/logs/<log>.cosigned'],
  [checkpointPath('O'), 'outbox/logs/<log>.checkpoint'],
  [partPath('a'.repeat(64)), 'outbox/logs/<digest>.part.gz'],
])('the documentation says that %s lies where it does', (path, written) => {
  const fits = written.replace('<log>', path.includes('/T.') ? 'T' : 'O').replace('<digest>', 'a'.repeat(64));
  expect(fits).toBe(path);
  expect(page).toContain(`\`${written}\``);
  expect(pathFault(path)).toBeUndefined();
});
