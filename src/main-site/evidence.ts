/**
 * Keeps what a partner's keys signed: every note that was read, for later disputes, and what was refused although it is validly
 * signed. Nothing of it is ever trusted again.
 */
import { TieupError } from '../errors.ts';
import { sha256 } from '../protocol/digest.ts';
import { cachePath, type MainSite } from './main-site.ts';

/** A TIEUP_E_VERIFY that carries its own proof: notes that the partner's keys have signed, by name. */
export class RefusedAnswer extends TieupError {
  readonly notes: ReadonlyMap<string, Uint8Array>;

  constructor(message: string, notes: ReadonlyMap<string, Uint8Array>) {
    super('TIEUP_E_VERIFY', message);
    this.notes = notes;
  }
}

/** Whoever holds a stolen key can sign new contradictions for ever; the first ones prove as much as all of them. */
const MAX_CASES = 20;
const ASK = 'ask the partner; a restored backup does this, and so does a thief';

/** Keeps a note under `.tieup/partners/<id>/answers/`; what is there already stays as it is. */
export async function keepNote(site: MainSite, partner: string, name: string, note: Uint8Array): Promise<void> {
  const path = cachePath(partner, `answers/${name}`);
  if ((await site.files.stat(path)) === undefined) await site.files.write(path, note, { mode: 0o600 });
}

/**
 * Keeps the proof under `.tieup/partners/<id>/evidence/`, the same one once. The error to throw instead of `refusal` says where;
 * that it cannot be kept changes nothing about the refusal.
 */
export async function keepRefused(site: MainSite, partner: string, refusal: RefusedAnswer): Promise<TieupError> {
  const { message, notes } = refusal;
  const told = (where: string) =>
    new TieupError('TIEUP_E_VERIFY', message, { hint: `${ASK}; ${where}`, cause: refusal });
  const folder = cachePath(partner, 'evidence');
  const name = sha256([...notes].map(([file, note]) => `${file} ${sha256(note)}\n`).join('')).slice(0, 16);
  try {
    const cases = (await site.files.list(folder)).map((entry) => entry.name);
    if (!cases.includes(name) && cases.length >= MAX_CASES)
      return told(`there are ${cases.length} cases in ${folder} already`);
    for (const [file, note] of notes) {
      const path = `${folder}/${name}/${file}`;
      if ((await site.files.stat(path)) === undefined) await site.files.write(path, note, { mode: 0o600 });
    }
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    return told(`the proof could not be kept: ${error.message}`);
  }
  return told(`what was signed is kept in ${folder}/${name}`);
}
