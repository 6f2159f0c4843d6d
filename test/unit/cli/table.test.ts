import { Chalk } from 'chalk';
import { describe, expect, test } from 'vitest';
import { displayWidth, table } from '../../../src/cli/table.ts';

describe('the width of text on a terminal', () => {
  test.each([
    ['abc', 3],
    ['Größe', 5],
    ['Gro\u0308ße', 5],
    ['東京', 4],
    ['ｱ', 1],
    ['Ａ', 2],
    ['🎉', 2],
    ['👩‍👩‍👧', 2],
    ['❤️', 2],
    ['\u001b[31mred\u001b[39m', 3],
    ['', 0],
  ])('of %j is %i', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('a table', () => {
  test('has aligned columns and no blanks at the end of a line', () => {
    const rows = [
      ['harbour', '✓ live', '12'],
      ['東京', '… pending', ''],
    ];
    expect(table(['partner', 'state', 'release'], rows)).toBe(
      'partner  state      release\nharbour  ✓ live     12\n東京     … pending\n',
    );
  });

  test('is aligned with colours as without', () => {
    const { green } = new Chalk({ level: 1 });
    const [, coloured] = table(['a', 'b'], [[green('ok'), 'x']]).split('\n');
    expect(coloured).toBe(`${green('ok')}  x`);
  });
});
