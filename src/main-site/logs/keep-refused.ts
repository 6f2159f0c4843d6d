/** Keeps an export that was refused, with the reason: what contradicts what was signed before is worth more than a message. */
import { isTieupError, TieupError } from '../../errors.ts';
import { sha256 } from '../../protocol/digest.ts';
import { instant } from '../../protocol/instant.ts';
import type { MainSite } from '../main-site.ts';
import { logPath } from './log-records.ts';

/** Whoever can write the outbox can make new contradictions for ever; the first ones prove as much as all of them. */
const MAX_CASES = 50;

/** The refusal, which says where the evidence is. Fetched copies stay in `incoming/` under their digests. */
export async function keepRefused(
  site: MainSite,
  partner: string,
  note: Uint8Array,
  refusal: TieupError,
): Promise<TieupError> {
  const { code, message, hint, problems } = refusal;
  const folder = logPath(partner, 'evidence');
  const place = `${folder}/${sha256(Buffer.concat([note, Buffer.from(message)])).slice(0, 16)}`;
  let where = `${place}/: keep it, it is signed by the partner`;
  try {
    const cases = await site.files.list(folder);
    if (!cases.some(({ name }) => place.endsWith(`/${name}`))) {
      if (cases.length >= MAX_CASES) where = `${folder}/, which has ${cases.length} cases already`;
      else {
        await site.files.write(`${place}/reason.txt`, Buffer.from(`${instant(site.clock.now())} ${message}\n`));
        await site.files.write(`${place}/export.note`, note);
      }
    }
  } catch (cause) {
    if (!isTieupError(cause)) throw cause;
    where = `nowhere: ${folder}/ cannot be written`;
  }
  const told = hint === undefined ? `evidence: ${where}` : `${hint}; evidence: ${where}`;
  return new TieupError(code, message, { hint: told, problems, cause: refusal });
}
