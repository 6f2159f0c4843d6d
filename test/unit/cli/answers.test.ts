/** The one way in which commands compare six words, and in which they read an answer. */
import { describe, expect, test } from 'vitest';
import { answer, compareWords, type Comparison } from '../../../src/cli/answers.ts';
import type { Context } from '../../../src/cli/command-context.ts';
import { createContext } from '../../../src/cli/context.ts';
import { createOutput } from '../../../src/cli/output.ts';
import { TieupError } from '../../../src/errors.ts';
import { noPrompt } from '../../../src/io/prompt.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { sixWords } from '../../../src/protocol/vkey.ts';
import { fakeTerminal } from '../../support/fake-terminal.ts';

const digest = sha256('transcript');
const words = sixWords(digest);

/** A person who says yes or no and types `typed`, one after another; nobody when undefined. */
function context(person?: { readonly says?: boolean; readonly typed?: readonly string[] }): {
  readonly ctx: Context;
  readonly shown: () => string;
  readonly asked: string[];
} {
  const terminal = fakeTerminal({ person: person !== undefined });
  const asked: string[] = [];
  const output = createOutput(terminal, { json: false, quiet: false, colour: false });
  const base = createContext(
    terminal,
    { json: false, quiet: false, colour: false, folder: undefined, site: undefined },
    output,
  );
  const ctx: Context = {
    ...base,
    prompt: async () => ({
      ...noPrompt,
      interactive: person !== undefined,
      confirm: async (question) => {
        asked.push(question);
        return person?.says ?? false;
      },
      text: async (_question, { validate } = {}) => {
        for (const text of person?.typed ?? []) {
          const fault = validate?.(text);
          if (fault === undefined) return text;
          asked.push(fault);
        }
        throw new Error('nothing was typed that can be used');
      },
    }),
  };
  return { ctx, shown: () => terminal.err(), asked };
}

function comparison(yes?: string): Comparison {
  return {
    reader: 'the main site',
    words,
    digest,
    yes,
    ask: 'Did it?',
    otherwise: 'nothing was made',
    hint: 'ask again',
  };
}

describe('six words that the other party reads out', () => {
  test.each([
    ['blanks', words.join(' ')],
    ['dashes', words.join('-')],
    ['capitals and more blanks', ` ${words.join('  ').toUpperCase()} `],
    ['the digest', digest],
  ])('are agreed to on the command line with %s', async (_what, yes) => {
    const { ctx, shown, asked } = context();
    await compareWords(ctx, comparison(yes));
    expect(shown()).toContain(`the main site reads six words to you. They must be:\n  ${words.join(' ')}\n`);
    expect(asked).toEqual([]);
  });

  test.each([
    ['other words', sixWords(sha256('another')).join(' ')],
    ['five of them', words.slice(1).join(' ')],
    ['nothing', ''],
    ['yes', 'yes'],
  ])('are refused with %s', async (_what, yes) => {
    await expect(compareWords(context({ says: true }).ctx, comparison(yes))).rejects.toMatchObject({
      code: 'TIEUP_E_VERIFY',
      message: expect.stringContaining('nothing was made'),
      hint: 'ask again',
    });
  });

  test('are asked for in full, and a no is a no', async () => {
    const { ctx, asked } = context({ says: true });
    await compareWords(ctx, comparison());
    expect(asked).toEqual([`Did it? (${words.join(' ')})`]);
    await expect(compareWords(context({ says: false }).ctx, comparison())).rejects.toMatchObject({
      code: 'TIEUP_E_DECLINED',
    });
  });

  test('need --yes where there is nobody', async () => {
    await expect(compareWords(context().ctx, comparison())).rejects.toMatchObject({
      code: 'TIEUP_E_USAGE',
      message: expect.stringContaining('--yes'),
    });
  });
});

describe('an answer', () => {
  const read = (text: string): string => {
    if (/^[a-z]+$/.test(text)) return text.toUpperCase();
    throw new TieupError('TIEUP_E_CONFIG', `${JSON.stringify(text)} is wrong`, { hint: 'write letters' });
  };
  const question = { flag: '--word', ask: 'Which word', read };

  test('that cannot be used is asked for again, and kept as it is read', async () => {
    const { ctx, asked } = context({ typed: ['1', 'no no', 'yes'] });
    expect(await answer(ctx, { ...question, given: undefined })).toBe('YES');
    expect(asked).toEqual(['"1" is wrong: write letters', '"no no" is wrong: write letters']);
  });

  test('on the command line is refused when it cannot be used, also when somebody could be asked', async () => {
    const { ctx } = context({ typed: ['yes'] });
    await expect(answer(ctx, { ...question, given: '1' })).rejects.toMatchObject({ code: 'TIEUP_E_CONFIG' });
    expect(await answer(ctx, { ...question, given: 'yes' })).toBe('YES');
  });
});
