import { expect, test } from 'vitest';
import { termsText } from '../../../src/cli/terms-text.ts';
import type { Terms } from '../../../src/protocol/terms.ts';

const TERMS: Terms = {
  partner: 'harbour',
  main: { name: 'Northwind Coffee', url: 'https://northwind.example/' },
  period: { from: '2026-01-01T00:00:00Z', until: null },
  mount: '/with-main/',
  publisher: 'partner',
  policy: { scripts: 'none', remoteOrigins: [], serviceWorkers: false, search: 'canonical-to-main' },
  services: ['pages'],
  tariff: null,
};

test('terms say in plain words who changes the live pages', () => {
  expect(termsText(TERMS)).toMatch(/who publishes: +you, when you accept/);
  const main = termsText({ ...TERMS, publisher: 'main' });
  expect(main).toContain('the main site itself changes your web site after you have agreed');
  expect(main).toContain('your agreement is evidence, not a lock');
});
