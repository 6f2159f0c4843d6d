/**
 * Assets under the names they are published by. With a hash of its content in its name, a file can be kept by browsers
 * for ever: whatever changes has another name. The hash of a style sheet covers the names of what it refers to.
 *
 * A name is only changed where every reference to it is known: a file that a script or another file which is published as
 * it is mentions keeps its own.
 */
import type { Problem } from '../errors.ts';
import { type CssReference, cssReferences } from '../protocol/css-references.ts';
import { sha256 } from '../protocol/digest.ts';
import { HASH_ROOM, hashedName } from '../protocol/hashed-name.ts';
import { collisionKey } from '../protocol/names.ts';
import { nearest } from '../protocol/nearest.ts';
import { ASSETS, decodePath, joinPath, relativeAddress } from './addresses.ts';
import type { AssetSource, ImageWidth } from './source.ts';
import { placeAt } from './text-place.ts';

/** An asset as it is published. */
export interface PublishedAsset {
  readonly source: AssetSource;
  /** Below the folder of assets. */
  readonly path: string;
  readonly length: number;
  /** SHA-256, lower-case hex. */
  readonly digest: string;
  /** A style sheet with other addresses in it, or a picture in another width; undefined when the file is published as it is. */
  readonly bytes: Uint8Array | undefined;
}

export interface AssetOptions {
  readonly hashed: boolean;
  /** Texts that may mention assets in ways which are not rewritten, such as a template's scripts. */
  readonly texts?: readonly string[];
  /** The attribute `sizes` of pictures that are there in several widths. */
  readonly imageSizes?: string | undefined;
  /** What is found is added. */
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

type Content = Pick<PublishedAsset, 'length' | 'digest' | 'bytes'>;

/** Files that pages load. What visitors follow, a document or an archive, keeps a name that can be passed on. */
const LOADED =
  /\.(?:css|m?js|png|jpe?g|gif|webp|avif|svg|ico|woff2?|ttf|otf|eot|mp3|m4a|ogg|oga|opus|wav|flac|mp4|m4v|webm|ogv|vtt)$/i;
/** Asked for by these very names, or meant to stay. */
const KEPT = /^(?:raw\/.*|favicon\.ico|apple-touch-icon(?:-[\w-]+)?\.png)$/i;
const STYLE_SHEET = /\.css$/i;
/** Bytes of a file name with its hash; longer ones are not to be published. */
const MAX_NAME = 200;

export class AssetNames {
  readonly #sources: ReadonlyMap<string, AssetSource>;
  readonly #options: AssetOptions;
  readonly #contents = new Map<string, Content>();
  readonly #referred = new Set<string>();
  /** File names in files whose text is published as it is. */
  readonly #mentioned: ReadonlySet<string>;
  /** Pictures whose other widths are published. */
  readonly #pictures = new Set<string>();
  /** Style sheets that are being read, the outermost first. */
  readonly #way: string[] = [];

  constructor(sources: readonly AssetSource[], options: AssetOptions) {
    this.#sources = new Map(sources.map((source) => [source.path, source]));
    this.#options = options;
    this.#mentioned = options.hashed
      ? mentionedNames([...unchangedTexts(sources), ...(options.texts ?? [])])
      : new Set();
  }

  /** The name under which a page finds the asset, below the folder of assets; undefined when there is none. */
  refer(path: string): string | undefined {
    const source = this.#sources.get(path);
    if (source === undefined) return undefined;
    this.#referred.add(path);
    return this.#nameOf(source);
  }

  /**
   * What a picture's element says beside its address, so that the page does not jump when it comes, and a small screen
   * need not load a large one; undefined when its size is not known.
   * @param addressOf of a path below the folder of assets, from the page
   */
  imageAttributes(path: string, addressOf: (path: string) => string): Readonly<Record<string, string>> | undefined {
    const source = this.#sources.get(path);
    if (source?.size === undefined) return undefined;
    const { width, height } = source.size;
    const size = { width: String(width), height: String(height) };
    const narrow = (source.widths ?? []).filter((each) => each.width < width);
    if (narrow.length === 0) return size;
    this.#pictures.add(path);
    const all = [
      ...narrow.map((each) => ({ width: each.width, path: this.#widthOf(source, each).path })),
      { width, path: this.refer(path) ?? path },
    ];
    const srcset = all.map((each) => `${addressOf(each.path)} ${each.width}w`).join(', ');
    return { ...size, srcset, sizes: this.#options.imageSizes ?? '100vw' };
  }

  /** `there is no asset "x.png" (did you mean …)`. */
  absence(path: string): string {
    const meant = nearest(path, this.#sources.keys());
    const end = meant === undefined ? '' : ` (did you mean ${JSON.stringify(meant)}?)`;
    return `there is no asset ${JSON.stringify(path)}${end}`;
  }

  /** All assets, once every page and template has referred to what it needs. */
  published(): readonly PublishedAsset[] {
    // Their references count as well, so that they come before the names.
    for (const source of this.#sources.values()) if (STYLE_SHEET.test(source.path)) this.#contentOf(source);
    const all = [...this.#sources.values()].flatMap((source): PublishedAsset[] => {
      const path = this.#referred.has(source.path) ? this.#nameOf(source) : source.path;
      const widths = this.#pictures.has(source.path) ? (source.widths ?? []) : [];
      return [{ source, path, ...this.#contentOf(source) }, ...widths.map((each) => this.#widthOf(source, each))];
    });
    const owners = new Map<string, string>();
    for (const { path, source } of all) {
      const key = collisionKey(path);
      const other = owners.get(key);
      if (other === undefined) owners.set(key, source.path);
      else if (collisionKey(other) !== collisionKey(source.path) || path !== source.path) {
        const message = `${JSON.stringify(path)} is the published name of ${JSON.stringify(other)} as well: rename one of them`;
        this.#options.problems.push({ file: fileOf(source.path), message });
      }
    }
    return all;
  }

  #nameOf(source: AssetSource): string {
    const { path } = source;
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!this.#options.hashed || !LOADED.test(path) || KEPT.test(path) || this.#mentioned.has(name)) return path;
    if (Buffer.byteLength(name) + HASH_ROOM > MAX_NAME) return path;
    return hashedName(path, this.#contentOf(source).digest);
  }

  /** `photo.jpg` → `photo-640w.3f9a1c2b.jpg` */
  #widthOf(source: AssetSource, { width, bytes }: ImageWidth): PublishedAsset {
    const digest = sha256(bytes);
    const plain = source.path.replace(/\.[^.]*$/, (extension) => `-${width}w${extension}`);
    const path = this.#nameOf(source) === source.path ? plain : hashedName(plain, digest);
    return { source, path, length: bytes.length, digest, bytes };
  }

  #contentOf(source: AssetSource): Content {
    const known = this.#contents.get(source.path);
    if (known !== undefined) return known;
    const { length, digest, text } = source;
    let content: Content = { length, digest, bytes: undefined };
    if (text !== undefined && STYLE_SHEET.test(source.path) && !this.#isInCircle(source.path, text)) {
      this.#way.push(source.path);
      const rewritten = this.#rewrite(source.path, text);
      this.#way.pop();
      if (rewritten !== text) {
        const bytes = new TextEncoder().encode(rewritten);
        content = { length: bytes.length, digest: sha256(bytes), bytes };
      }
    }
    this.#contents.set(source.path, content);
    return content;
  }

  #isInCircle(path: string, text: string): boolean {
    const from = this.#way.indexOf(path);
    if (from === -1) return false;
    const circle = [...this.#way.slice(from), path].map((each) => JSON.stringify(each)).join(' → ');
    const message = `style sheets import each other in a circle: ${circle}`;
    this.#options.problems.push({ ...placeAt(fileOf(path), text, 0), message });
    return true;
  }

  /** The text of a style sheet with the published names of what it refers to. */
  #rewrite(path: string, text: string): string {
    let rewritten = '';
    let done = 0;
    for (const reference of cssReferences(text)) {
      const address = this.#addressIn(path, text, reference);
      if (address === undefined) continue;
      rewritten += `${text.slice(done, reference.start)}"${address}"`;
      done = reference.end;
    }
    return rewritten + text.slice(done);
  }

  /** What to write in place of a reference; undefined when it stays. */
  #addressIn(path: string, text: string, { url, offset }: CssReference): string | undefined {
    // Elsewhere, from the root of the partner's site, or within the same file; browsers read a backslash as a slash.
    if (/^\s*(?:[a-z][a-z0-9+.-]*:|\/|#|\?|$)|\\/i.test(url)) return undefined;
    const [, written = '', suffix = ''] = /^([^?#]*)(.*)$/s.exec(url.trim()) ?? [];
    const decoded = decodePath(written);
    const folder = path.split('/').slice(0, -1).join('/');
    const target = decoded === undefined ? undefined : joinPath(folder, decoded);
    const name = target === undefined ? undefined : this.refer(target);
    if (name === undefined || target === undefined) {
      const message = target === undefined ? `${JSON.stringify(url)} leads out of the assets` : this.absence(target);
      this.#options.warnings.push({ ...placeAt(fileOf(path), text, offset), message });
      return undefined;
    }
    return name === target
      ? undefined
      : `${relativeAddress(path, name)}${suffix.replaceAll(/["\\\n\r\f]/g, encodeURIComponent)}`;
  }
}

function fileOf(path: string): string {
  return `${ASSETS}${path}`;
}

/** Scripts, drawings, manifests and the like. */
function unchangedTexts(sources: readonly AssetSource[]): readonly string[] {
  return sources.flatMap(({ path, text }) => (text === undefined || STYLE_SHEET.test(path) ? [] : [text]));
}

/** Characters that end a file name in a text. */
const BESIDE_NAMES = /[\s"'`()<>/\\=,;:?#&|{}[\]]/;
/** The same by code, for those below 128: nearly all that there are. */
const IS_BESIDE = Array.from({ length: 128 }, (_, code) => BESIDE_NAMES.test(String.fromCharCode(code)));
const FILE_NAME = /.+\.[a-z0-9]{2,5}(?![a-z0-9])/is;
const EXTENSION = /\.[a-z0-9]{2,5}(?![a-z0-9])/iy;

function isBesideName(text: string, at: number): boolean {
  return IS_BESIDE[text.charCodeAt(at)] ?? BESIDE_NAMES.test(text.charAt(at));
}

/** What looks like a file name in these texts. Dots are looked for first: there are few, and most of them end sentences. */
export function mentionedNames(texts: readonly string[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const text of texts) {
    for (let dot = text.indexOf('.'); dot !== -1; dot = text.indexOf('.', dot + 1)) {
      EXTENSION.lastIndex = dot;
      if (!EXTENSION.test(text)) continue;
      let start = dot;
      while (start > 0 && !isBesideName(text, start - 1)) start -= 1;
      let end = EXTENSION.lastIndex;
      while (end < text.length && !isBesideName(text, end)) end += 1;
      const [name] = FILE_NAME.exec(text.slice(start, end)) ?? [];
      if (name !== undefined) {
        names.add(name);
        names.add(decodePath(name) ?? name);
      }
      dot = end;
    }
  }
  return names;
}
