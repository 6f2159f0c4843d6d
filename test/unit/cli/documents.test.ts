import { expect, test } from 'vitest';
import { DOCUMENTS, documentSchema, isDocumentName } from '../../../src/cli/documents/catalog.ts';

const NAMES = Object.keys(DOCUMENTS).filter(isDocumentName);

test.each(NAMES)('%s has a JSON Schema that names its version and allows what later versions add', (name) => {
  const text = JSON.stringify(documentSchema(name));
  expect(JSON.parse(text)).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `tieup.${name}/v1`,
    allOf: [{ required: ['schema'], properties: { schema: { const: `tieup.${name}/v1` } } }, {}],
  });
  expect(text).not.toContain('"additionalProperties":false');
});

test('what is no document has no schema', () => {
  expect(['', 'nope', 'toString', '__proto__'].filter(isDocumentName)).toEqual([]);
});
