/** What a web server lets a browser do with a file, as far as its name says it. */

/**
 * - `html`, `xml` (with SVG): parsed, may hold scripts · `style` · `script`
 * - `inert`: pictures, fonts, media, data · `unknown`: looked at like HTML, because servers differ
 * - `opaque`: may hold scripts, and nobody can look into it
 */
export type FileNature = 'html' | 'xml' | 'style' | 'script' | 'inert' | 'unknown' | 'opaque';

const BY_EXTENSION: readonly (readonly [FileNature, string])[] = [
  ['html', 'html htm'],
  ['xml', 'svg xhtml xht xml xsl xslt rss atom rdf mml'],
  ['style', 'css'],
  ['script', 'js mjs cjs wasm swf htc'],
  ['opaque', 'svgz'],
  ['inert', 'png jpg jpeg jfif gif webp avif ico bmp apng tif tiff'],
  ['inert', 'woff woff2 ttf otf eot'],
  ['inert', 'mp3 mp4 m4a m4v ogg oga ogv opus webm wav flac aac mov vtt srt'],
  ['inert', 'txt md csv tsv json jsonld geojson webmanifest map yaml yml toml ics vcf'],
  ['inert', 'pdf epub zip tar tgz 7z docx xlsx pptx odt ods odp dmg'],
];

const NATURES = new Map(
  BY_EXTENSION.flatMap(([nature, names]) => names.split(' ').map((name) => [name, nature] as const)),
);

/** Servers hand these out in place of the file without the ending (nginx `gzip_static`, Apache MultiViews). */
const COMPRESSED = /\.(?:gz|br|zst|deflate|z)$/i;

export function fileNature(path: string): FileNature {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  if (COMPRESSED.test(name)) return fileNature(name.replace(COMPRESSED, '')) === 'inert' ? 'inert' : 'opaque';
  const dot = name.lastIndexOf('.');
  return (dot === -1 ? undefined : NATURES.get(name.slice(dot + 1))) ?? 'unknown';
}
