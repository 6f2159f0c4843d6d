/**
 * The line form of signed statements: a first line with type and version, then `name value …` lines in fixed order.
 * One way to write a statement, so that its digest means something.
 */
import { TieupError } from '../errors.ts';
import { base64, strictBase64 } from './base64.ts';
import { isInstant } from './instant.ts';

/** A statement's lines after the first, by name, each with its values. */
export type Fields<Name extends string> = Readonly<Record<Name, readonly string[]>>;

/** Names in order, each with how many values it has. */
export type FieldShape<Name extends string> = readonly (readonly [Name, number])[];

/** The text of a statement; the inverse of {@link parseFields}. */
export function renderFields<Name extends string>(type: string, shape: FieldShape<Name>, fields: Fields<Name>): string {
  const lines = shape.map(([name]) => `${[name, ...fields[name]].join(' ')}\n`);
  return `${type}\n${lines.join('')}`;
}

/** @throws TIEUP_E_VERIFY when the type, a name, the order or a number of values is not as in `shape`. */
export function parseFields<Name extends string>(
  type: string,
  shape: FieldShape<Name>,
  text: string,
): ReadonlyMap<Name, readonly string[]> {
  const lines = text.split('\n');
  if (lines.length !== shape.length + 2 || lines[0] !== type || lines.at(-1) !== '') {
    throw malformed(type, `it does not consist of ${shape.length + 1} lines that start with ${JSON.stringify(type)}`);
  }
  const fields = new Map<Name, readonly string[]>();
  for (const [index, [name, count]] of shape.entries()) {
    const [head, ...values] = (lines[index + 1] ?? '').split(' ');
    if (head !== name || values.length !== count || values.includes('')) {
      throw malformed(type, `line ${index + 2} is not ${JSON.stringify(name)} with ${count} values`);
    }
    fields.set(name, values);
  }
  return fields;
}

/** Reads single values strictly; every failure names the statement and the field. */
export function fieldReader<Name extends string>(type: string, fields: ReadonlyMap<Name, readonly string[]>) {
  const value = (name: Name, index = 0): string => fields.get(name)?.[index] ?? '';
  const matching = (name: Name, index: number, pattern: RegExp, what: string): string => {
    const text = value(name, index);
    if (!pattern.test(text)) throw malformed(type, `${name} ${JSON.stringify(text)} is not ${what}`);
    return text;
  };
  return {
    text: value,
    matching,
    digest: (name: Name, index = 0) => matching(name, index, /^[0-9a-f]{64}$/, 'a SHA-256 digest'),
    digestOrNone: (name: Name, index = 0) =>
      value(name, index) === '-' ? null : matching(name, index, /^[0-9a-f]{64}$/, 'a SHA-256 digest'),
    count(name: Name, index = 0): number {
      const number = Number(matching(name, index, /^(?:0|[1-9]\d{0,15})$/, 'a whole number'));
      if (!Number.isSafeInteger(number)) throw malformed(type, `${name} is too large`);
      return number;
    },
    /** Bytes in base64; of that length when one is given. */
    bytes(name: Name, index: number, length?: number): Uint8Array {
      const text = value(name, index);
      const bytes = strictBase64(text, length);
      if (bytes !== undefined) return bytes;
      const wanted = length === undefined ? 'base64' : `${length} bytes in base64`;
      throw malformed(type, `${name} ${JSON.stringify(text)} is not ${wanted}`);
    },
    /** Words of a person in base64, of at most so many characters; null when there are none. */
    words(name: Name, limit: number, index = 0): string | null {
      if (value(name, index) === '-') return null;
      const words = Buffer.from(this.bytes(name, index)).toString();
      if (words.length > limit) throw malformed(type, `${name} is longer than ${limit} characters`);
      return words;
    },
    instant(name: Name, index = 0): string {
      const text = value(name, index);
      if (!isInstant(text))
        throw malformed(type, `${name} ${JSON.stringify(text)} is not an instant such as 2026-11-23T22:00:00Z`);
      return text;
    },
    oneOf<Word extends string>(name: Name, words: readonly Word[], index = 0): Word {
      const text = value(name, index);
      const word = words.find((candidate) => candidate === text);
      if (word === undefined) throw malformed(type, `${name} ${JSON.stringify(text)} is none of ${words.join(', ')}`);
      return word;
    },
  };
}

/** A person's words as one value of a line; the inverse of the reader's `words`. */
export function renderWords(words: string | null): string {
  return words === null || words === '' ? '-' : base64(Buffer.from(words));
}

/**
 * `statement`, which was read from `text`, if that is how it is written: one statement has one text, or its digest means nothing.
 * @throws TIEUP_E_VERIFY with `what`, such as `the receipt`, when it is written in another way.
 */
export function canonical<Statement>(
  what: string,
  text: string,
  statement: Statement,
  render: (statement: Statement) => string,
): Statement {
  if (render(statement) === text) return statement;
  throw new TieupError('TIEUP_E_VERIFY', `${what} is not in its canonical form`);
}

function malformed(type: string, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the ${type} statement is malformed: ${why}`);
}
