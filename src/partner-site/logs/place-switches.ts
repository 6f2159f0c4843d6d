/** Finds the places in the log files at which other pages went live, for the lines that are read now. Pure. */
import type { LogFileState } from '../../io/log-files.ts';
import { isSameInode, type KnownFile } from './known-file.ts';
import type { ReadingStep } from './plan-reading.ts';
import type { Switch } from './switches.ts';

export interface PlacedSwitch {
  /** Which of the steps. */
  readonly step: number;
  /** The place in its file, in uncompressed bytes. */
  readonly at: number;
  readonly switch: Switch;
}

/**
 * In the order of the log. A switch without a place of its own, because the logs could not be seen when it happened, holds from
 * the first file on that was written after it. One that comes after everything there is to read is left for the next time.
 */
export function placeSwitches(
  steps: readonly ReadingStep[],
  untouched: readonly KnownFile[],
  switches: readonly Switch[],
): readonly PlacedSwitch[] {
  const placed: PlacedSwitch[] = [];
  let floor = { step: 0, at: 0 };
  for (const each of switches) {
    const found = placeOf(each, steps, untouched);
    if (found === undefined) break;
    // Switches do not overtake each other, whatever the places say.
    const isLater = found.step > floor.step || (found.step === floor.step && found.at >= floor.at);
    floor = isLater ? found : floor;
    placed.push({ ...floor, switch: each });
  }
  return placed;
}

type Place = Pick<PlacedSwitch, 'step' | 'at'>;

function placeOf(
  { files, time }: Switch,
  steps: readonly ReadingStep[],
  untouched: readonly KnownFile[],
): Place | undefined {
  // The file that was written last is the one that requests went to.
  for (const state of files.toSorted((a, b) => b.modifiedMs - a.modifiedMs)) {
    const place = placeIn(state, steps);
    if (place !== undefined) return place;
    if (untouched.some((known) => isSameInode(known, state) && known.offset === state.length)) return startOf(steps, 0);
  }
  const written = steps.findIndex(({ file }) => file.modifiedMs >= Date.parse(time));
  return written === -1 ? undefined : startOf(steps, written);
}

/** What was read of a file before moves with its content, under whatever name; a new file is known by its inode alone. */
function placeIn(state: LogFileState, steps: readonly ReadingStep[]): Place | undefined {
  const continued = steps.findIndex(
    ({ file, known }) =>
      known !== undefined && (isSameInode(known, state) || isSameInode(file, state)) && known.offset <= state.length,
  );
  if (continued !== -1) return { step: continued, at: state.length };
  const step = steps.findIndex(({ file, known }) => known === undefined && isSameInode(file, state));
  return step === -1 ? undefined : { step, at: state.length };
}

function startOf(steps: readonly ReadingStep[], step: number): Place | undefined {
  const first = steps[step];
  return first === undefined ? undefined : { step, at: first.known?.offset ?? 0 };
}
