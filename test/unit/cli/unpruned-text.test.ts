import { expect, test } from 'vitest';
import { unprunedNotes } from '../../../src/cli/unpruned-text.ts';
import type { Unpruned } from '../../../src/publish/publication.ts';

test('says nothing when nothing is left of old trees', () => {
  expect(unprunedNotes([])).toEqual([]);
});

test('names what is the partner’s and what could not be removed apart, and cuts long lists', () => {
  const own = Array.from({ length: 12 }, (_, i): Unpruned => ({ path: `published/1.removing/${i}`, why: 'not-ours' }));
  const notes = unprunedNotes([{ path: 'published/2', why: 'stuck' }, ...own]);
  expect(notes).toHaveLength(14);
  expect(notes[0]).toContain('tieup did not put it there');
  expect(notes.slice(10, 12)).toEqual(['  published/1.removing/9', '  … and 2 more']);
  expect(notes.slice(12)).toEqual([expect.stringContaining('could not be removed'), '  published/2']);
});

test('shows a name that could play with the terminal harmlessly', () => {
  expect(unprunedNotes([{ path: 'published/1.removing/\u001b[2J', why: 'not-ours' }]).join('')).not.toContain('\u001b');
});
