/** The configuration files as JSON Schema, for editors: completion, hover texts and red underlines. */
import { z } from 'zod';
import { mainSiteSchema } from './main-site.ts';
import { partnerSiteSchema } from './partner-site.ts';
import { partnershipSchema } from './partnership.ts';

const SCHEMAS = {
  'main-site': { title: 'tieup.yaml of a main site', schema: mainSiteSchema },
  partnership: { title: 'partners/<id>.yaml of a main site', schema: partnershipSchema },
  'partner-site': { title: 'tieup.yaml of a partner site', schema: partnerSiteSchema },
} as const;

export type SchemaName = keyof typeof SCHEMAS;

export const SCHEMA_NAMES: readonly SchemaName[] = ['main-site', 'partnership', 'partner-site'];

/** The JSON Schema (draft 7, which editors of YAML know best) of what a person may write. */
export function jsonSchema(name: SchemaName): Record<string, unknown> {
  const { title, schema } = SCHEMAS[name];
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' });
  return { $schema, title, ...rest };
}
