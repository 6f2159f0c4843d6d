/** Access logs of a partner site in tests: a server that writes them, and what was exported of them. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, utimesSync } from 'node:fs';
import { dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { logsSchema } from '../../src/config/partner-logs.ts';
import type { PartnerSiteConfig } from '../../src/config/partner-site.ts';
import { ownKey } from '../../src/partner-site/own-keys.ts';
import { EXPORT_TYPE, type LogExport, parseExport } from '../../src/protocol/log-export.ts';
import { verifyPart } from '../../src/protocol/log-part.ts';
import { type LogRecord, parseRecord } from '../../src/protocol/log-record.ts';
import { FIELD_STRIDE } from '../../src/protocol/log-scan.ts';
import { openNote } from '../../src/protocol/note.ts';
import type { PartnerFixture } from './partner-fixture.ts';

/** `tieup.yaml` with logs: `site.open({ config: withLogs() })`. */
export function withLogs(more: object = {}): Partial<PartnerSiteConfig> {
  return { logs: logsSchema.parse({ sources: [{ files: 'log/access.log*' }], ...more }) };
}

let second = 0;

function nextTime(): Date {
  second += 1;
  return new Date(Date.parse('2026-11-23T12:00:00Z') + second * 1000);
}

/** A line as nginx writes it, in November 2026. */
export function hit(
  path: string,
  { ip = '203.0.113.7', agent = 'Mozilla/5.0', status = 200, time = nextTime() } = {},
): string {
  const stamp = `${time.toISOString().slice(8, 10)}/Nov/2026:${time.toISOString().slice(11, 19)} +0000`;
  return `${ip} - - [${stamp}] "GET ${path} HTTP/1.1" ${status} 512 "https://search.example/find?q=tea" "${agent}"\n`;
}

/** Appends lines to `log/access.log`, as its web server would. */
export function serve(shop: PartnerFixture, ...lines: readonly string[]): void {
  const path = shop.path('log/access.log');
  if (!existsSync(path)) mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, lines.join(''));
  second += 1;
  const written = Date.parse('2026-11-23T12:00:00Z') / 1000 + second;
  utimesSync(path, written, written);
}

/** The statement in the outbox, verified with the partner's log key. */
export async function exported(shop: PartnerFixture): Promise<LogExport> {
  const site = await shop.open();
  const note = await site.exchange.read('outbox/logs/export.note', 1e5);
  return parseExport(openNote(note, [await ownKey(site, 'log')], { type: EXPORT_TYPE }).text);
}

/** What an exported log discloses, verified to its end. */
export async function disclosed(shop: PartnerFixture, log: 'T' | 'O'): Promise<readonly LogRecord[]> {
  const site = await shop.open();
  const { file, size, root, from } = (await exported(shop))[log];
  if (file === null) return [];
  const bytes = readFileSync(shop.path(`exchange/outbox/logs/${file.digest}.part.gz`));
  expect(bytes.length).toBe(file.length);
  const raw = gunzipSync(bytes);
  expect(raw.length).toBe(file.rawLength);
  const records: LogRecord[] = [];
  const verified = await verifyPart([raw], { keys: [await ownKey(site, 'log')], until: { size, root } }, (batch) => {
    for (let index = 0; index < batch.count; index += 1) {
      const at = index * FIELD_STRIDE;
      const end = (batch.offsets[at + FIELD_STRIDE - 1] ?? 0) - 1;
      records.push(parseRecord(batch.bytes.subarray(batch.offsets[at], end)));
    }
  });
  expect(verified.from).toBe(from);
  return records;
}
