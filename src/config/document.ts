/**
 * YAML documents that people write: strict YAML 1.2, decoded once against a schema, every fault with its place.
 *
 * The files are the user's own, yet a mistake must never be read as something else, and a page that somebody
 * contributed must not stall the build: size, depth and aliases are bounded before anything is expanded.
 */
import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, parseDocument, Parser, visit } from 'yaml';
import type { Document, Node, Pair, YAMLError } from 'yaml';
import type { z } from 'zod';
import { TieupError } from '../errors.ts';
import type { ErrorCode, Problem } from '../errors.ts';
import { findings, plainIssue } from './plain-words.ts';
import type { Finding } from './plain-words.ts';

/** Characters of one document. */
const MAX_LENGTH = 256 * 1024;
/** Nested collections; the composer of the yaml package recurses and takes the process down when it gets too deep. */
const MAX_DEPTH = 100;
const MAX_ALIASES = 50;
const MAX_PROBLEMS = 100;

const PARSE = {
  version: '1.2',
  schema: 'core',
  strict: true,
  uniqueKeys: true,
  stringKeys: true,
  merge: false,
  prettyErrors: false,
} as const;

export interface DecodeOptions {
  /** Lines before the text in its file: 1 for front matter, whose text starts on the second line. */
  readonly lineOffset?: number;
  /** TIEUP_E_CONFIG unless given. */
  readonly code?: ErrorCode;
  /** Characters; those of a configuration unless given. */
  readonly maxLength?: number;
}

/**
 * The value that `text` holds, as `schema` describes it.
 *
 * Own messages in a schema continue a sentence that begins with the key: `{ error: 'must start and end with a slash' }`
 * becomes "`mount` must start and end with a slash (it is "x")". Issues without one are put into plain words.
 * @param file as the user knows it, for messages
 * @throws `options.code` with every problem found, each with file, line and column: of the key when the key is unknown,
 * of the value otherwise, of the surrounding mapping when something is missing.
 */
export function decodeYaml<T>(text: string, file: string, schema: z.ZodType<T>, options: DecodeOptions = {}): T {
  const refuse = (problems: readonly Problem[], cause?: unknown): TieupError => {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    const code = options.code ?? 'TIEUP_E_CONFIG';
    return new TieupError(code, `${file} has ${count}`, { problems: problems.slice(0, MAX_PROBLEMS), cause });
  };
  const lines = new LineCounter();
  const placed = (message: string, offset: number): Problem => {
    const { line, col } = lines.linePos(offset);
    return { message, file, line: Math.max(line, 1) + (options.lineOffset ?? 0), column: Math.max(col, 1) };
  };

  const tooMuch = excess(text, lines, options.maxLength ?? MAX_LENGTH);
  if (tooMuch !== undefined) throw refuse([placed(tooMuch.message, tooMuch.offset)]);
  const document = parseDocument(text, { ...PARSE, lineCounter: lines });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) throw refuse(faults.map((fault) => placed(plainYaml(fault), fault.pos[0])));
  const traps = findTraps(document);
  if (traps.length > 0) throw refuse(traps.map((trap) => placed(trap.message, trap.offset)));

  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw refuse([placed('the aliases expand to too much', 0)], cause);
  }
  const decoded = schema.safeParse(value, { error: plainIssue, reportInput: true });
  if (decoded.success) return decoded.data;
  const found = findings(decoded.error.issues).map((finding) => placed(finding.message, offsetOf(document, finding)));
  throw refuse(found.toSorted(byPlace), decoded.error);
}

interface Trap {
  readonly message: string;
  readonly offset: number;
}

/** What is too large to be parsed. The lexer and the parser keep their own stack, so that this cannot overflow. */
function excess(text: string, lines: LineCounter, maxLength: number): Trap | undefined {
  if (text.length > maxLength) return { message: `the document has more than ${maxLength} characters`, offset: 0 };
  const parser = new Parser(lines.addNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) void token;
    if (parser.stack.length > MAX_DEPTH) {
      return { message: `the document is nested more than ${MAX_DEPTH} deep`, offset: parser.offset };
    }
  }
  lines.lineStarts.length = 0;
  return undefined;
}

/** What YAML allows and what would be read as something that its writer did not mean. */
function findTraps(document: Document.Parsed): Trap[] {
  const traps: Trap[] = [];
  const { version, explicit } = document.directives.yaml;
  if (explicit === true && version !== '1.2') {
    traps.push({ message: `this is YAML ${version}, which reads "yes" as true: leave out the %YAML line`, offset: 0 });
  }
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) === undefined) {
        traps.push({ message: `nothing before this is named &${alias.source}`, offset: startOf(alias) });
      }
    },
    Pair(_key, pair) {
      // Objects lose this key on the way, so that it would be ignored without a word.
      if (keyOf(pair) === '__proto__') {
        traps.push({ message: 'the key `__proto__` is not allowed', offset: startOf(pair.key) });
      }
    },
  });
  return traps;
}

const YAML_IN_PLAIN_WORDS: Partial<Record<YAMLError['code'], string>> = {
  DUPLICATE_KEY: 'this key is there twice',
  TAB_AS_INDENT: 'a tab cannot indent YAML: use spaces',
  MULTIPLE_DOCS: 'a second document starts here: keep one',
  NON_STRING_KEY: 'a key must be a plain word',
  BLOCK_AS_IMPLICIT_KEY: 'a value is put where a key begins: quote it when it holds ": "',
  BAD_SCALAR_START: 'a value must not start with this character: quote it',
};

function plainYaml(fault: YAMLError): string {
  const plain = YAML_IN_PLAIN_WORDS[fault.code];
  if (plain !== undefined) return plain;
  const message = fault.message.replace(/\.$/, '');
  return `${message.slice(0, 1).toLowerCase()}${message.slice(1)}`;
}

function offsetOf(document: Document.Parsed, finding: Finding): number {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const [index, step] of finding.path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isSeq(node)) node = node.items[Number(step)];
    else if (isMap(node)) {
      const pair = node.items.find((item) => keyOf(item) === String(step));
      if (pair === undefined) return offset;
      const last = index === finding.path.length - 1;
      // What is missing in a mapping is reported at the key of that mapping, which is where a person looks for it.
      if (last ? finding.at === 'key' : isMap(pair.value)) offset = startOf(pair.key);
      else offset = pair.value === null ? startOf(pair.key) : startOf(pair.value);
      node = pair.value;
      continue;
    }
    if (node === undefined || node === null) return offset;
    offset = startOf(node);
  }
  return offset;
}

function keyOf(pair: Pair): string {
  return String(isScalar(pair.key) ? pair.key.value : pair.key);
}

function startOf(node: unknown): number {
  return isNodeWithRange(node) ? node.range[0] : 0;
}

function isNodeWithRange(node: unknown): node is Node & { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

function byPlace(a: Problem, b: Problem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

export interface YamlEdit {
  readonly path: readonly (string | number)[];
  /** undefined removes the key. */
  readonly value: unknown;
}

/**
 * The document with `edits` carried out in order; comments, order and quoting of everything else stay.
 * @throws TIEUP_E_CONFIG when the text is no YAML document.
 */
export function editYaml(text: string, file: string, edits: readonly YamlEdit[]): string {
  const document = parseDocument(text, PARSE);
  const [fault] = document.errors;
  if (fault !== undefined) {
    throw new TieupError('TIEUP_E_CONFIG', `${file} cannot be edited: ${plainYaml(fault)}`, { cause: fault });
  }
  for (const { path, value } of edits) {
    if (value === undefined) document.deleteIn(path);
    else document.setIn(path, isPlain(value) ? value : document.createNode(value));
  }
  return document.toString({ lineWidth: 0 });
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}
