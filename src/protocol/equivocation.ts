/** The refusal of metadata that contradicts what the same keys signed before, with both as they are. */
import { TieupError } from '../errors.ts';

/** A TIEUP_E_VERIFY that carries its own proof: any two of its files cannot both be honest. */
export class Equivocation extends TieupError {
  /** By name, `trusted-5.targets.json`; the first is the root that names the keys of the others. */
  readonly files: ReadonlyMap<string, Uint8Array>;

  constructor(message: string, files: ReadonlyMap<string, Uint8Array>, cause: unknown) {
    super('TIEUP_E_VERIFY', message, { cause });
    this.files = files;
  }
}
