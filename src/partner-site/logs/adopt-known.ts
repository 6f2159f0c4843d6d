/**
 * A log is the files that it lies in, and not the words that tieup.yaml names them by: where a source is spelt otherwise, split or joined, what
 * was read of its files under another spelling is known, and no line is read again.
 */
import { TieupError } from '../../errors.ts';
import type { LogFile, LogFileState } from '../../io/log-files.ts';
import { continues, isSameInode, type KnownFile } from './known-file.ts';
import type { SourceState } from './log-state.ts';

/** No source is spelt so: what is known of files that no source names any more. */
const NOBODYS = '';
const MAX_NOBODYS = 1000;

export interface UnreadRest {
  /** A source that was taken out of tieup.yaml stays known: put in again, it goes on where it was left. */
  readonly states: readonly SourceState[];
  /** Files that a source had which is spelt otherwise now, and that are gone with what was added to them since. */
  readonly lost: readonly { readonly files: string; readonly known: KnownFile }[];
}

/** One run over all sources. */
export class KnownSources {
  readonly #before: readonly SourceState[];
  readonly #inUse: ReadonlySet<string>;
  /** Files of this run, each of one source. */
  readonly #opened: (LogFileState & { readonly source: string })[] = [];
  readonly #adopted = new Set<KnownFile>();

  /** @param inUse the sources as tieup.yaml names them now */
  constructor(before: readonly SourceState[], inUse: readonly string[]) {
    this.#before = before;
    this.#inUse = new Set(inUse);
  }

  /**
   * What is known of a source whose files are these.
   * @throws TIEUP_E_CONFIG when another source has one of them: its lines would be read twice.
   */
  async of(source: string, files: readonly LogFile[]): Promise<SourceState> {
    for (const file of files) {
      const other = this.#opened.find((each) => each.source !== source && isSameInode(each, file));
      if (other !== undefined) throw namedTwice(file.path, other.source, source);
    }
    this.#opened.push(
      ...files.map(({ device, inode, length, modifiedMs }) => ({ device, inode, length, modifiedMs, source })),
    );
    const own = this.#before.find((each) => each.files === source);
    const adopted: KnownFile[] = [];
    const numbers: number[] = [];
    for (const file of files) {
      if (own?.known.some((known) => isSameInode(known, file)) === true) continue;
      const found = await this.#find(source, file);
      if (found === undefined) continue;
      this.#adopted.add(found.known);
      adopted.push(found.known);
      numbers.push(found.switchNumber);
    }
    const known = [...adopted.toSorted((a, b) => a.modifiedMs - b.modifiedMs), ...(own?.known ?? [])];
    const switchNumber = own?.switchNumber ?? (numbers.length > 0 ? Math.min(...numbers) : 0);
    return { files: source, known, switchNumber };
  }

  /** What no source has read on. To be called after all of them. */
  rest(): UnreadRest {
    const lost: UnreadRest['lost'][number][] = [];
    const states: SourceState[] = [];
    let nobodys: SourceState = { files: NOBODYS, known: [], switchNumber: 0 };
    for (const each of this.#before) {
      const left = each.known.filter((known) => !this.#adopted.has(known));
      if (this.#inUse.has(each.files)) continue;
      const isAdopted = left.length < each.known.length;
      const last = each.known.at(-1);
      if (!isAdopted && each.files !== NOBODYS) states.push(each);
      else nobodys = { ...nobodys, known: [...nobodys.known, ...left], switchNumber: each.switchNumber };
      // It was being written when it was read last, and is none of the files that there are.
      const isGone = last !== undefined && last.offset > 0 && !this.#adopted.has(last);
      if (isAdopted && isGone && each.files !== NOBODYS) lost.push({ files: each.files, known: last });
    }
    if (nobodys.known.length === 0) return { states, lost };
    return { states: [...states, { ...nobodys, known: nobodys.known.slice(-MAX_NOBODYS) }], lost };
  }

  async #find(
    source: string,
    file: LogFile,
  ): Promise<{ readonly known: KnownFile; readonly switchNumber: number } | undefined> {
    for (const { files, known, switchNumber } of this.#before) {
      if (files === source) continue;
      for (const each of known) {
        if (this.#adopted.has(each)) continue;
        const isSame = isSameInode(each, file);
        // By its content alone a file is known again where nobody else has it: logs of two hosts may begin alike.
        if (!isSame && (this.#inUse.has(files) || each.offset === 0)) continue;
        if ((isSame && each.offset === 0) || (await continues(file, each))) return { known: each, switchNumber };
      }
    }
    return undefined;
  }
}

function namedTwice(path: string, one: string, other: string): TieupError {
  const [a, b] = [JSON.stringify(one), JSON.stringify(other)];
  return new TieupError('TIEUP_E_CONFIG', `the log ${JSON.stringify(path)} is named by two sources, ${a} and ${b}`, {
    hint: 'name each log once under logs.sources in tieup.yaml: its lines would be read twice',
  });
}
