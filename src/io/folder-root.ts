/** The root of a {@link FileTree} over a local folder: where it is, what is below it, and the turn of the event loop. */
import { mkdirSync, type Stats } from 'node:fs';
import { resolve } from 'node:path';
import type { BeforeStep, OpenFolder } from './folder-access.ts';
import { look, openFolder, openOrMakeFolder, realRoot } from './folder-access.ts';
import { errorCode, storageFault } from './storage-fault.ts';
import type { TreePlace } from './tree-fault.ts';
import { notFound } from './tree-fault.ts';
import { fileTreePath } from './tree-path.ts';

/** Long enough to be cheap, short enough that Ctrl-C and progress feel immediate. */
const TURN_MS = 20;

/** What is done in the folder that holds a path; `name` is the path's last component. */
export type InFolder<T> = (folder: OpenFolder, name: string) => T;

export interface FolderRoot {
  readonly label: string;
  readonly step: BeforeStep;
  /** The real path; undefined while the folder does not exist. */
  find(): string | undefined;
  /** Runs `work`, names its faults, and lets timers and signals have their turn now and then. */
  run<T>(place: TreePlace, work: () => T | Promise<T>): Promise<T>;
  /** lstat below the root. */
  look(components: readonly string[], place: TreePlace): Stats | undefined;
  open(components: readonly string[], place: TreePlace): OpenFolder | undefined;
  openOrMake(components: readonly string[], place: TreePlace, durable: boolean): OpenFolder;
  /** Works in the existing folder that holds `path`. @throws TIEUP_E_NOT_FOUND */
  inParent<T>(path: string, place: TreePlace, work: InFolder<T>): T;
  /** Works in the folder that holds `path`, or returns undefined when it is absent. */
  inParentIfAny<T>(path: string, place: TreePlace, work: InFolder<T>): T | undefined;
}

export function folderRoot(root: string, step: BeforeStep): FolderRoot {
  const label = resolve(root);
  let real: string | undefined;
  let lastTurn = performance.now();

  const find = (): string | undefined => (real ??= realRoot(label));
  const make = (): string => {
    const there = find();
    if (there !== undefined) return there;
    step('mkdir');
    mkdirSync(label, { recursive: true });
    real = realRoot(label);
    return real ?? label;
  };
  const open = (components: readonly string[], place: TreePlace): OpenFolder | undefined => {
    const there = find();
    return there === undefined ? undefined : openFolder(there, components, place);
  };
  const inParentIfAny = <T>(path: string, place: TreePlace, work: InFolder<T>): T | undefined => {
    const components = fileTreePath(path);
    const folder = open(components.slice(0, -1), place);
    if (folder === undefined) return undefined;
    try {
      return work(folder, components.at(-1) ?? '');
    } finally {
      folder.close();
    }
  };

  return {
    label,
    step,
    find,
    open,
    inParentIfAny,
    run: async (place, work) => {
      if (performance.now() - lastTurn > TURN_MS) {
        await new Promise((done) => setImmediate(done));
        lastTurn = performance.now();
      }
      try {
        return await work();
      } catch (error) {
        // What a caller's content iterable throws is the caller's; node:fs errors carry a system call.
        if (errorCode(error) === undefined || !(error instanceof Error && 'syscall' in error)) throw error;
        throw storageFault(error, place);
      }
    },
    look: (components, place) => {
      const there = find();
      return there === undefined ? undefined : look(there, components, place);
    },
    openOrMake: (components, place, durable) =>
      openOrMakeFolder(make(), components, place, { durable, beforeStep: step }),
    inParent: (path, place, work) => {
      const done = inParentIfAny(path, place, (folder, name) => ({ result: work(folder, name) }));
      if (done === undefined) throw notFound(place);
      return done.result;
    },
  };
}
