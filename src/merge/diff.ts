/** The difference of two pages for a reviewer: by what people read, not by markup. */
import { diffArrays } from 'diff';
import { visibleText } from './visible-text.ts';

export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed' | 'gap';
  /** Not escaped: the page's own characters. For a gap: how many lines are left out. */
  readonly text: string;
}

export interface PageDiff {
  readonly lines: readonly DiffLine[];
  /** False when the pages were too different to be compared line by line in time: all old lines, then all new ones. */
  readonly compared: boolean;
}

/** A hostile page must not hold up the person who reviews it (the worst case is quadratic). */
const TIMEOUT_MS = 2000;
const MAX_EDIT_LENGTH = 5000;
const CONTEXT = 2;

/** `before` undefined: the page is new; `after` undefined: it goes. No lines when nothing that people read differs. */
export function diffPages(before: Uint8Array | undefined, after: Uint8Array | undefined): PageDiff {
  const old = before === undefined ? [] : [...visibleText(before)];
  const now = after === undefined ? [] : [...visibleText(after)];
  const parts = diffArrays(old, now, { timeout: TIMEOUT_MS, maxEditLength: MAX_EDIT_LENGTH });
  if (parts === undefined) {
    return { lines: [...lines('removed', old), ...lines('added', now)], compared: false };
  }
  const all = parts.flatMap((part) => lines(part.added ? 'added' : part.removed ? 'removed' : 'same', part.value));
  return { lines: withContext(all), compared: true };
}

/** `- old`, `+ new`, `  same`; what is left out in between is counted. */
export function renderDiff({ lines: all }: PageDiff): string {
  const marks = { same: '  ', added: '+ ', removed: '- ', gap: '… ' } as const;
  return all.map(({ kind, text }) => `${marks[kind]}${text}\n`).join('');
}

function lines(kind: 'same' | 'added' | 'removed', texts: readonly string[]): DiffLine[] {
  return texts.map((text) => ({ kind, text }));
}

function withContext(all: readonly DiffLine[]): DiffLine[] {
  const shown = new Set<number>();
  for (const [index, { kind }] of all.entries()) {
    if (kind === 'same') continue;
    for (let near = index - CONTEXT; near <= index + CONTEXT; near++) shown.add(near);
  }
  if (shown.size === 0) return [];
  const found: DiffLine[] = [];
  let hidden = 0;
  const gap = () => {
    if (hidden > 0)
      found.push({ kind: 'gap', text: hidden === 1 ? 'one line is the same' : `${hidden} lines are the same` });
    hidden = 0;
  };
  for (const [index, line] of all.entries()) {
    if (!shown.has(index)) {
      hidden += 1;
      continue;
    }
    gap();
    found.push(line);
  }
  gap();
  return found;
}
