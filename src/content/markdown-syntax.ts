/**
 * What tieup adds to Markdown's grammar: `{{ variables }}` in text, and `<slot name="…">`, `</slot>` on lines of their own.
 *
 * Both are micromark constructs, so that code, escapes (`\{{`) and every other rule of CommonMark decide first. They
 * produce raw HTML nodes, the one node that holds its source as it is; nothing else in Markdown yields raw HTML that
 * starts with a brace.
 */
import type { Data } from 'unified';
import { isMarkCode } from './marks.ts';

// The data of processors that remark-parse is used on; unified-engine.ts uses it.
type Extension = NonNullable<Data['micromarkExtensions']>[number];
type Constructs = NonNullable<Extension['text']>[string];
type Construct = Exclude<Constructs, undefined | readonly unknown[]>;
type Tokenizer = Construct['tokenize'];
type Code = Parameters<ReturnType<Tokenizer>>[0];

const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const LESS_THAN = 60;
const HYPHEN = 45;
const UNDERSCORE = 95;
const DOT = 46;
const SPACE = 32;
/** micromark's codes for a tab and the columns it fills. */
const TAB = -2;
const TAB_FILL = -1;

/** A line that opens a slot, closes one, or does both. */
export const SLOT_LINE = /^(?:<slot +name=(?:"([^"]*)"|'([^']*)') *>[ \t]*(<\/slot>)?|<\/slot>)[ \t]*$/;
const MAX_SLOT_LINE = 200;

const isBlank = (code: Code): boolean =>
  // Blanks of a variable in what may be an address are marked; see `joinAddresses` of marks.ts.
  code === SPACE || code === TAB || code === TAB_FILL || (code !== null && isMarkCode(code));
const isLineEnd = (code: Code): boolean => code === null || code < TAB;

function isLetter(code: Code): boolean {
  return code !== null && ((code >= 65 && code <= 90) || (code >= 97 && code <= 122));
}

function isNameCharacter(code: Code): boolean {
  if (isLetter(code) || code === HYPHEN || code === UNDERSCORE || code === DOT) return true;
  return code !== null && code >= 48 && code <= 57;
}

/** `{{ partner.name }}`, as VARIABLE of variables.ts has it. */
const variable: Construct = {
  name: 'tieupVariable',
  tokenize(effects, ok, nok) {
    const start = (code: Code): ReturnType<typeof ok> => {
      effects.enter('htmlText');
      effects.enter('htmlTextData');
      effects.consume(code);
      return secondBrace;
    };
    const secondBrace = (code: Code): ReturnType<typeof ok> => {
      if (code !== OPEN_BRACE) return nok(code);
      effects.consume(code);
      return beforeName;
    };
    const beforeName = (code: Code): ReturnType<typeof ok> => {
      if (!isBlank(code) && !isLetter(code)) return nok(code);
      effects.consume(code);
      return isBlank(code) ? beforeName : inName;
    };
    const inName = (code: Code): ReturnType<typeof ok> => {
      if (!isNameCharacter(code)) return afterName(code);
      effects.consume(code);
      return inName;
    };
    const afterName = (code: Code): ReturnType<typeof ok> => {
      if (!isBlank(code) && code !== CLOSE_BRACE) return nok(code);
      effects.consume(code);
      return isBlank(code) ? afterName : lastBrace;
    };
    const lastBrace = (code: Code): ReturnType<typeof ok> => {
      if (code !== CLOSE_BRACE) return nok(code);
      effects.consume(code);
      effects.exit('htmlTextData');
      effects.exit('htmlText');
      return ok;
    };
    return start;
  },
};

const slotLine: Construct = {
  name: 'tieupSlotLine',
  concrete: true,
  tokenize(effects, ok, nok) {
    let line = '';
    const start = (code: Code): ReturnType<typeof ok> => {
      effects.enter('htmlFlow');
      effects.enter('htmlFlowData');
      return inside(code);
    };
    const inside = (code: Code): ReturnType<typeof ok> => {
      if (isLineEnd(code)) {
        if (!SLOT_LINE.test(line)) return nok(code);
        effects.exit('htmlFlowData');
        effects.exit('htmlFlow');
        return ok(code);
      }
      if (line.length > MAX_SLOT_LINE) return nok(code);
      line += code === null || code < 0 ? ' ' : String.fromCodePoint(code);
      effects.consume(code);
      return inside;
    };
    return start;
  },
};

/** For `micromarkExtensions` of a unified processor. */
export const variableSyntax: Extension = { text: { [OPEN_BRACE]: variable } };
export const slotSyntax: Extension = { flow: { [LESS_THAN]: slotLine } };
