/**
 * Every document that `--json` prints, by its name: `plan` is `"schema": "tieup.plan/v1"`.
 *
 * What is printed is typed by these schemas, so that none can promise what is not there. Fields may be added to a version,
 * and none is taken away from it or given another meaning.
 */
import { z } from 'zod';
import { LOG_DOCUMENTS } from './logs.ts';
import { MAIN_SITE_DOCUMENTS } from './main-site.ts';
import { fault } from './parts.ts';
import { PARTNER_SITE_DOCUMENTS } from './partner-site.ts';

const findings = z.array(
  z.object({
    check: z.string(),
    state: z.enum(['ok', 'warning', 'problem']),
    message: z.string(),
    fix: z.string().nullable().describe('What mends it'),
  }),
);

export const DOCUMENTS = {
  init: z.object({ role: z.enum(['main', 'partner']), folder: z.string(), files: z.array(z.string()) }),
  doctor: z.object({
    role: z.enum(['main', 'partner']),
    problems: z.number(),
    warnings: z.number(),
    findings: findings.describe('About this site'),
    partners: z
      .array(z.object({ partner: z.string(), findings }))
      .optional()
      .describe('At the main site'),
  }),
  demo: z.object({ folder: z.string(), url: z.string(), result: z.literal('passed') }),
  schemas: z.object({ files: z.array(z.string()), printed: z.array(z.string()) }),
  schema: z.object({ name: z.string(), document: z.record(z.string(), z.unknown()) }),
  'tuf-client': z.object({ action: z.enum(['init', 'refresh', 'download']), target: z.string().nullable() }),
  ...MAIN_SITE_DOCUMENTS,
  ...PARTNER_SITE_DOCUMENTS,
  ...LOG_DOCUMENTS,
  error: fault.extend({ exitCode: z.number() }),
};

export type DocumentName = keyof typeof DOCUMENTS;

/** Data of a document as commands have it: nothing is changed on the way out. */
export type DocumentData<Name extends DocumentName> = DeepReadonly<z.infer<(typeof DOCUMENTS)[Name]>>;

type DeepReadonly<Value> = Value extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
    : Value;

export function isDocumentName(name: string): name is DocumentName {
  return Object.hasOwn(DOCUMENTS, name);
}

export function documentId(name: string): string {
  return `tieup.${name}/v1`;
}

/** The JSON Schema (draft 7, as those of the configuration are) of what `--json` prints. */
export function documentSchema(name: DocumentName): Record<string, unknown> {
  // As input: fields that later versions add do not make a document wrong.
  const { $schema, ...rest } = z.toJSONSchema(DOCUMENTS[name], { io: 'input', target: 'draft-7' });
  const head = { type: 'object', required: ['schema'], properties: { schema: { const: documentId(name) } } };
  return { $schema, title: documentId(name), allOf: [head, rest] };
}
