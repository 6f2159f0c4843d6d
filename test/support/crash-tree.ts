/** File trees that stop at a chosen step of what is done with them, for tests of what a crash leaves behind. */
import type { FileTree } from '../../src/io/file-tree.ts';
import { folderTree } from '../../src/io/folder-tree.ts';

/** Thrown where the "process" stops. */
export class Crash extends Error {
  constructor(step: string) {
    super(`crashed before: ${step}`);
    this.name = 'Crash';
  }
}

/** Called for each step, with its number from 1. */
type OnStep = (number: number, step: string) => void;

/**
 * `tree`, which calls `crash` before the `atStep`-th step. Steps are counted before and after each operation that changes
 * something; once it has crashed every further operation crashes too, because a dead process cleans nothing up.
 */
export function crashingTree(tree: FileTree, atStep: number, crash: (step: string) => never = throwCrash): FileTree {
  return steppedTree(tree, (number, step) => {
    if (number >= atStep) crash(step);
  });
}

/** How many steps `work` takes on a tree. */
export async function countSteps(tree: FileTree, work: (tree: FileTree) => Promise<unknown>): Promise<number> {
  let steps = 0;
  await work(steppedTree(tree, (number) => void (steps = number)));
  return steps;
}

/**
 * A tree over a local folder which calls `crash` before the `atStep`-th system call that changes something: inside a
 * write, between its bytes and their rename. With the default the calls after it crash as well, but for the clean-up that
 * an error triggers; to leave what a killed process leaves, let `crash` end the process.
 */
export function crashingFolder(root: string, atStep: number, crash: (step: string) => never = throwCrash): FileTree {
  let count = 0;
  return folderTree(root, {
    beforeStep: (step) => {
      count += 1;
      if (count >= atStep) crash(step);
    },
  });
}

/** The system calls that change something while `work` runs on the folder, in order. */
export async function folderSteps(
  root: string,
  work: (tree: FileTree) => Promise<unknown>,
): Promise<readonly string[]> {
  const steps: string[] = [];
  await work(folderTree(root, { beforeStep: (step) => void steps.push(step) }));
  return steps;
}

function steppedTree(tree: FileTree, onStep: OnStep): FileTree {
  let count = 0;
  const step = (name: string): void => {
    count += 1;
    onStep(count, name);
  };
  const around = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    step(`before ${name}`);
    const result = await work();
    step(`after ${name}`);
    return result;
  };
  return {
    label: tree.label,
    stat: (path) => tree.stat(path),
    list: (path, options) => tree.list(path, options),
    read: (path, maxLength) => tree.read(path, maxLength),
    stream: (path, maxLength) => tree.stream(path, maxLength),
    readLink: (path) => tree.readLink(path),
    stage: async (path, content, options) => {
      const staged = await around(`stage ${path}`, () => tree.stage(path, content, options));
      return { ...staged, commit: () => around(`write ${path}`, () => staged.commit()) };
    },
    write: (path, content, options) => around(`write ${path}`, () => tree.write(path, content, options)),
    create: (path, content, options) => around(`create ${path}`, () => tree.create(path, content, options)),
    makeFolder: (path) => around(`make folder ${path}`, () => tree.makeFolder(path)),
    rename: (from, to) => around(`rename ${from} to ${to}`, () => tree.rename(from, to)),
    hardLink: (from, to) => around(`link ${from} to ${to}`, () => tree.hardLink(from, to)),
    replaceLink: (path, target) => around(`point ${path} at ${target}`, () => tree.replaceLink(path, target)),
    remove: (path) => around(`remove ${path}`, () => tree.remove(path)),
    removeFolder: (path) => around(`remove folder ${path}`, () => tree.removeFolder(path)),
    sync: (paths) => around(`sync ${paths.length} paths`, () => tree.sync(paths)),
    roundTripMs: () => tree.roundTripMs(),
    close: () => tree.close(),
  };
}

function throwCrash(step: string): never {
  throw new Crash(step);
}
