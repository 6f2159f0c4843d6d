/**
 * What the newest releases of a partner were made of, so that they can be made again: `.tieup/partners/<id>/made-of.json`.
 * Losing it loses the way back from here, and nothing else.
 */
import { z } from 'zod';
import type { Partnership } from '../config/partnership.ts';
import type { PartnerImage, PartnerView } from '../content/source.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { DIGEST } from '../protocol/digest.ts';
import { instant } from '../protocol/instant.ts';
import { cachePath, type MainSite } from './main-site.ts';
import { loadPartnerView } from './partner-view.ts';

export interface ReleaseName {
  readonly release: number;
  /** SHA-256 of its `N.targets.json`. */
  readonly releaseDigest: string;
}

export interface MadeOf extends ReleaseName {
  /** The release whose pages these are: itself, unless it went back to an earlier one. */
  readonly content: ReleaseName;
  /** Digest of the kept sources. */
  readonly sources: string;
  /** The moment by which pages come and go; ISO 8601. */
  readonly at: string;
  /** What pages could know of the partner then. */
  readonly view: Omit<PartnerView, 'images'>;
  /** Its pictures, which are kept with the sources; absent in what older versions of tieup kept. */
  readonly images?: readonly KeptImage[] | undefined;
}

export type KeptImage = Omit<PartnerImage, 'bytes'>;

const MAX_LENGTH = 16 * 1024 * 1024;

const digest = z.string().regex(DIGEST);
const named = { release: z.int().min(1), releaseDigest: digest };
const schema: z.ZodType<readonly MadeOf[]> = z.array(
  z.strictObject({
    ...named,
    content: z.strictObject(named),
    sources: digest,
    at: z.iso.datetime(),
    view: z.strictObject({
      id: z.string(),
      name: z.string(),
      tags: z.array(z.string()),
      url: z.string(),
      mount: z.string(),
      search: z.enum(['canonical-to-main', 'noindex', 'own']),
      values: z.record(z.string(), z.string()),
    }),
    images: z.array(z.strictObject({ file: z.string(), path: z.string(), digest })).optional(),
  }),
);

/** What a release was made of that is pushed now; its pictures are kept here. @param at the moment by which pages come and go */
export async function madeOf(
  site: MainSite,
  partnership: Partnership,
  name: ReleaseName,
  sources: string,
  at: Date,
): Promise<MadeOf> {
  const { images = [], ...view } = await loadPartnerView(site, partnership);
  for (const { digest: picture, bytes } of images) {
    const path = keptAlone(picture);
    if ((await site.files.stat(path)) === undefined) await site.files.write(path, bytes);
  }
  const kept = images.map(({ file, path, digest: picture }) => ({ file, path, digest: picture }));
  return { ...name, content: name, sources, at: instant(at), view, images: kept };
}

/** The oldest first; empty where nobody knows any more. */
export async function readMadeOf(site: MainSite, partner: string): Promise<readonly MadeOf[]> {
  const bytes = await readIfThere(site.files, madeOfPath(partner), MAX_LENGTH);
  if (bytes === undefined) return [];
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return [];
  }
}

/** Adds the newest; as many stay as `retention.releases` of tieup.yaml says. */
export async function keepMadeOf(site: MainSite, partner: string, made: MadeOf): Promise<void> {
  const before = (await readMadeOf(site, partner)).filter(({ release }) => release < made.release);
  const kept = [...before, made].slice(-site.config.retention.releases);
  await site.files.write(madeOfPath(partner), Buffer.from(`${JSON.stringify(kept)}\n`));
}

/** Where a kept file stands that is in no pack. */
export function keptAlone(file: string): string {
  return `.tieup/sources/objects/${file}`;
}

function madeOfPath(partner: string): string {
  return cachePath(partner, 'made-of.json');
}
