/** Keeps what was refused, with the reason: what contradicts what was signed before is worth more than a message. */
import { isTieupError, TieupError } from '../../errors.ts';
import { sha256 } from '../../protocol/digest.ts';
import { instant } from '../../protocol/instant.ts';
import type { MainSite } from '../main-site.ts';
import { logPath } from './log-records.ts';

/** Whoever can write the outbox can make new contradictions for ever; the first ones prove as much as all of them. */
const MAX_CASES = 50;

/** Notes by name, `export.note`; and files that were fetched, from the site folder, which move to the evidence. */
export interface Evidence {
  readonly notes: Readonly<Record<string, Uint8Array>>;
  readonly fetched: readonly string[];
}

/**
 * The error to throw: a refusal says where its evidence is; a fault of the line or the machine is nobody's lie, and passes through.
 */
export async function keepRefusedNote(
  site: MainSite,
  partner: string,
  notes: Evidence['notes'],
  error: unknown,
): Promise<unknown> {
  return keepRefused(site, partner, { notes, fetched: [] }, error);
}

export async function keepRefused(
  site: MainSite,
  partner: string,
  { notes, fetched }: Evidence,
  refusal: unknown,
): Promise<unknown> {
  if (!isTieupError(refusal, 'TIEUP_E_VERIFY', 'TIEUP_E_ROLLBACK', 'TIEUP_E_TOO_LARGE')) return refusal;
  const { code, message, hint, problems } = refusal;
  const folder = logPath(partner, 'evidence');
  const place = `${folder}/${sha256(Buffer.concat([...Object.values(notes), Buffer.from(message)])).slice(0, 16)}`;
  let where = `${place}/`;
  try {
    const cases = await site.files.list(folder);
    if (!cases.some(({ name }) => place.endsWith(`/${name}`))) {
      if (cases.length >= MAX_CASES) where = `${folder}/, which has ${cases.length} cases already`;
      else {
        for (const [name, bytes] of Object.entries(notes)) await site.files.write(`${place}/${name}`, bytes);
        for (const path of fetched) {
          if ((await site.files.stat(path)) === undefined) continue;
          await site.files.makeFolder(place);
          await site.files.rename(path, `${place}/${path.slice(path.lastIndexOf('/') + 1)}`);
        }
        await site.files.write(`${place}/reason.txt`, Buffer.from(`${instant(site.clock.now())} ${message}\n`));
      }
    }
  } catch (cause) {
    if (!isTieupError(cause)) throw cause;
    where = `nowhere: ${folder}/ cannot be written`;
  }
  const told = hint === undefined ? `evidence: ${where}` : `${hint}; evidence: ${where}`;
  return new TieupError(code, message, { hint: told, problems, cause: refusal });
}
