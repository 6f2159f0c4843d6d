/**
 * The small language of `if="…"`: names, texts in quotes, numbers, `true`, `false`, `==`, `!=`, `not`, `and`, `or` and
 * parentheses. It asks and never computes, so that a template can run nothing.
 */
export type Expression =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'constant'; readonly value: string | boolean }
  | { readonly kind: 'equal'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression };

/** The expression, or what is wrong with it, as the end of a sentence. */
export type ParsedExpression =
  | { readonly kind: 'parsed'; readonly expression: Expression }
  | { readonly kind: 'fault'; readonly fault: string };

const NAME = /^[A-Za-z][A-Za-z0-9_.-]*$/;
const TOKEN = /\s*(?:([A-Za-z][A-Za-z0-9_.-]*|-?\d+(?:\.\d+)?)|"([^"]*)"|'([^']*)'|(==|!=|\(|\)))/y;
const MAX_TOKENS = 200;

type Token =
  | { readonly kind: 'word' | 'sign'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string };

export function parseExpression(source: string): ParsedExpression {
  const tokens = tokenize(source);
  if (typeof tokens === 'string') return { kind: 'fault', fault: tokens };
  const parser = new ExpressionParser(tokens);
  const expression = parser.alternatives();
  if (expression === undefined) return { kind: 'fault', fault: parser.fault };
  const rest = parser.rest();
  if (rest !== undefined) return { kind: 'fault', fault: `has ${JSON.stringify(rest)} where it should end` };
  return { kind: 'parsed', expression };
}

/** Every name that `expression` asks for. */
export function namesIn(expression: Expression): string[] {
  switch (expression.kind) {
    case 'name':
      return [expression.name];
    case 'constant':
      return [];
    case 'not':
      return namesIn(expression.of);
    case 'equal':
    case 'and':
    case 'or':
      return [...namesIn(expression.left), ...namesIn(expression.right)];
  }
}

function tokenize(source: string): Token[] | string {
  const tokens: Token[] = [];
  const token = new RegExp(TOKEN);
  const end = source.trimEnd().length;
  for (let at = 0; at < end; at = token.lastIndex) {
    token.lastIndex = at;
    const match = token.exec(source);
    if (match === null) return `cannot hold ${JSON.stringify(source.slice(at).trim().slice(0, 20))}`;
    const [, word, double, single, sign] = match;
    if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else tokens.push({ kind: 'text', text: double ?? single ?? '' });
    if (tokens.length > MAX_TOKENS) return 'is too long';
  }
  return tokens;
}

class ExpressionParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  fault = 'is empty';

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  rest(): string | undefined {
    return this.#tokens[this.#at]?.text;
  }

  alternatives(): Expression | undefined {
    let left = this.#conjunction();
    while (left !== undefined && this.#takes('word', 'or')) {
      const right = this.#conjunction();
      left = right === undefined ? undefined : { kind: 'or', left, right };
    }
    return left;
  }

  #conjunction(): Expression | undefined {
    let left = this.#negation();
    while (left !== undefined && this.#takes('word', 'and')) {
      const right = this.#negation();
      left = right === undefined ? undefined : { kind: 'and', left, right };
    }
    return left;
  }

  #negation(): Expression | undefined {
    if (!this.#takes('word', 'not')) return this.#comparison();
    const of = this.#negation();
    return of === undefined ? undefined : { kind: 'not', of };
  }

  #comparison(): Expression | undefined {
    const left = this.#operand();
    const equal = this.#takes('sign', '==');
    if (left === undefined || (!equal && !this.#takes('sign', '!='))) return left;
    const right = this.#operand();
    if (right === undefined) return undefined;
    const equality: Expression = { kind: 'equal', left, right };
    return equal ? equality : { kind: 'not', of: equality };
  }

  #operand(): Expression | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined) return this.#fail(this.#at === 0 ? 'is empty' : 'ends too early');
    this.#at++;
    if (token.kind === 'text') return { kind: 'constant', value: token.text };
    if (token.kind === 'sign') {
      if (token.text !== '(') return this.#fail(`has ${JSON.stringify(token.text)} where a name should be`);
      const inside = this.alternatives();
      if (inside === undefined || this.#takes('sign', ')')) return inside;
      return this.#fail('has a parenthesis that is not closed');
    }
    if (token.text === 'true' || token.text === 'false') return { kind: 'constant', value: token.text === 'true' };
    if (['and', 'or', 'not'].includes(token.text))
      return this.#fail(`has ${JSON.stringify(token.text)} where a name should be`);
    return NAME.test(token.text) ? { kind: 'name', name: token.text } : { kind: 'constant', value: token.text };
  }

  #takes(kind: Token['kind'], text: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== kind || token.text !== text) return false;
    this.#at++;
    return true;
  }

  #fail(fault: string): undefined {
    this.fault = fault;
    return undefined;
  }
}
