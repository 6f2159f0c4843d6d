/**
 * Keeps what proves that somebody signed two truths: without both copies, whoever did it can deny it.
 *
 * A folder of its own beside the trusted metadata; nothing in it is ever read by tieup or trusted for anything.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TieupError } from '../errors.ts';
import { sha256 } from '../protocol/digest.ts';
import type { Equivocation } from '../protocol/equivocation.ts';

/** Whoever holds a stolen key can sign new contradictions for ever; the first ones prove as much as all of them. */
const MAX_CASES = 20;

/**
 * Writes the contradicting files, and the root by which their signatures are judged, into a folder named after their
 * digest; the same contradiction again writes nothing new. The error to throw instead of `refusal` says where they are.
 * @param folder absolute; made when it is missing
 */
export async function keepEvidence(folder: string, refusal: Equivocation): Promise<TieupError> {
  const { files, message, cause } = refusal;
  const name = sha256([...files].map(([file, bytes]) => `${file} ${sha256(bytes)}\n`).join('')).slice(0, 16);
  const place = join(folder, name);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const cases = await readdir(folder);
    if (!cases.includes(name)) {
      if (cases.length >= MAX_CASES) return told(refusal, `there are ${cases.length} cases in ${folder} already`);
      await mkdir(place, { mode: 0o700 });
      for (const [file, bytes] of files)
        await writeFile(join(place, file), bytes, { flag: 'wx', mode: 0o600, flush: true });
    }
  } catch (storageFault) {
    const causes = new AggregateError([cause, storageFault], 'the evidence could not be kept');
    return new TieupError('TIEUP_E_VERIFY', message, {
      cause: causes,
      hint: `keep the inbox: ${folder} cannot be written`,
    });
  }
  return told(refusal, `both are kept as evidence in ${place}: show them to the main site`);
}

function told({ message, cause }: Equivocation, hint: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', message, { cause, hint });
}
