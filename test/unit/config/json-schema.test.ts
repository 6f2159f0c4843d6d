import { expect, test } from 'vitest';
import { jsonSchema, SCHEMA_NAMES } from '../../../src/config/json-schema.ts';

test.each(SCHEMA_NAMES)('the JSON Schema of %s is the one that editors were given', async (name) => {
  // A change here is a change of what people may write: look at it, then run vitest with -u.
  const text = `${JSON.stringify(jsonSchema(name), undefined, 2)}\n`;
  await expect(text).toMatchFileSnapshot(`../../vectors/schema/${name}.json`);
});

test.each(SCHEMA_NAMES)('an editor underlines unknown keys of %s', (name) => {
  expect(jsonSchema(name)).toMatchObject({ type: 'object', additionalProperties: false });
});
