/** Ids as one option has several of them: `harbour,quay`. */
export function parseNames(text: string): ReadonlySet<string> {
  return new Set(text.split(',').map((name) => name.trim()));
}
