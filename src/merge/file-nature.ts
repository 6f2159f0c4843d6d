/** What a web server lets a browser do with a file, as far as its name says it. */

/**
 * - `html`, `xml` (with SVG): parsed, may hold scripts · `style` · `script`
 * - `inert`: pictures, fonts, media, data · `unknown`: looked at like HTML, because servers differ
 * - `opaque`: may hold scripts, and nobody can look into it
 */
export type FileNature = 'html' | 'xml' | 'style' | 'script' | 'inert' | 'unknown' | 'opaque';

const BY_EXTENSION: readonly (readonly [FileNature | 'recent', string])[] = [
  ['html', 'html htm'],
  ['xml', 'svg xhtml xht xml xsl xslt rss atom rdf mml'],
  ['style', 'css'],
  ['script', 'js mjs cjs wasm swf htc'],
  ['opaque', 'svgz'],
  ['inert', 'png jpg jpeg gif ico bmp tif tiff mp3 mp4 ogg wav mov pdf zip tar tgz txt csv tsv'],
  // As inert, but servers with an old list of types do not know them.
  ['recent', 'jfif webp avif apng woff woff2 ttf otf eot m4a m4v oga ogv opus webm flac aac vtt srt'],
  ['recent', 'md json jsonld geojson webmanifest map yaml yml toml ics vcf epub 7z docx xlsx pptx odt ods odp dmg'],
];

const NATURES = new Map(
  BY_EXTENSION.flatMap(([nature, names]) => names.split(' ').map((name) => [name, nature] as const)),
);

/** Servers hand these out in place of the file without the ending (nginx `gzip_static`, Apache MultiViews). */
const COMPRESSED = /\.(?:gz|br|zst|deflate|z)$/i;

export function fileNature(path: string): FileNature {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  if (COMPRESSED.test(name)) return fileNature(name.replace(COMPRESSED, '')) === 'inert' ? 'inert' : 'opaque';
  const [last, ...before] = name
    .split('.')
    .slice(1)
    .toReversed()
    .map((extension) => NATURES.get(extension));
  if (last !== undefined && last !== 'recent') return last;
  // Apache's mod_mime goes on to the extension before when it does not know one: `page.html.avif` is then a page.
  const known = before.find((nature) => nature !== undefined && nature !== 'recent');
  if (last === 'recent') return known ?? 'inert';
  return known === undefined || known === 'inert' || known === 'style' ? 'unknown' : known;
}

/** The rule by which pages are told from other files: anybody can recount them from a list of paths. */
export function isHtml(path: string): boolean {
  return /\.html?$/i.test(path);
}
