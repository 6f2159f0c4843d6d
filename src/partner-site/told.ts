/**
 * What an unattended run has told the manager already, in `state/told.json`: cron runs every few minutes, and the same
 * notice every few minutes is one that nobody reads. It is forgotten as soon as all is well.
 */
import { z } from 'zod';
import { isTieupError } from '../errors.ts';
import { sha256 } from '../protocol/digest.ts';
import { readJson, writeJson } from '../publish/records.ts';
import type { PartnerSite } from './partner-site.ts';

const FILE = 'told.json';
/** The oldest are forgotten first. */
const MAX_TOLD = 50;

const toldSchema = z.strictObject({
  /** SHA-256 of each notice. */
  notices: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
});

/** True the first time, and whenever that cannot be remembered: a notice too many is better than one too few. */
export async function isNews(site: PartnerSite, notice: string): Promise<boolean> {
  const key = sha256(notice);
  try {
    const told = (await readJson(site.state, FILE, toldSchema))?.notices ?? [];
    if (told.includes(key)) return false;
    await writeJson(site.state, FILE, { notices: [...told, key].slice(-MAX_TOLD) });
  } catch (error) {
    if (!isTieupError(error)) throw error;
  }
  return true;
}

/** All is well: the same trouble another time is news again. */
export async function forgetNotices(site: PartnerSite): Promise<void> {
  await site.state.remove(FILE);
}
