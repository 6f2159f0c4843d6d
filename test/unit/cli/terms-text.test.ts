import { expect, test } from 'vitest';
import { termsText } from '../../../src/cli/terms-text.ts';
import { plainTerms } from '../../support/hostile-release.ts';

const TERMS = plainTerms('harbour');

test('terms say in plain words who changes the live pages', () => {
  expect(termsText(TERMS)).toMatch(/who publishes: +you, when you accept/);
  const main = termsText({ ...TERMS, publisher: 'main' });
  expect(main).toContain('the main site itself changes your web site after you have agreed');
  expect(main).toContain('your agreement is evidence, not a lock');
});
