/** `logs:` in `tieup.yaml` of a partner: which access logs are read, and what of a visit leaves this machine. */
import { z } from 'zod';
import { isZone } from '../protocol/zone.ts';
import { hostName } from './fields.ts';

export interface LogsConfig {
  readonly sources: readonly LogSource[];
  /** Names of the site beside that in `url`, which counts with and without `www.`: a log may be of other sites too. */
  readonly hosts: readonly string[];
  readonly privacy: LogPrivacy;
  readonly export: {
    /** What is handed out of each log beside its certificate: every record, or only how many there are. */
    readonly T: LogDisclosure;
    readonly O: LogDisclosure;
    /** When, each day: `04:10`, by the clock of the server. */
    readonly at: string;
  };
  readonly audit: {
    /** How many records of log O the main site may see in a day (UTC) as a sample, at most. */
    readonly perDay: number;
  };
  /** How long records are kept here once they are cosigned; their hashes stay. */
  readonly keepDays: number;
}

/** The files of one web server, or of one of its hosts. */
export interface LogSource {
  /** A path, absolute or relative to the folder of tieup.yaml; `*` and `?` in its last component. */
  readonly files: string;
  /** A name such as `combined`, or the server's own `log_format` or `LogFormat` string. */
  readonly format: string;
  /** The host of requests whose log does not name one. */
  readonly host?: string | undefined;
  /** The offset of times whose log does not name one: `+0100`, or `Europe/Berlin` for one that changes with summer time. */
  readonly zone: string;
  /** Which address of X-Forwarded-For is the visitor's, behind proxies: that which the last proxy saw, or the first one, which a visitor can make up. */
  readonly forwarded?: 'last' | 'first' | undefined;
}

/** Applied before a record is sealed: what is dropped here is nowhere afterwards. */
export interface LogPrivacy {
  /** `truncate` keeps the first 24 bits of IPv4 and 48 of IPv6 addresses. */
  readonly address: 'truncate' | 'full' | 'drop';
  /** `daily`: a pseudonym that is good for one day, whose secret is destroyed after 48 hours. */
  readonly visitor: 'daily' | 'none';
  /** Names of the query parameters that are kept. */
  readonly query: readonly string[];
  readonly referrer: 'origin' | 'full' | 'drop';
  readonly user: 'drop' | 'keep';
}

export type LogDisclosure = 'whole' | 'none';

const line = z.string().regex(/^[^\p{Cc}]*$/u, { error: 'must be one line without control characters' });

const source: z.ZodType<LogSource> = z.strictObject({
  files: line.min(1).max(1000).meta({ description: 'a path; * and ? in its last component' }),
  format: line
    .min(1)
    .max(4000)
    .default('combined')
    .meta({ description: "a name, or the server's own format string; tieup logs detect FILE finds it" }),
  host: hostName.optional().meta({ description: 'the host of requests whose log does not name one' }),
  zone: z
    .string()
    .max(64)
    .refine(isZone, { error: 'must be an offset such as +0100, or a place such as Europe/Berlin' })
    .default('+0000')
    .meta({ description: 'the offset of times whose log does not name one, or the place of the server' }),
  forwarded: z.enum(['last', 'first']).optional().meta({
    description: 'behind proxies, which address of X-Forwarded-For is the visitor’s; visitors can make up the first',
  }),
});

const privacy = z
  .strictObject({
    address: z.enum(['truncate', 'full', 'drop']).default('truncate'),
    visitor: z.enum(['daily', 'none']).default('daily'),
    query: z
      .array(z.string().regex(/^[^\s&=#]{1,100}$/, { error: 'must be the name of a query parameter' }))
      .max(100)
      .default([])
      .meta({ description: 'query parameters that are kept' }),
    referrer: z.enum(['origin', 'full', 'drop']).default('origin'),
    user: z.enum(['drop', 'keep']).default('drop'),
  })
  .prefault({})
  .meta({ description: 'what of a visit leaves this machine' });

const disclosure = z.enum(['whole', 'none']);

export const logsSchema: z.ZodType<LogsConfig> = z.strictObject({
  sources: z.array(source).min(1).max(100),
  hosts: z
    .array(hostName)
    .max(100)
    .default([])
    .meta({ description: 'names of this site beside the one in url, where logs name the host' }),
  privacy,
  export: z
    .strictObject({
      T: disclosure.default('whole'),
      O: disclosure.default('none'),
      at: z
        .string()
        .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a time of day such as 04:10' })
        .default('04:10')
        .meta({ description: 'when tieup logs schedule lets it happen' }),
    })
    .prefault({})
    .meta({ description: 'what is handed out of each log beside its certificate, and when' }),
  audit: z
    .strictObject({ perDay: z.int().min(0).max(10_000).default(500) })
    .prefault({})
    .meta({ description: 'how many records of your own pages the main site may see in a day as a sample' }),
  keepDays: z
    .int()
    .min(35)
    .max(3650)
    .default(400)
    .meta({ description: 'how many days records are kept here after the main site has cosigned them' }),
});
