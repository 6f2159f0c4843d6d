/** Terms in words that a partner's manager reads, and what changes between two of them. */
import type { Terms } from '../protocol/terms.ts';
import { visible } from './visible.ts';

const SCRIPTS = {
  none: 'no scripts',
  own: 'scripts of the main site',
  remote: 'scripts of the main site and of third parties',
};
const SEARCH = {
  'canonical-to-main': 'search engines are pointed to the main site',
  noindex: 'search engines are asked not to list these pages',
  own: 'search engines may list these pages as yours',
};

const MAIN_PUBLISHES =
  'the main site itself changes your web site after you have agreed; your agreement is evidence, not a lock';

/** One line for each term. */
export function termLines({
  main,
  period,
  mount,
  publisher,
  policy,
  services,
  tariff,
}: Terms): readonly (readonly [string, string])[] {
  return [
    ['main site', `${main.name}, ${main.url}`],
    [
      'contract',
      `from ${period.from.slice(0, 10)} ${period.until === null ? 'without an end' : `until ${period.until.slice(0, 10)}`}`,
    ],
    ['its pages live at', mount],
    ['who publishes', publisher === 'partner' ? 'you, when you accept' : MAIN_PUBLISHES],
    ['its pages may run', `${SCRIPTS[policy.scripts]}${policy.serviceWorkers ? ', service workers' : ''}`],
    ['and load from', policy.remoteOrigins.length === 0 ? 'this site alone' : policy.remoteOrigins.join(', ')],
    ['search engines', SEARCH[policy.search]],
    ['services', services.join(', ')],
    ['fee', tariff === null ? 'none' : `tariff ${tariff.name} (${tariff.digest.slice(0, 12)}…)`],
  ];
}

export function termsText(terms: Terms): string {
  return termLines(terms)
    .map(([name, value]) => `  ${`${name}:`.padEnd(20)} ${visible(value)}`)
    .join('\n');
}

/** The terms that differ, the old beside the new. */
export function changedTermsText(before: Terms, after: Terms): string {
  const old = new Map(termLines(before));
  return termLines(after)
    .filter(([name, value]) => old.get(name) !== value)
    .map(
      ([name, value]) =>
        `  ${name}:\n    until now: ${visible(old.get(name) ?? '-')}\n    from now:  ${visible(value)}`,
    )
    .join('\n');
}
