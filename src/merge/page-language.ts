/** The language that a page says it is in. */

/** Bytes in which `<html>` begins, in any page that is made of a template. */
const HEAD = 4096;
const LANGUAGE = /<html\b[^>]*?\slang\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i;

/** BCP 47; undefined when the page does not say it. */
export function pageLanguage(page: Uint8Array): string | undefined {
  const [, double, single, bare] = LANGUAGE.exec(Buffer.from(page.subarray(0, HEAD)).toString('latin1')) ?? [];
  return double ?? single ?? bare;
}
