import { jsonSchema, SCHEMA_NAMES, type SchemaName } from '../../config/json-schema.ts';
import { TieupError } from '../../errors.ts';
import { nearest } from '../../protocol/nearest.ts';
import type { Define } from '../define.ts';
import { DOCUMENTS, documentSchema, isDocumentName } from '../documents/catalog.ts';
import { examples } from '../examples.ts';
import { schemaText } from '../json-schema-text.ts';

const FILES: readonly string[] = SCHEMA_NAMES;
const PRINTED = Object.keys(DOCUMENTS).toSorted();

export const define: Define = (command, context) => {
  command
    .argument('[name]', 'main-site, partner-site or partnership for a file, or what --json prints: plan, push, …')
    .addHelpText(
      'after',
      examples({
        'tieup schema': 'which names there are',
        'tieup schema main-site > schemas/main-site.json': 'for the completion of your editor',
        'tieup schema plan': 'what tieup plan --json prints',
      }),
    )
    .action((name) => {
      const { output } = context();
      if (name === undefined) {
        output.result('schemas', { files: FILES, printed: PRINTED }, listText);
        return;
      }
      const document = schemaOf(name);
      // The document that was asked for is JSON already; --json only puts it into its envelope.
      output.result('schema', { name, document }, () => schemaText(document));
    });
};

function schemaOf(name: string): Record<string, unknown> {
  if (isFile(name)) return jsonSchema(name);
  if (isDocumentName(name)) return documentSchema(name);
  const close = nearest(name, [...FILES, ...PRINTED]);
  throw new TieupError('TIEUP_E_USAGE', `there is no schema ${JSON.stringify(name)}`, {
    hint: close === undefined ? 'tieup schema lists them' : `did you mean ${close}?`,
  });
}

function isFile(name: string): name is SchemaName {
  return FILES.includes(name);
}

function listText(): string {
  return [
    'Files that you write:',
    ...FILES.map((name) => `  ${name}`),
    'What --json prints:',
    ...PRINTED.map((name) => `  ${name}`),
    '',
  ].join('\n');
}
