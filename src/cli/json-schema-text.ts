/** The JSON Schemas as the text that is printed and written beside a site's files. */
import { jsonSchema } from '../config/json-schema.ts';
import type { SchemaName } from '../config/json-schema.ts';

export function jsonSchemaText(name: SchemaName): string {
  return `${JSON.stringify(jsonSchema(name), undefined, 2)}\n`;
}
