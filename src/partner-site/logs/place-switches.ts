/** Finds the places in the log files at which other pages went live, for the lines that are read now. Pure. */
import type { LogFileState } from '../../io/log-files.ts';
import { isSameInode, isUntouched, type KnownFile } from './known-file.ts';
import type { ReadingStep } from './plan-reading.ts';
import type { Switch } from './switches.ts';

export interface PlacedSwitch {
  /** Which of the steps. */
  readonly step: number;
  /** The place in its file, in uncompressed bytes. */
  readonly at: number;
  /** It holds from the first line behind that whose own time is not before, in milliseconds since 1970. */
  readonly since?: number;
  readonly switch: Switch;
}

/**
 * In the order of the log. A switch without a place of its own, because the logs could not be seen when it happened, waits for the time
 * of a line, in files that were written after it. One that comes after everything there is to read is left for the next time.
 * @param known files of which nothing is to be read, and all of the last run
 */
export function placeSwitches(
  steps: readonly ReadingStep[],
  known: readonly KnownFile[],
  switches: readonly Switch[],
): readonly PlacedSwitch[] {
  const placed: PlacedSwitch[] = [];
  let floor = { step: 0, at: 0 };
  for (const each of switches) {
    const found = placeOf(each, steps, known);
    if (found === undefined) break;
    // Switches do not overtake each other, whatever the places say.
    const isLater = found.step > floor.step || (found.step === floor.step && found.at >= floor.at);
    floor = isLater ? { step: found.step, at: found.at } : floor;
    placed.push({ ...found, ...floor, switch: each });
  }
  return placed;
}

type Place = Pick<PlacedSwitch, 'step' | 'at' | 'since'>;

function placeOf(
  { files, time }: Switch,
  steps: readonly ReadingStep[],
  known: readonly KnownFile[],
): Place | undefined {
  // The file that was written last is the one that requests went to.
  for (const state of files.toSorted((a, b) => b.modifiedMs - a.modifiedMs)) {
    const place = placeIn(state, steps) ?? behind(state, steps, known) ?? placeInNew(state, steps);
    if (place !== undefined) return place;
  }
  const since = Date.parse(time);
  const written = steps.findIndex(({ file }) => file.modifiedMs >= since);
  const place = written === -1 ? undefined : startOf(steps, written);
  return place === undefined ? undefined : { ...place, since };
}

/** What was read of a file before moves with its content, under whatever name. */
function placeIn(state: LogFileState, steps: readonly ReadingStep[]): Place | undefined {
  const step = steps.findIndex(
    ({ file, known }) =>
      known !== undefined && (isSameInode(known, state) || isSameInode(file, state)) && known.offset <= state.length,
  );
  return step === -1 ? undefined : { step, at: state.length };
}

/** The log ended there, and all that was read of it came before. */
function behind(state: LogFileState, steps: readonly ReadingStep[], known: readonly KnownFile[]): Place | undefined {
  const isEnd = known.some(
    (each) => each.copyOf === undefined && each.offset === state.length && isUntouched(each, state),
  );
  return isEnd ? startOf(steps, 0) : undefined;
}

/** A new file is known by its inode alone. */
function placeInNew(state: LogFileState, steps: readonly ReadingStep[]): Place | undefined {
  const step = steps.findIndex(({ file, known }) => known === undefined && isSameInode(file, state));
  return step === -1 ? undefined : { step, at: state.length };
}

function startOf(steps: readonly ReadingStep[], step: number): Place | undefined {
  const first = steps[step];
  return first === undefined ? undefined : { step, at: first.known?.offset ?? 0 };
}
