import { Argument } from '@commander-js/extra-typings';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { jsonSchema, SCHEMA_NAMES } from '../../config/json-schema.ts';
import { jsonSchemaText } from '../json-schema-text.ts';

export const define: Define = (command, context) => {
  command
    .addArgument(new Argument('<name>', 'which file').choices(SCHEMA_NAMES))
    .addHelpText(
      'after',
      examples({
        'tieup schema main-site > schemas/main-site.json': 'for the completion of your editor',
        'tieup schema partnership': 'what a file in partners/ may say',
      }),
    )
    .action((name) => {
      const { output } = context();
      // The document that was asked for is JSON already; --json only puts it into its envelope.
      output.result('schema', { name, document: jsonSchema(name) }, () => jsonSchemaText(name));
    });
};
