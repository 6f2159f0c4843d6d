/**
 * Keeps what releases were made of – pages, templates, assets, data, `tieup.yaml` – so that they can be made again byte for byte.
 *
 * One copy serves all partners, and what did not change is kept once: `.tieup/sources/<digest>.json` lists the files,
 * `.tieup/sources/packs/<sha256>.pack` holds them, large ones stand alone in `.tieup/sources/objects/<sha256>`. What the
 * newest releases of no partner need goes with the next new one.
 */
import { CONFIG_FILE, MAX_CONFIG } from '../config/config-file.ts';
import { z } from 'zod';
import type { PartnerImage } from '../content/source.ts';
import { TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { DIGEST, sha256, sha256Stream } from '../protocol/digest.ts';
import { buildPack, decodeChunk, type PackObject } from '../protocol/pack.ts';
import { exactReader, readPackIndex } from '../protocol/pack-reader.ts';
import type { MainSite } from './main-site.ts';
import { keptAlone, readMadeOf, type KeptImage } from './made-of.ts';
import { MAX_ASSET } from './read-assets.ts';

interface KeptFile {
  /** From the folder with `tieup.yaml`. */
  readonly path: string;
  readonly length: number;
  readonly digest: string;
  /** Digest of the pack that holds it; null for a file that stands alone. */
  readonly pack: string | null;
}

const FOLDER = '.tieup/sources';
const PACKS = `${FOLDER}/packs`;
const OBJECTS = `${FOLDER}/objects`;
const PARTNERS = '.tieup/partners';

const MAX_LIST = 64 * 1024 * 1024;
/** Larger files stand alone. */
const SINGLE_FROM = 16 * 1024 * 1024;
/** A pack is built in memory. */
const PACK_TARGET = 32 * 1024 * 1024;
const MAX_PACK = 64 * 1024 * 1024;
/** Another push may have kept what it has not made a release of yet. */
const UNUSED_FOR_MS = 24 * 60 * 60 * 1000;

const LIST_NAME = /^([0-9a-f]{64})\.json$/;
const listSchema: z.ZodType<readonly KeptFile[]> = z.array(
  z.strictObject({
    path: z.string().min(1),
    length: z.int().min(0),
    digest: z.string().regex(DIGEST),
    pack: z.string().regex(DIGEST).nullable(),
  }),
);

/** @param read by path, as of {@link Reading}. @returns the digest by which they are found again */
export async function keepSources(site: MainSite, read: ReadonlyMap<string, Uint8Array | undefined>): Promise<string> {
  const contents = new Map([...read, [CONFIG_FILE, await site.files.read(CONFIG_FILE, MAX_CONFIG)] as const]);
  const files: Omit<KeptFile, 'pack'>[] = [];
  for (const [path, bytes] of [...contents].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const { length, digest } =
      bytes === undefined ? await digestOf(site, path) : { length: bytes.length, digest: sha256(bytes) };
    files.push({ path, length, digest });
  }
  const name = sha256(Buffer.from(JSON.stringify(files)));
  if ((await site.files.stat(listPath(name))) !== undefined) return name;
  const lists = await readLists(site);
  const packOf = new Map([...lists.values()].flat().map(({ digest, pack }) => [digest, pack]));
  const missing = new Map(files.filter(({ digest }) => !packOf.has(digest)).map((file) => [file.digest, file]));
  for (const [digest, pack] of await store(site, [...missing.values()], contents)) packOf.set(digest, pack);
  const kept = files.map((file): KeptFile => ({ ...file, pack: packOf.get(file.digest) ?? null }));
  await site.files.write(listPath(name), Buffer.from(`${JSON.stringify(kept)}\n`));
  await prune(site, new Map([...lists, [name, kept]]), name);
  return name;
}

async function digestOf(site: MainSite, path: string): Promise<Pick<KeptFile, 'length' | 'digest'>> {
  const hash = sha256Stream();
  let length = 0;
  for await (const chunk of site.files.stream(path, MAX_ASSET)) {
    length += chunk.length;
    hash.update(chunk);
  }
  return { length, digest: hash.digest() };
}

/** By digest, the pack that each went into. */
async function store(
  { files }: MainSite,
  missing: readonly Omit<KeptFile, 'pack'>[],
  contents: ReadonlyMap<string, Uint8Array | undefined>,
): Promise<ReadonlyMap<string, string | null>> {
  const stored = new Map<string, string | null>();
  let group: PackObject[] = [];
  const flush = async (): Promise<void> => {
    if (group.length === 0) return;
    const pack = await buildPack(group);
    const name = sha256(pack);
    await files.write(`${PACKS}/${name}.pack`, pack);
    for (const { digest } of group) stored.set(digest, name);
    group = [];
  };
  let length = 0;
  for (const file of missing) {
    if (file.length >= SINGLE_FROM) {
      await files.write(keptAlone(file.digest), files.stream(file.path, MAX_ASSET));
      stored.set(file.digest, null);
      continue;
    }
    group.push({ digest: file.digest, bytes: contents.get(file.path) ?? (await files.read(file.path, SINGLE_FROM)) });
    length += file.length;
    if (length < PACK_TARGET) continue;
    await flush();
    length = 0;
  }
  await flush();
  return stored;
}

/**
 * Writes the kept sources below `folder`, each verified. @throws TIEUP_E_NOT_FOUND when they are not kept any more,
 * TIEUP_E_VERIFY when they are damaged
 */
export async function unpackSources(site: MainSite, name: string, folder: string): Promise<void> {
  const list = await readList(site, name);
  if (list === undefined) throw new TieupError('TIEUP_E_NOT_FOUND', 'what it was made of is not kept any more');
  const places = new Map<string, KeptFile[]>();
  for (const file of list) places.set(file.digest, [...(places.get(file.digest) ?? []), file]);
  const write = async (digest: string, bytes: Uint8Array): Promise<void> => {
    if (sha256(bytes) !== digest) throw new TieupError('TIEUP_E_VERIFY', `a kept file in ${FOLDER} is damaged`);
    for (const { path } of places.get(digest) ?? [])
      await site.files.write(`${folder}/${path}`, bytes, { durable: false });
  };
  for (const pack of new Set(list.map((file) => file.pack))) {
    if (pack !== null) await unpack(site, pack, write);
  }
  for (const { digest, pack, path } of list) {
    if (pack !== null) continue;
    await site.files.write(`${folder}/${path}`, site.files.stream(keptAlone(digest), MAX_ASSET), {
      durable: false,
    });
  }
}

/** The pictures of a partner as they were. @throws as {@link unpackSources} */
export async function readKeptImages(site: MainSite, images: readonly KeptImage[]): Promise<readonly PartnerImage[]> {
  const found: PartnerImage[] = [];
  for (const image of images) {
    const bytes = await readIfThere(site.files, keptAlone(image.digest), MAX_ASSET);
    if (bytes === undefined) throw new TieupError('TIEUP_E_NOT_FOUND', `${image.file} is not kept any more`);
    if (sha256(bytes) !== image.digest)
      throw new TieupError('TIEUP_E_VERIFY', `a kept file in ${FOLDER} is damaged`, { hint: `it was ${image.file}` });
    found.push({ ...image, bytes });
  }
  return found;
}

async function unpack(
  { files }: MainSite,
  pack: string,
  write: (digest: string, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const path = `${PACKS}/${pack}.pack`;
  const length = (await files.stat(path))?.length ?? 0;
  const reader = exactReader(files.stream(path, MAX_PACK));
  try {
    const { chunks, entries } = await readPackIndex(reader, length);
    for (const [index, chunk] of chunks.entries()) {
      const raw = await decodeChunk(chunk, await reader.take(chunk.stored));
      for (const entry of entries) {
        if (entry.chunk === index) await write(entry.digest, raw.subarray(entry.offset, entry.offset + entry.length));
      }
    }
  } finally {
    await reader.close();
  }
}

/** Removes what the newest releases of no partner need. */
async function prune(site: MainSite, lists: ReadonlyMap<string, readonly KeptFile[]>, newest: string): Promise<void> {
  const { files } = site;
  const needed = new Set([newest]);
  const pictures: string[] = [];
  for (const { name } of await files.list(PARTNERS)) {
    for (const { sources, images = [] } of await readMadeOf(site, name)) {
      needed.add(sources);
      pictures.push(...images.map(({ digest }) => digest));
    }
  }
  const now = site.clock.now().getTime();
  const kept: KeptFile[] = [];
  for (const { name, modified } of await files.list(FOLDER)) {
    const digest = LIST_NAME.exec(name)?.[1];
    if (digest === undefined) continue;
    if (needed.has(digest) || now - Date.parse(modified) < UNUSED_FOR_MS) kept.push(...(lists.get(digest) ?? []));
    else await files.remove(listPath(digest));
  }
  const packs = new Set(kept.map(({ pack }) => pack));
  const alone = new Set([...kept.map(({ digest }) => digest), ...pictures]);
  for (const { name } of await files.list(PACKS))
    if (!packs.has(name.replace(/\.pack$/, ''))) await files.remove(`${PACKS}/${name}`);
  for (const { name, modified } of await files.list(OBJECTS))
    if (!alone.has(name) && now - Date.parse(modified) >= UNUSED_FOR_MS) await files.remove(`${OBJECTS}/${name}`);
}

/** Bytes that the way back takes on this disk. */
export async function sourcesLength({ files }: MainSite): Promise<number> {
  const entries = await Promise.all([FOLDER, PACKS, OBJECTS].map((folder) => files.list(folder)));
  return entries.flat().reduce((sum, { length }) => sum + length, 0);
}

async function readLists(site: MainSite): Promise<ReadonlyMap<string, readonly KeptFile[]>> {
  const lists = new Map<string, readonly KeptFile[]>();
  for (const { name } of await site.files.list(FOLDER)) {
    const digest = LIST_NAME.exec(name)?.[1];
    const list = digest === undefined ? undefined : await readList(site, digest);
    if (digest !== undefined && list !== undefined) lists.set(digest, list);
  }
  return lists;
}

async function readList(site: MainSite, name: string): Promise<readonly KeptFile[] | undefined> {
  const bytes = await readIfThere(site.files, listPath(name), MAX_LIST);
  if (bytes === undefined) return undefined;
  try {
    return listSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', `${listPath(name)} is damaged`, { cause, hint: 'remove the file' });
  }
}

function listPath(name: string): string {
  return `${FOLDER}/${name}.json`;
}
