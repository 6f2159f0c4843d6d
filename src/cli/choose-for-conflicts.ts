/** Asks the manager about every conflict between the tie-up pages and the site. */
import type { Prompt } from '../io/prompt.ts';
import type { Choices, PathChoice } from '../merge/choices.ts';
import type { ChoiceName, Conflict } from '../merge/conflict.ts';
import type { Output } from './output.ts';
import { visible } from './visible.ts';

const LABELS: Readonly<Record<ChoiceName, string>> = {
  'keep-mine': 'keep mine: the tie-up page is left out',
  'take-theirs': 'take theirs: my page stays in its folder, but visitors see the tie-up page',
  rename: 'publish the tie-up page under another name',
};
const STOP = 'stop';

/** Undefined when there is nobody to ask, when only a change of the files helps, or when the manager stops. */
export async function chooseForConflicts(
  output: Output,
  prompt: Prompt,
  conflicts: readonly Conflict[],
): Promise<Choices['paths'] | undefined> {
  if (!prompt.interactive || conflicts.some(({ possible }) => possible.length === 0)) return undefined;
  const chosen: Record<string, PathChoice> = {};
  output.message(intro(conflicts.length));
  for (const { path, message, refused, possible } of conflicts) {
    if (Object.hasOwn(chosen, path)) continue;
    const choices = possible.map((value) => ({ value, label: LABELS[value] }));
    const question = visible(refused === undefined ? message : `${message}; ${refused}`);
    const answer = await prompt.choose(question, [...choices, { value: STOP, label: 'stop: nothing changes' }]);
    if (answer === STOP) return undefined;
    if (answer === 'rename') chosen[path] = { rename: await askName(prompt, path) };
    else if (answer === 'keep-mine' || answer === 'take-theirs') chosen[path] = answer;
  }
  return chosen;
}

function intro(count: number): string {
  const many = count === 1 ? 'One tie-up page has' : `${count} tie-up pages have`;
  return `${many} no place on your site. Choose what shall happen; nothing changes before you accept.`;
}

async function askName(prompt: Prompt, path: string): Promise<string> {
  const initial = path.replace(/(\.[^./]+)?$/, '-2$1');
  const name = await prompt.text('Its new path', { initial });
  return name.replace(/^\/+/, '');
}
