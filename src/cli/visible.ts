/** Text that came from elsewhere, made safe to show. */

/**
 * Everything that a terminal acts on instead of showing: control characters (escape sequences move the cursor and
 * rewrite lines above), line separators, invisible format characters, among them those which reverse the order of
 * text (CVE-2021-42574), tags and lone surrogates. Zero-width joiners go too: what a manager confirms must be what stands there.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}\u{115f}\u{1160}\u{3164}\u{ffa0}]/gu;

/** `text` on one line, everything that would not show written as an escape: `\n`, `\x1b`, `\u{202e}`. */
export function visible(text: string): string {
  return text.replace(HIDDEN, escape);
}

/** The same for text of several lines: line feeds stay. */
export function visibleLines(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(HIDDEN, (character) => (character === '\n' ? '\n' : escape(character)));
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escape(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
