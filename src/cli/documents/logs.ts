/** Documents of `tieup logs`. */
import { z } from 'zod';
import { diskUse, failed, instant, list, sha256 } from './parts.ts';

const count = z.number();
const head = z.object({ size: count.describe('Records'), root: sha256 });
const classes = { T: count, O: count, X: count, S: count, G: count };
const lineCounts = z
  .object({ lines: count, ...classes })
  .describe('Lines read; hits on tie-up pages, others, unreadable lines; records of switches and gaps');
const warnings = list.describe('What somebody should look at, such as a source that names no file');
const committed = { epoch: count, counts: lineCounts, added: lineCounts, T: head, O: head, warnings };
const shownLog = z.object({ cosigned: count, leaving: count, counted: count });

const record = z.object({
  seq: count,
  time: z.string(),
  zone: z.string(),
  host: z.string(),
  class: z.enum(['T', 'O', 'X', 'S', 'G']),
  page: z.string(),
  method: z.string(),
  path: z.string(),
  query: z.string(),
  protocol: z.string(),
  status: count.nullable(),
  bytes: count.nullable(),
  referrer: z.string(),
  agent: z.string(),
  ip: z.string(),
  visitor: z.string(),
  user: z.string(),
  duration: count.nullable().describe('Microseconds'),
  bot: z.string(),
  signals: list,
});

const checkpoint = z.object({
  host: z.string(),
  partner: z.string(),
  log: z.enum(['T', 'O', 'C']),
  epoch: count,
  size: count,
  root: sha256,
});

const pulled = z.object({
  partner: z.string(),
  result: z.enum(['none', 'unchanged', 'behind', 'pulled']),
  pins: z.object({ epoch: count, T: head, O: head, lines: z.object(classes), pulledAt: instant.nullable() }),
  added: z.object({ T: count, O: count }),
  newEpoch: z
    .object({
      epoch: count,
      follows: count,
      reason: z.string().nullable(),
      abandoned: z.object({ T: count, O: count }),
    })
    .nullable(),
  findings: z.array(
    z.object({
      id: z.string(),
      at: instant,
      kind: z.string(),
      epoch: count,
      message: z.string(),
      records: z.array(count).describe('Places in the log, from 0'),
    }),
  ),
  audit: z.object({ shown: count, demanded: count, unjudged: list }),
  canaries: z.record(z.string(), count).describe('By month: visits of the main site’s own'),
  imported: z.union([
    z.object({ kind: z.literal('imported'), records: count }),
    z.object({ kind: z.literal('off') }),
    z.object({ kind: z.literal('failed'), message: z.string() }),
  ]),
});

export const LOG_DOCUMENTS = {
  'logs-detect': z.object({
    path: z.string(),
    format: z.string(),
    lines: count,
    read: count,
    examples: z.array(z.object({ line: z.string(), fields: z.record(z.string(), z.string()) })),
    counted: z.object({ lines: count, unreadable: count }),
    failed: z
      .object({ line: z.string(), at: z.string().nullable().describe('The field at which it stops to fit') })
      .nullable()
      .describe('The first line that the format does not read'),
    caution: z.string().nullable().describe('Why what is read may be a visitor’s doing'),
  }),
  'logs-show': z.object({
    epoch: count,
    counts: lineCounts,
    logs: z.object({ T: shownLog, O: shownLog }),
    records: z.array(record),
    sample: z
      .union([
        z.object({ kind: z.enum(['none', 'answered-before']) }),
        z.object({ kind: z.literal('demanded'), records: z.array(record), leaving: count, dropped: count }),
        z.object({ kind: z.literal('refused'), why: z.string() }),
      ])
      .describe('What the main site has demanded to see of log O, which leaves with the next export'),
    warnings,
    disk: diskUse,
  }),
  'logs-commit': z.object(committed),
  'logs-export': z.object({
    export: count.nullable().describe('Its number; null when nothing is new'),
    chosen: z
      .object({ T: count.optional(), O: count.optional() })
      .describe('Records that a filter chose, where there was one'),
    answer: z
      .union([
        z.object({ kind: z.enum(['none', 'answered-before']) }),
        z.object({ kind: z.literal('answered'), records: count, dropped: count }),
        z.object({ kind: z.literal('refused'), why: z.string() }),
      ])
      .describe('To the main site’s demand for a sample'),
    complaints: list,
    ...committed,
  }),
  'logs-schedule': z.object({ cron: z.string(), systemd: z.record(z.string(), z.string()) }),
  'logs-new-epoch': z.object({
    epoch: count,
    carried: count,
    previous: z.object({ T: head.nullable(), O: head.nullable() }),
  }),
  'logs-pull': z.object({ partners: z.array(z.union([failed, pulled])) }),
  'logs-import': z.object({ partners: z.array(z.object({ partner: z.string(), records: count })) }),
  'logs-canary': z.object({
    partners: z.array(
      z.union([
        failed,
        z.object({ partner: z.string(), result: z.literal('sent'), sent: count, unexpected: list }),
        z.object({ partner: z.string(), result: z.literal('no-pages') }),
      ]),
    ),
  }),
  'logs-verify': z.union([
    z.object({ kind: z.literal('proof'), checkpoint, index: count, record }),
    z.object({
      kind: z.literal('part'),
      checkpoint,
      from: count,
      disclosed: count,
      withheld: count,
      classes: z.object(classes),
      firstSeq: count.nullable(),
      lastSeq: count.nullable(),
    }),
  ]),
  'logs-prove': z.object({ proof: z.string().describe('C2SP tlog-proof'), out: z.string().nullable() }),
};
