/**
 * Who failed when its prescribed time had come is left alone for a while, longer each time: one small file of this machine,
 * `.tieup/put-off.json`. A push by hand asks for none of this.
 */
import { z } from 'zod';
import type { TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { sha256 } from '../protocol/digest.ts';
import { instant } from '../protocol/instant.ts';
import type { MainSite } from './main-site.ts';

export interface PutOff {
  /** How often it failed since it was reached last. */
  readonly tries: number;
  /** ISO 8601 UTC: when it failed last, and until when it is left alone. */
  readonly at: string;
  readonly until: string;
  /** SHA-256 of its `partners/<id>.yaml`: who edits that has mended something. */
  readonly file: string;
}

const PLACE = '.tieup/put-off.json';
const MAX_LENGTH = 16 * 1024 * 1024;
const MAX_PARTNERSHIP_FILE = 1024 * 1024;
const MINUTE_MS = 60_000;
const LONGEST_MS = 60 * MINUTE_MS;
/** Servers shut out who knocks again and again with a key that they do not let in. */
const REFUSED_MS = 24 * 60 * MINUTE_MS;

const putOffSchema = z.record(
  z.string(),
  z.strictObject({ tries: z.int().min(1), at: z.string(), until: z.string(), file: z.string() }),
);

/** By partner. */
export async function readPutOff(site: MainSite): Promise<ReadonlyMap<string, PutOff>> {
  const bytes = await readIfThere(site.files, PLACE, MAX_LENGTH);
  if (bytes === undefined) return new Map();
  try {
    return new Map(Object.entries(putOffSchema.parse(JSON.parse(new TextDecoder().decode(bytes)))));
  } catch {
    // Worth one attempt too many.
    return new Map();
  }
}

/** Whether a partner is still to be left alone. @param lastContact when it was reached last, by whatever command */
export async function isPutOff(
  site: MainSite,
  partner: string,
  known: PutOff | undefined,
  lastContact: string | null,
): Promise<boolean> {
  if (known === undefined || instant(site.clock.now()) >= known.until) return false;
  if (lastContact !== null && lastContact > known.at) return false;
  return known.file === (await fileDigest(site, partner));
}

/** Takes down how a push ended. @param failed by partner; undefined for one that did not fail */
export async function keepPutOff(
  site: MainSite,
  ended: readonly (readonly [partner: string, failed: TieupError | undefined])[],
): Promise<void> {
  const before = await readPutOff(site);
  const after = new Map(before);
  for (const [partner, failed] of ended) {
    after.delete(partner);
    if (failed === undefined || failed.code === 'TIEUP_E_INTERRUPTED') continue;
    after.set(partner, await putOff(site, partner, failed, before.get(partner)?.tries ?? 0));
  }
  if (before.size === 0 && after.size === 0) return;
  await site.files.write(PLACE, Buffer.from(`${JSON.stringify(Object.fromEntries(after))}\n`));
}

async function putOff(site: MainSite, partner: string, { code }: TieupError, before: number): Promise<PutOff> {
  const now = site.clock.now();
  const isRefused = code === 'TIEUP_E_LOGIN' || code === 'TIEUP_E_HOST_KEY';
  const pauseMs = isRefused ? REFUSED_MS : Math.min(MINUTE_MS * 2 ** Math.min(before, 16), LONGEST_MS);
  const until = instant(new Date(now.getTime() + pauseMs));
  return { tries: before + 1, at: instant(now), until, file: await fileDigest(site, partner) };
}

async function fileDigest(site: MainSite, partner: string): Promise<string> {
  const bytes = await readIfThere(site.files, `${site.config.folders.partners}/${partner}.yaml`, MAX_PARTNERSHIP_FILE);
  return bytes === undefined ? '' : sha256(bytes);
}
