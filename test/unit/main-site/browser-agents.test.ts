import { expect, test } from 'vitest';
import { browserAgent } from '../../../src/main-site/browser-agents.ts';

/** Every value in turn, so that all of them are drawn. */
function drawer() {
  let count = 0;
  return <Value>(values: readonly Value[]): Value => {
    count = (count * 1_103_515_245 + 12_345) % 2 ** 31;
    const value = values[Math.floor((count / 2 ** 31) * values.length)];
    if (value === undefined) throw new Error('there is nothing to draw from');
    return value;
  };
}

const agentsOn = (day: string): readonly string[] => {
  const draw = drawer();
  return Array.from({ length: 2000 }, () => browserAgent(draw, new Date(day)));
};
const newest = (agents: readonly string[], name: string): number =>
  Math.max(...agents.map((agent) => Number(new RegExp(`${name}/(\\d+)`).exec(agent)?.[1] ?? 0)));

test('browsers have the names of their time, and many', () => {
  const agents = agentsOn('2025-11-20');
  expect(new Set(agents).size).toBeGreaterThan(100);
  for (const agent of agents) {
    expect(agent).toMatch(/^Mozilla\/5\.0 \([^)]+\) (?:AppleWebKit|Gecko)\/[\d.]+ [\w ().,/]+$/);
    expect(agent).not.toMatch(/NaN|undefined|Infinity|-/);
  }
  expect([newest(agents, 'Chrome'), newest(agents, 'Firefox'), newest(agents, 'Version')]).toEqual([142, 145, 26]);
  expect(agents).toContain(
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15',
  );
});

test('browsers are renewed as the calendar goes on', () => {
  const agents = agentsOn('2026-12-01');
  expect([newest(agents, 'Chrome'), newest(agents, 'Firefox'), newest(agents, 'Version')]).toEqual([156, 158, 27]);
});
