import { expect, test } from 'vitest';
import { planNotes } from '../../../src/cli/review-text.ts';
import { NO_CHOICES } from '../../../src/merge/choices.ts';
import { EMPTY_LEDGER } from '../../../src/merge/ledger.ts';
import { planMerge } from '../../../src/merge/plan.ts';

const plan = planMerge({
  release: null,
  mount: '/m/',
  originals: [],
  how: 'link',
  slots: [],
  ledger: EMPTY_LEDGER,
  live: new Map(),
  folders: new Set(),
  choices: NO_CHOICES,
});
const notes = (strayLinks: Parameters<typeof planNotes>[0]['strayLinks']) =>
  planNotes({ plan, unusedSlotFiles: [], strayLinks });

test('a manager reads which pages lead to what is kept out, and no more than fits', () => {
  expect(notes([])).toEqual([]);
  expect(notes([{ target: 'm/a.html', instead: 'nothing', pages: ['m/b.html'] }])).toEqual([
    '1 link leads to pages that you keep out: m/a.html (on m/b.html)',
  ]);
  expect(
    notes([
      { target: 'm/a.html', instead: 'nothing', pages: ['m/1.html', 'm/2.html', 'm/3.html', 'm/4.html', 'm/5.html'] },
      { target: 'm/b.html', instead: 'nothing', pages: ['m/1.html'] },
      { target: 'm/c.html', instead: 'yours', pages: ['m/1.html', 'm/2.html'] },
    ]),
  ).toEqual([
    '6 links lead to pages that you keep out: m/a.html (on m/1.html, m/2.html, m/3.html and 2 more), m/b.html (on m/1.html)',
    '2 links lead to pages of yours in place of the main site’s: m/c.html (on m/1.html, m/2.html)',
  ]);
});
