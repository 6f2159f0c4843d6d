/** The head of a `tieup-part/1` file: which checkpoint it certifies, from which record on, and the tree before that. */
import { TieupError } from '../errors.ts';
import { base64, strictBase64 } from './base64.ts';
import { type LogOrigin, openCheckpoint, type OpenedCheckpoint, requireOrigin, type TreeHead } from './checkpoint.ts';
import { Frontier, HASH_LENGTH, sameHash, subtreesOf } from './merkle.ts';
import type { VerifierKey } from './vkey.ts';

export const PART_TYPE = 'tieup-part/1';

/** What a reader of a part knows before. */
export interface PartExpectations {
  /** Log keys of partners, of which one has signed the checkpoint. */
  readonly keys: readonly VerifierKey[];
  /** Which log it must be of; any log of the key's partner when not given. */
  readonly origin?: LogOrigin;
  /** Where it must begin: the tree that was verified before. Anywhere when not given. */
  readonly after?: TreeHead;
  /** The tree that it must lead to, as a signed statement says. */
  readonly until?: TreeHead;
}

/** A head whose checkpoint was verified and is the one expected; what it says of the past is only proved at the end of the file. */
export interface PartHead {
  readonly checkpoint: OpenedCheckpoint;
  /** The first record that the file is about. */
  readonly from: number;
  /** Of the perfect subtrees before `from`, the largest first. */
  readonly frontier: readonly Uint8Array[];
}

/** The lines of a head, the first of a file. `note` is the signed checkpoint, `frontier` the tree before `from`. */
export function renderPartHead(note: Uint8Array, from: number, frontier: readonly Uint8Array[]): string {
  const hashes = subtreesOf(0, from).map(({ level }, index) => {
    const hash = frontier[index];
    if (hash === undefined) throw new TieupError('TIEUP_E_FAILED', `a tree of ${from} records has a larger frontier`);
    return `F ${level} ${base64(hash)}\n`;
  });
  return `${PART_TYPE}\ncheckpoint ${base64(note)}\nfrom ${from}\n${hashes.join('')}`;
}

/** Reads a head line by line. Every method throws TIEUP_E_VERIFY when the head is malformed or not the one expected. */
export class PartHeadReader {
  readonly #expected: PartExpectations;
  #number = 0;
  #checkpoint: OpenedCheckpoint | undefined;
  #levels: readonly number[] = [];
  #from = 0;
  readonly #frontier: Uint8Array[] = [];

  constructor(expected: PartExpectations) {
    this.#expected = expected;
  }

  /** Takes the next line, without its line end. @returns the head after its last line. */
  take(line: string): PartHead | undefined {
    this.#number += 1;
    if (line.endsWith('\r')) throw partRefused('its lines end with CRLF instead of LF');
    if (this.#number === 1) {
      if (line !== PART_TYPE) throw partRefused(`it does not start with ${PART_TYPE}`);
    } else if (this.#number === 2) this.#takeCheckpoint(line);
    else if (this.#number === 3) this.#takeFrom(line);
    else this.#takeFrontier(line);
    return this.#number >= 3 && this.#frontier.length === this.#levels.length ? this.#complete() : undefined;
  }

  #takeCheckpoint(line: string): void {
    const note = strictBase64(/^checkpoint (.+)$/.exec(line)?.[1] ?? '');
    if (note === undefined || note.length === 0)
      throw partRefused('line 2 is not "checkpoint" with a signed note in base64');
    const checkpoint = openCheckpoint(note, this.#expected.keys);
    const { origin, until } = this.#expected;
    if (origin !== undefined) requireOrigin(checkpoint, origin);
    if (until !== undefined && (until.size !== checkpoint.size || !sameHash(until.root, checkpoint.root))) {
      throw partRefused(`its checkpoint of ${checkpoint.size} records is not the one of ${until.size} that was stated`);
    }
    this.#checkpoint = checkpoint;
  }

  #takeFrom(line: string): void {
    const from = Number(/^from (0|[1-9]\d{0,15})$/.exec(line)?.[1] ?? Number.NaN);
    const { size } = this.#checkpoint ?? { size: 0 };
    if (!Number.isSafeInteger(from)) throw partRefused('line 3 is not "from" with a number');
    if (from > size) throw partRefused(`it starts at record ${from}, and its checkpoint has ${size} records`);
    const { after } = this.#expected;
    if (after !== undefined && after.size !== from) {
      throw partRefused(`it starts at record ${from}, but what was verified before ends at ${after.size}`);
    }
    this.#from = from;
    this.#levels = subtreesOf(0, from).map(({ level }) => level);
  }

  #takeFrontier(line: string): void {
    const [, level, encoded = ''] = /^F (\d{1,2}) (.+)$/.exec(line) ?? [];
    const hash = strictBase64(encoded, HASH_LENGTH);
    const expected = String(this.#levels[this.#frontier.length]);
    if (level !== expected || hash === undefined) {
      throw partRefused(`line ${this.#number} is not "F ${expected}" with a hash in base64`);
    }
    this.#frontier.push(hash);
  }

  #complete(): PartHead {
    const { after } = this.#expected;
    if (this.#checkpoint === undefined) throw partRefused('it has no checkpoint');
    if (after !== undefined && !sameHash(Frontier.of(this.#from, this.#frontier).root(), after.root)) {
      throw partRefused(
        `the ${this.#from} records before it are not those that were verified before: its history was written anew`,
      );
    }
    return { checkpoint: this.#checkpoint, from: this.#from, frontier: this.#frontier };
  }
}

export function partRefused(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the exported log is refused: ${why}`);
}
