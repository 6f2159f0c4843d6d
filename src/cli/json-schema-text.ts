/** The JSON Schemas as the text that is printed and written beside a site's files. */
import { jsonSchema } from '../config/json-schema.ts';
import type { SchemaName } from '../config/json-schema.ts';

export function jsonSchemaText(name: SchemaName): string {
  return schemaText(jsonSchema(name));
}

export function schemaText(schema: object): string {
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
