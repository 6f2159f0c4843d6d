/** A person who knows the answers beforehand. */
import type { Prompt } from '../../src/io/prompt.ts';

export interface ScriptedPrompt extends Prompt {
  /** The questions that were asked, in order. */
  readonly asked: readonly string[];
}

/** Answers in order; a question too many, an answer of the wrong kind or one that is refused fails the test. */
export function scriptedPrompt(answers: readonly (string | boolean)[]): ScriptedPrompt {
  const asked: string[] = [];
  const next = (question: string): string | boolean => {
    const answer = answers[asked.length];
    asked.push(question);
    if (answer === undefined) throw new Error(`nobody expected the question "${question}"`);
    return answer;
  };
  const nextText = (question: string): string => {
    const answer = next(question);
    if (typeof answer !== 'string') throw new Error(`"${question}" wants a text`);
    return answer;
  };
  return {
    asked,
    interactive: true,
    confirm: async (question) => {
      const answer = next(question);
      if (typeof answer !== 'boolean') throw new Error(`"${question}" wants true or false`);
      return answer;
    },
    text: async (question, options) => {
      const typed = nextText(question);
      const answer = typed === '' ? (options?.initial ?? '') : typed;
      const fault = options?.validate?.(answer);
      if (fault !== undefined) throw new Error(`"${answer}" was refused: ${fault}`);
      return answer;
    },
    choose: async (question, choices) => {
      const answer = nextText(question);
      if (!choices.some(({ value }) => value === answer)) throw new Error(`"${answer}" is no choice of "${question}"`);
      return answer;
    },
    password: async (question) => nextText(question),
  };
}
