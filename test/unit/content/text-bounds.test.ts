import { describe, expect, it } from 'vitest';
import { excessOf } from '../../../src/content/text-bounds.ts';

/** Far more characters than the engine of regular expressions has room for on its stack. */
const LONG = 20_000_000;

describe('the bounds of a text', () => {
  it.each([
    ['blanks', ' '.repeat(LONG), undefined],
    ['signs', `>${'x'.repeat(LONG)}`, undefined],
    ['a label', `[^${'x'.repeat(LONG)}]: x`, undefined],
    ['quotations', '>'.repeat(LONG), 'quotations, lists or footnotes are nested more than 100 deep'],
  ])('are found in one very long line of %s', (_, text, message) => {
    expect(excessOf(text)?.message).toBe(message);
  });

  it('count the lines with which a list goes on, and not those of code after it', () => {
    const lines = 'x\n'.repeat(4_001);
    expect(excessOf(`- a\n${lines}`)?.line).toBe(4_002);
    expect(excessOf(`- a\n\`\`\`js\n${lines}\`\`\`\n`)).toBeUndefined();
    expect(excessOf(`> a\n~~~\n${lines}~~~\n`)).toBeUndefined();
    // What only looks like code, or stands in the item, is a line of it.
    for (const fence of ['``` `', '  ```']) expect(excessOf(`- a\n${fence}\n${lines}`)).toBeDefined();
  });
});
