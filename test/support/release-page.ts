/** Pages from which one can tell, by their bytes alone, of which release they are and whether they are whole. */

export const PAGES = 8;

/** Says at its start and at its end of which release it is; no two releases are equally long. */
export function releasePage(release: number, index: number): string {
  const filler = `page ${index} of release ${release}\n`.repeat(300 + release * 37);
  return `<!doctype html><title>${index}</title><!-- begin ${release} -->\n${filler}<!-- end ${release} -->\n`;
}

/** The release that a page says it is of; NaN when it does not say. */
export function releaseOf(body: string): number {
  return Number(/<!-- begin (\d+) -->/.exec(body)?.[1]);
}
