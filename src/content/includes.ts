/**
 * `{{ include "hours.md" }}` on a line of its own: the lines of a file that several pages share take its place before the
 * text is compiled, so that they are part of it and of its key in the cache. In fenced code nothing is included.
 */
import type { Problem } from '../errors.ts';
import { nearest } from '../protocol/nearest.ts';
import { joinPath } from './addresses.ts';
import type { TextPlace } from './fragment.ts';
import type { Place } from './segment.ts';
import type { IncludeSource } from './source.ts';

export interface ExpandedText {
  readonly text: string;
  /** Where a place of the text is in the file that it comes from. */
  place(at: TextPlace): Place;
  readonly problems: readonly Problem[];
  /** Files that were taken in, also by others, each once. */
  readonly includes: readonly string[];
}

const INCLUDE_LINE = /^ {0,3}\{\{[ \t]*include[ \t]+"([^"]+)"[ \t]*\}\}[ \t]*$/;
const INCLUDE_ELSEWHERE = /(?<!\\)\{\{[ \t]*include[ \t]+"/;
const FENCE = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}|~{3,})(.*)$/;
/** Includes in each other. */
const MAX_DEPTH = 10;

/**
 * @param firstLine 1-based line of `file` on which `text` starts
 * @param maxLength characters that the whole may have; what is longer is cut off, and longer than this
 */
export function expandIncludes(
  text: string,
  { file, firstLine }: { readonly file: string; readonly firstLine: number },
  includes: readonly IncludeSource[],
  maxLength: number,
): ExpandedText {
  if (!INCLUDE_ELSEWHERE.test(text)) {
    return {
      text,
      place: ({ line, column }) => ({ file, line: firstLine + line - 1, column }),
      problems: [],
      includes: [],
    };
  }
  const expander = new Expander(includes, maxLength);
  expander.expand(text, file, firstLine, []);
  const { lines, origins, problems, taken } = expander;
  const place = ({ line, column }: TextPlace): Place => {
    const origin = origins[line - 1] ?? origins.at(-1);
    return { file: origin?.file ?? file, line: origin?.line ?? firstLine, column };
  };
  return { text: lines.join('\n'), place, problems, includes: [...taken] };
}

interface Origin {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

class Expander {
  readonly lines: string[] = [];
  readonly origins: Origin[] = [];
  readonly problems: Problem[] = [];
  readonly taken = new Set<string>();
  readonly #includes: ReadonlyMap<string, IncludeSource>;
  #left: number;

  constructor(includes: readonly IncludeSource[], maxLength: number) {
    this.#includes = new Map(includes.map((include) => [include.path, include]));
    this.#left = maxLength + 1;
  }

  /** @param way paths of the includes in which the text stands, the innermost last */
  expand(text: string, file: string, firstLine: number, way: readonly string[]): void {
    let fence: { readonly sign: string; readonly origin: Origin } | undefined;
    for (const [index, line] of text.split('\n').entries()) {
      if (this.#left < 0) return;
      const origin = { file, line: firstLine + index };
      const [, sign, info = ''] = FENCE.exec(line) ?? [];
      if (fence !== undefined) {
        if (sign?.startsWith(fence.sign) === true && info.trim() === '') fence = undefined;
      } else if (sign !== undefined && !(sign.startsWith('`') && info.includes('`'))) fence = { sign, origin };
      else {
        const path = INCLUDE_LINE.exec(line)?.[1];
        if (path !== undefined) {
          this.#include(path, { origin, column: line.indexOf('{') + 1 }, way);
          continue;
        }
        this.#lookFor(line, origin);
      }
      this.#left -= line.length + 1;
      this.lines.push(line);
      this.origins.push(origin);
    }
    if (fence !== undefined && way.length > 0) {
      this.problems.push({
        ...fence.origin,
        column: 1,
        message: 'a code block starts here and does not end in this file',
      });
    }
  }

  #include(
    written: string,
    { origin, column }: { readonly origin: Origin; readonly column: number },
    way: readonly string[],
  ): void {
    const refuse = (message: string): void => {
      this.problems.push({ ...origin, column, message });
    };
    const path = joinPath('', written.normalize('NFC'));
    const found = path === undefined || written.startsWith('/') ? undefined : this.#includes.get(path);
    if (found === undefined) {
      const meant = nearest(written, this.#includes.keys());
      const end = meant === undefined ? '' : ` (did you mean ${JSON.stringify(meant)}?)`;
      return refuse(`there is no include ${JSON.stringify(written)}${end}`);
    }
    const further = [...way, found.path];
    if (way.includes(found.path)) return refuse(`this includes itself: ${further.join(' → ')}`);
    if (way.length >= MAX_DEPTH) return refuse(`includes are nested more than ${MAX_DEPTH} deep`);
    if (/^---[ \t]*\n/.test(found.text)) {
      this.problems.push({
        file: found.file,
        line: 1,
        column: 1,
        message: 'an include is no page and has no front matter',
      });
      return undefined;
    }
    this.taken.add(found.file);
    return this.expand(found.text.replace(/\n+$/, ''), found.file, 1, further);
  }

  /** An include that stands where it would be shown as text. */
  #lookFor(line: string, origin: Origin): void {
    const index = line.search(INCLUDE_ELSEWHERE);
    if (index === -1 || (line.slice(0, index).match(/`/g)?.length ?? 0) % 2 === 1) return;
    const message = 'an include stands on a line of its own, with nothing before it: {{ include "hours.md" }}';
    this.problems.push({ ...origin, column: index + 1, message });
  }
}
