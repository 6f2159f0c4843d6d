/** Data files: YAML or JSON whose values templates and pages show. */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { decodeYaml } from './document.ts';

/** A value of a data file; the shape is that of content/data.ts. */
export type DataValue = string | number | boolean | null | readonly DataValue[] | { readonly [key: string]: DataValue };

/** Characters of one file. */
const MAX_LENGTH = 8 * 1024 * 1024;
const MAX_DEPTH = 100;

const json: z.ZodType<DataValue> = z.json();

/**
 * @param file for messages, and whose name says what it holds: `data/shops.yaml`, `data/shops.json`
 * @throws TIEUP_E_CONTENT with every problem and its place
 */
export function parseDataFile(source: string, file: string): DataValue {
  const text = source.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  if (!file.endsWith('.json')) {
    return decodeYaml(text, file, json, { code: 'TIEUP_E_CONTENT', maxLength: MAX_LENGTH });
  }
  if (text.length > MAX_LENGTH) throw refusal(file, text, 0, `the file has more than ${MAX_LENGTH} characters`);
  const deep = tooDeep(text);
  if (deep !== undefined) throw refusal(file, text, deep, `the value is nested more than ${MAX_DEPTH} deep`);
  try {
    return json.parse(JSON.parse(text, refuseTrap));
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      const [, position] = /at position (\d+)/.exec(cause.message) ?? [];
      const offset = position === undefined ? text.length : Number(position);
      throw refusal(file, text, offset, 'this is no JSON', cause);
    }
    if (cause instanceof RangeError) throw refusal(file, text, 0, cause.message, cause);
    throw cause;
  }
}

/** Objects lose this key on the way, so that it would be ignored without a word. */
function refuseTrap(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new RangeError('the key `__proto__` is not allowed');
  return value;
}

/** Where the text opens more lists and mappings in each other than may be; whoever walks over them recurses. */
function tooDeep(text: string): number | undefined {
  let depth = 0;
  for (const { 0: sign, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (sign === '[' || sign === '{') depth++;
    else if (sign === ']' || sign === '}') depth--;
    if (depth > MAX_DEPTH) return index;
  }
  return undefined;
}

function refusal(file: string, text: string, offset: number, message: string, cause?: unknown): TieupError {
  const before = text.slice(0, offset).split('\n');
  const place = { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  return new TieupError('TIEUP_E_CONTENT', `${file}: ${message}`, { cause, problems: [{ ...place, message }] });
}
